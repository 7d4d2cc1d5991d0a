//! Whether the program itself is well: mailboxes, the ledger, what waits for a person, what runs out. The same for every reader.

use super::{Counter, everything};
use crate::digest::figures::{Gap, Health, Ledger, MailboxHealth};
use crate::record::error::Fault;
use crate::record::mailboxes;
use crate::record::rows::{date, instant};

/// Mailboxes in which the numbers of UIDs and outcomes do not agree: only there gaps are looked for one by one.
const AMISS: &str = "SELECT b.account, b.folder FROM mailboxes b
    WHERE b.last_uid - b.starts_after_uid <>
        (SELECT count(*) FROM locations l WHERE l.mailbox_id = b.id AND l.epoch = b.epoch
            AND l.uid > b.starts_after_uid AND l.uid <= b.last_uid)
        + (SELECT coalesce(sum(min(a.last_uid, b.last_uid) - max(a.first_uid, b.starts_after_uid + 1) + 1), 0)
            FROM absences a WHERE a.mailbox_id = b.id AND a.epoch = b.epoch
            AND a.last_uid > b.starts_after_uid AND a.first_uid <= b.last_uid)
    ORDER BY b.account, b.folder";

impl Counter<'_> {
    pub(super) fn health(&self) -> Result<Health, Fault> {
        let all = everything();
        let mailboxes = self.rows(
            "SELECT account, folder, last_seen_at FROM mailboxes ORDER BY account, folder",
            &[],
            &all,
            |row| {
                Ok(MailboxHealth {
                    account: row.get("account")?,
                    folder: row.get("folder")?,
                    last_seen_at: instant(row, "last_seen_at")?,
                })
            },
        )?;
        let set_aside = self.rows(
            "SELECT count(*) AS waiting, min(due_on) AS due_on FROM set_aside WHERE settled_at IS NULL",
            &[],
            &all,
            |row| Ok((row.get::<_, u64>("waiting")?, date(row, "due_on")?)),
        )?;
        let (set_aside_waiting, set_aside_due_on) = set_aside.first().copied().unwrap_or_default();
        let stuck = self.number("SELECT count(*) FROM effects e WHERE e.desk = 'person'", &[], &all)?;
        let mut expiries = self.ask.expiries.clone();
        if let Some(expiries) = &mut expiries {
            expiries.sort_by(|a, b| (a.on, &a.what).cmp(&(b.on, &b.what)));
        }
        Ok(Health {
            mailboxes,
            ledger: self.ledger()?,
            set_aside_waiting,
            set_aside_due_on,
            stuck,
            calendar_known_until: self.ask.calendar.known_until,
            expiries,
        })
    }

    fn ledger(&self) -> Result<Ledger, Fault> {
        let (from, until) = self.within();
        let all = everything();
        let outcomes: Vec<(String, u64)> = self.rows(
            "SELECT outcome, count(*) FROM locations WHERE entered_at >= ?1 AND entered_at < ?2 GROUP BY outcome",
            &[&from, &until],
            &all,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let of =
            |word: &str| outcomes.iter().find(|(outcome, _)| outcome == word).map_or(0, |(_, times)| *times);
        let mut gaps = Vec::new();
        for (account, folder) in
            self.rows(AMISS, &[], &all, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        {
            let Some(ledger) = mailboxes::ledger_of(self.connection, &account, &folder)? else { continue };
            gaps.extend(ledger.gaps.into_iter().map(|(first_uid, last_uid)| Gap {
                account: account.clone(),
                folder: folder.clone(),
                first_uid,
                last_uid,
            }));
        }
        Ok(Ledger {
            met: outcomes.iter().map(|(_, times)| times).sum(),
            decided: of("decided"),
            copies: of("copy"),
            own_letters: of("own-letter"),
            set_aside: of("set-aside"),
            left_alone: of("left-alone"),
            gaps,
        })
    }
}
