//! What must hold whatever happens: looked at from the servers' side and in the record as it lies on disk, after every step
//! that could change it, and once more when all is calm.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use send_triage::calendar::WorkingCalendar;

use super::letters::{ACCOUNTS, Kind};
use super::post::number_of;
use super::sim::State;
use super::store::Mail;

const WHAT_LIES_THERE: &str = "SELECT coalesce(messages.subject, '') FROM locations
    JOIN mailboxes ON mailboxes.id = locations.mailbox_id AND mailboxes.epoch = locations.epoch
    LEFT JOIN messages ON messages.id = locations.message_id
    WHERE mailboxes.account = ?1 AND mailboxes.folder = ?2 AND locations.uid_validity = ?3 AND locations.uid = ?4";
const MAILBOXES: &str =
    "SELECT id, epoch, account, folder, uid_validity, starts_after_uid, last_uid FROM mailboxes";
const SEEN: &str =
    "SELECT count(*) FROM locations WHERE mailbox_id = ?1 AND epoch = ?2 AND uid > ?3 AND uid <= ?4";
const ABSENT: &str = "SELECT first_uid, last_uid FROM absences WHERE mailbox_id = ?1 AND epoch = ?2";
const DUE: &str = "SELECT id, due_on, (SELECT count(*) FROM case_facts WHERE case_id = cases.id) FROM cases";
const TWICE: &str = "SELECT subject FROM messages WHERE subject <> '' GROUP BY subject HAVING count(*) > 1";

/// The folder as its server calls it.
fn on_server(folder: &str) -> &str {
    if folder == "\\Sent" { "Sent" } else { folder }
}

impl State {
    /// The program takes a message out of a folder, or marks it to be taken: only what is on record, and, unless the server
    /// moves it in one step, only when another copy is seen.
    pub fn may_leave(&mut self, account: usize, folder: &str, uid_validity: u32, mail: &Mail, deleted: bool) {
        let may = folder == "INBOX" && self.filing == "move";
        self.expect(may, || format!("the program took a message out of {folder}"));
        let Some(number) = mail.letter() else {
            return self
                .expect(false, || format!("the program moved one of our own letters out of {folder}"));
        };
        let uid = mail.uid;
        let recorded = self.witness(WHAT_LIES_THERE, &[&ACCOUNTS[account], &folder, &uid_validity, &uid]);
        self.expect(recorded.as_deref().and_then(number_of) == Some(number), || {
            format!("letter {number}, UID {uid}, left {folder}; the record says that {recorded:?} lies there")
        });
        if deleted {
            let copies = self.stores.iter().enumerate().flat_map(|(at, store)| {
                let folders = store.folders.iter();
                folders.flat_map(move |(name, folder)| folder.mails.iter().map(move |mail| (at, name, mail)))
            });
            let seen = copies
                .filter(|(at, name, copy)| {
                    (*at, name.as_str(), copy.uid) != (account, folder, uid) && !copy.deleted
                })
                .any(|(.., copy)| copy.letter() == Some(number));
            self.expect(seen, || {
                format!("letter {number} was deleted from {folder}, and it was the last copy")
            });
        }
    }

    /// After every transaction: the ledger has no gap and no lie, nothing is twice, and no date moved by itself.
    pub fn look_at_the_record(&mut self, record: &Connection) {
        let mut statement = record.prepare_cached(MAILBOXES).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (id, epoch, last): (i64, i64, i64) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(6).unwrap());
            let before = self.letters.ledger.insert(id, (epoch, last));
            if before == Some((epoch, last)) {
                continue;
            }
            let account: String = row.get(2).unwrap();
            let folder: String = row.get(3).unwrap();
            let at = ACCOUNTS.iter().position(|name| *name == account).unwrap();
            let server = on_server(&folder);
            if before.is_some_and(|(before, _)| before != epoch) {
                self.stores[at].rewind_noticed(server);
            }
            if let Some((same, was)) = before {
                self.expect(same != epoch || was <= last, || {
                    format!("the watermark of {folder} went back to {last}")
                });
            }
            let first: i64 = row.get(5).unwrap();
            let seen: i64 = record
                .prepare_cached(SEEN)
                .unwrap()
                .query_row(params![id, epoch, first, last], |row| row.get(0))
                .unwrap();
            let mut absent = record.prepare_cached(ABSENT).unwrap();
            let runs: Vec<(i64, i64)> = absent
                .query_map([id, epoch], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let gone: i64 = runs.iter().map(|(first, last)| last - first + 1).sum();
            self.expect(seen + gone == last - first, || {
                format!("{account}/{folder}: {seen} seen and {gone} absent of {} up to {last}", last - first)
            });
            let validity: u32 = row.get(4).unwrap();
            let there = self.stores[at].folders.get(server);
            let lie =
                there.filter(|there| there.uid_validity == validity && !there.rewound).and_then(|there| {
                    let called_absent =
                        |mail: &&Mail| runs.iter().any(|(a, b)| (*a..=*b).contains(&i64::from(mail.uid)));
                    there.mails.iter().find(called_absent).map(|mail| mail.uid)
                });
            self.expect(lie.is_none(), || {
                format!("{account}/{folder}: UID {lie:?} is called absent, and lies there")
            });
            let twice =
                record.prepare_cached(TWICE).unwrap().query_row([], |row| row.get::<_, String>(0)).ok();
            self.expect(twice.is_none(), || format!("{twice:?} is on record twice"));
        }
        let mut statement = record.prepare_cached(DUE).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (case, due, facts): (i64, Option<String>, i64) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
            let now = (due, facts);
            let before = self.letters.due.insert(case, now.clone());
            if let Some(before) = before {
                self.expect(before.0 == now.0 || before.1 < now.1, || {
                    format!("case {case} was due on {:?}, now on {:?}, and nothing happened", before.0, now.0)
                });
            }
        }
    }

    /// Whether there is nothing more to be done: no message unseen, nothing due.
    pub fn is_settled(&self) -> bool {
        let waiting = self.witness(
            "SELECT CAST(count(*) AS TEXT) FROM effects
             WHERE state <> 'done' AND state <> 'stuck' AND kind NOT IN ('alert', 'notice')",
            &[],
        );
        let all_seen = self.stores.iter().zip(ACCOUNTS).all(|(store, account)| {
            let inbox = &store.folders["INBOX"];
            !inbox.rewound
                && inbox.mails.iter().all(|mail| {
                    self.witness(WHAT_LIES_THERE, &[&account, &"INBOX", &inbox.uid_validity, &mail.uid])
                        .is_some()
                })
        });
        waiting.as_deref() == Some("0") && self.letters.later.is_empty() && all_seen
    }

    /// What is not done, for whoever looks into a failing seed.
    pub fn what_is_open(&self) -> String {
        let effects = self.witness(
            "SELECT group_concat(kind || ' ' || state || ' ' || coalesce(problem, ''), '; ') FROM effects
             WHERE state <> 'done' AND state <> 'stuck'",
            &[],
        );
        let inboxes = self.stores.iter().map(|store| {
            let inbox = &store.folders["INBOX"];
            let mails = inbox
                .mails
                .iter()
                .map(|mail| format!("{}={:?}", mail.uid, mail.letter()))
                .collect::<Vec<_>>();
            format!("rewound {}, UIDs {}", inbox.rewound, mails.join(" "))
        });
        format!("{effects:?}; inboxes: {}", inboxes.collect::<Vec<_>>().join("; "))
    }

    /// Once all is calm.
    pub fn look_at_the_end(&mut self, record: &Connection, calendar: &WorkingCalendar) {
        let number = |sql: &str, number: usize| -> i64 {
            let subject = format!("Letter {number}.");
            record.prepare_cached(sql).unwrap().query_row([subject], |row| row.get(0)).unwrap()
        };
        // A server that would not show a message: it is set aside, and nobody knows which letter it was.
        let unread: i64 = record
            .query_row(
                "SELECT count(*) FROM set_aside JOIN messages ON messages.id = set_aside.message_id WHERE subject = ''",
                [],
                |row| row.get(0),
            )
            .unwrap();
        for at in 0..self.letters.all.len() {
            let letter = &self.letters.all[at];
            let (kind, touched, acknowledged) = (letter.kind, letter.touched, letter.acknowledged);
            let (account, deliveries) = (letter.account, letter.deliveries);
            let records = number("SELECT count(*) FROM messages WHERE subject = ?1", at);
            if !touched && kind != Kind::Answer {
                self.expect(records == 1 || unread > 0, || format!("letter {at} has {records} outcomes"));
            }
            if records == 0 {
                self.expect(acknowledged == 0, || {
                    format!("letter {at} was acknowledged and is not on record")
                });
                continue;
            }
            if kind.is_asked() {
                let cases = number(
                    "SELECT count(*) FROM case_messages JOIN messages ON messages.id = case_messages.message_id
                     WHERE subject = ?1",
                    at,
                );
                self.expect(cases == 1, || format!("letter {at}, {kind:?}, is in {cases} cases"));
                let listed = number(
                    "SELECT EXISTS (SELECT 1 FROM decisions JOIN messages ON messages.id = decisions.message_id
                         WHERE subject = ?1 AND withheld IS NOT NULL)
                     OR EXISTS (SELECT 1 FROM effects JOIN messages ON messages.id = effects.message_id
                         WHERE subject = ?1 AND effects.kind = 'acknowledge' AND state = 'stuck')",
                    at,
                );
                self.expect(acknowledged == 1 || listed == 1, || {
                    format!("letter {at}, {kind:?}, was not acknowledged, and nobody is told why")
                });
                let called_sent = number(
                    "SELECT count(*) FROM letters JOIN messages ON messages.id = letters.answers
                     WHERE subject = ?1 AND letters.kind = 'acknowledge' AND sent_at IS NOT NULL",
                    at,
                );
                self.expect(called_sent <= i64::from(acknowledged), || {
                    format!("letter {at} is called acknowledged and is not")
                });
            }
            let old = number(
                "SELECT count(*) FROM messages JOIN mailboxes ON mailboxes.id = messages.mailbox_id
                 WHERE subject = ?1 AND received_at < taken_into_use_at",
                at,
            );
            if !touched && deliveries == 1 && old == 0 && kind != Kind::Answer && unread == 0 {
                self.lies_in_one_place(at, account);
            }
        }
        self.nothing_is_stuck_that_nobody_refused(record);
        self.dates_are_the_policys(record, calendar);
    }

    /// Filed once; what went to another account has left its original behind.
    fn lies_in_one_place(&mut self, letter: usize, account: usize) {
        let places: Vec<(usize, String)> = (0..self.stores.len())
            .flat_map(|at| self.stores[at].places(letter).into_iter().map(move |p| (at, p)))
            .collect();
        let original = match self.filing {
            "move" => ["Triage/Passed on"; 2],
            "copy" => ["Triage/Passed on", "INBOX"],
            _ => ["-"; 2],
        };
        let read: Vec<_> = places
            .iter()
            .filter(|(at, place)| *at != account || !original.contains(&place.as_str()))
            .collect();
        let filed = read.len() == 1 && (read[0].1 == "INBOX") == (self.filing == "none");
        self.expect(filed, || {
            format!("letter {letter} came to {} and lies in {places:?}", ACCOUNTS[account])
        });
    }

    fn nothing_is_stuck_that_nobody_refused(&mut self, record: &Connection) {
        let stuck: Option<String> = record
            .query_row(
                "SELECT kind || ': ' || problem FROM effects WHERE state = 'stuck' AND kind IN ('file', 'keep-copy')",
                [],
                |row| row.get(0),
            )
            .ok();
        self.expect(stuck.is_none(), || format!("stuck though all is calm: {stuck:?}"));
    }

    fn dates_are_the_policys(&mut self, record: &Connection, calendar: &WorkingCalendar) {
        let mut statement = record.prepare_cached("SELECT id, received_at, due_on FROM cases").unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (case, received_at, due): (i64, i64, Option<String>) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
            let received_at: DateTime<Utc> = DateTime::from_timestamp(received_at, 0).unwrap();
            let wanted = calendar.due(received_at, 10).due_on.to_string();
            self.expect(due.as_ref().is_none_or(|due| *due == wanted), || {
                format!("case {case} is due on {due:?}, and by the policy on {wanted}")
            });
        }
    }
}
