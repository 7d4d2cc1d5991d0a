//! The real program over real mail servers, killed by SIGKILL at random moments while mail keeps coming. Afterwards the
//! servers are counted, and the record: nothing is lost, nothing is done twice, and whoever has no letter is on a list.
//!
//! As many kills as fit into a minute; `SEND_TRIAGE_KILLS=500` for so many, `SEND_TRIAGE_SEED=7` for other moments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use send_triage::record::{CaseFilter, CaseRow, Records};

use crate::support::fakes::Chance;
use crate::support::few_rules::{self, FOR_ASSESSMENT, QUESTION, URGENT};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wire::StoredMail;
use crate::support::{wait_at_most, wait_until};

const GENERAL: &str = "send.general@hertfordshire.example";
const ASSESSMENT: &str = "send.assessment@hertfordshire.example";
const USERS: [&str; 2] = ["send.general", "send.assessment"];
/// Where letters to parents arrive: none of them has an account of their own.
const PARENTS: &str = "sink";

/// How long to go on where nobody says how often.
const A_MINUTE: Duration = Duration::from_secs(55);

/// What a message is, and so what must become of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    /// Filed where it came to, acknowledged.
    Question,
    /// Likewise, below `Urgent`.
    Urgent,
    /// Came to the general mailbox, and is passed on to another account.
    ForAssessment,
    /// Came to both mailboxes.
    ToBoth,
    /// An automatic reply: filed, never answered.
    Automatic,
}

/// What was done to the program, and what it was doing just then.
#[derive(Default, Debug)]
struct Tally {
    kills: u32,
    with_work_waiting: u32,
    while_a_letter_was_handed_over: u32,
    before_it_was_ready: u32,
}

struct Scene {
    servers: MailServers,
    team: Team,
    chance: Chance,
    sent_in: Vec<Sort>,
    tally: Tally,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let servers = MailServers::start(Setup::default());
        let more = "rules: rules\nacknowledgements: {per_domain_an_hour: 100000, in_all_an_hour: 100000}\n";
        let plan =
            Plan { imap_security: "plain", smtp_plain: true, more: more.to_owned(), ..Plan::default() };
        let team = Team::new(&servers, &plan);
        few_rules::write(&team.dir().join("rules"));
        let chance = Chance::of_seed(seed);
        Self { servers, team, chance, sent_in: Vec::new(), tally: Tally::default() }
    }

    /// A parent writes.
    fn arrives(&mut self) {
        let number = self.sent_in.len();
        let (sort, to, words) = match self.chance.below(8) {
            0 => (Sort::Urgent, vec![USERS[1]], URGENT),
            1 | 2 => (Sort::ForAssessment, vec![USERS[0]], FOR_ASSESSMENT),
            3 => (Sort::ToBoth, USERS.to_vec(), QUESTION),
            4 => (Sort::Automatic, vec![USERS[0]], QUESTION),
            _ => (Sort::Question, vec![USERS[0]], QUESTION),
        };
        let both = format!("{GENERAL}, {ASSESSMENT}");
        let addressed = match to.as_slice() {
            ["send.general"] => GENERAL,
            ["send.assessment"] => ASSESSMENT,
            _ => &both,
        };
        let from = format!("Parent {number} <parent.{number}@home.example>");
        let subject = format!("Letter {number}.");
        let id = format!("letter.{number}@home.example");
        let body = format!("Hello,\n\n{words} My number is {number}.\n\nAnna");
        let mut raw = letter(&from, addressed, &subject, &id, &body);
        if sort == Sort::Automatic {
            raw.splice(0..0, *b"Auto-Submitted: auto-replied\r\n");
        }
        for user in to {
            self.servers.deliver(user, &raw);
        }
        self.sent_in.push(sort);
    }

    /// Runs the program under load and kills it at some moment.
    fn kill_once(&mut self) {
        for _ in 0..self.chance.below(3) {
            self.arrives();
        }
        let program = self.team.start_without_waiting();
        if self.chance.below(2) == 0 {
            // At any moment of its life, the first included.
            let moment = Instant::now() + Duration::from_millis(self.chance.below(900));
            while Instant::now() < moment {
                if self.chance.below(4) == 0 {
                    self.arrives();
                }
                std::thread::sleep(Duration::from_millis(self.chance.below(120)));
            }
        } else {
            // In the thick of it: just after something new has been recorded.
            let known = program.stderr().len();
            self.arrives();
            wait_at_most(Duration::from_secs(5), || {
                program.stderr()[known..].contains("it opens case").then_some(())
            });
            std::thread::sleep(Duration::from_millis(self.chance.below(60)));
        }
        let ready = program.stderr().contains("Started");
        assert_eq!(program.kill().signal, Some(9), "it ended by itself before it was killed");
        self.tally.kills += 1;
        self.tally.before_it_was_ready += u32::from(!ready);
        self.tally.with_work_waiting += u32::from(self.effects("state = 'pending'") > 0);
        self.tally.while_a_letter_was_handed_over += u32::from(self.effects("state = 'sending'") > 0);
    }

    fn record(&self) -> Connection {
        let record = Connection::open(self.team.database()).unwrap();
        record.busy_timeout(Duration::from_secs(10)).unwrap();
        record
    }

    fn effects(&self, which: &str) -> u32 {
        let count = format!("SELECT count(*) FROM effects WHERE {which}");
        self.record().query_row(&count, [], |row| row.get(0)).unwrap()
    }

    /// Lets it do everything that there is to do. Nobody waits for back-off.
    fn let_it_finish(&self) {
        let program = self.team.start();
        let begun = Instant::now();
        let done = || {
            self.record().execute("UPDATE effects SET not_before = 0 WHERE state = 'pending'", []).unwrap();
            let empty = USERS.iter().all(|user| self.servers.mailbox(user, "INBOX").is_empty());
            (empty && self.effects("state IN ('pending', 'sending', 'adrift')") == 0).then_some(())
        };
        wait_at_most(Duration::from_secs(180), done).unwrap_or_else(|| {
            panic!("not everything is done after {:?}:\n{}", begun.elapsed(), program.stderr())
        });
        self.servers.wait_for_empty_queue();
        stop(program);
    }

    /// Where each message lies, by its number: account and folder.
    fn places(&self) -> BTreeMap<usize, Vec<String>> {
        let mut places: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for user in USERS {
            let folders = self.servers.folders(user);
            let mail =
                folders.iter().flat_map(|f| self.servers.mailbox(user, f).into_iter().map(move |m| (f, m)));
            for (folder, mail) in mail {
                if let Some(number) = number_in(mail.header("message-id")) {
                    places.entry(number).or_default().push(format!("{user}/{folder}"));
                }
            }
        }
        places
    }

    /// How many letters answer each message, counted in the parents' inbox.
    fn letters(&self) -> BTreeMap<usize, Vec<StoredMail>> {
        let mut letters: BTreeMap<usize, Vec<StoredMail>> = BTreeMap::new();
        for mail in self.servers.mailbox(PARENTS, "INBOX") {
            let number = number_in(mail.header("in-reply-to")).expect("a letter that answers nothing");
            letters.entry(number).or_default().push(mail);
        }
        letters
    }

    fn cases(&self) -> BTreeMap<usize, CaseRow> {
        let records = Records::open(&self.team.database()).unwrap();
        records.integrity().unwrap();
        for ledger in records.ledger().unwrap() {
            assert!(ledger.gaps.is_empty(), "UIDs without an outcome: {ledger:?}");
        }
        let cases = records.cases(&CaseFilter::default()).unwrap();
        let all = cases.len();
        let by_number: BTreeMap<_, _> =
            cases.into_iter().map(|case| (number_of(&case.subject), case)).collect();
        assert_eq!(by_number.len(), all, "two cases for one message");
        by_number
    }
}

fn stop(program: Program) {
    program.signal("TERM");
    let end = program.finish();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
}

/// `<letter.7@home.example>` is message 7.
fn number_in(id: Option<String>) -> Option<usize> {
    id?.trim_start_matches("<letter.").split_once("@home.example")?.0.parse().ok()
}

/// `Letter 7.`
fn number_of(subject: &str) -> usize {
    subject.trim_start_matches("Letter ").trim_end_matches('.').parse().unwrap()
}

/// Each message lies where it belongs, once; what lies elsewhere besides is what the rules of filing put there.
fn check_places(scene: &Scene) {
    let places = scene.places();
    for (number, sort) in scene.sent_in.iter().enumerate() {
        let mut found = places.get(&number).cloned().unwrap_or_default();
        found.sort();
        let expected: &[&[&str]] = match sort {
            Sort::Question => &[&["send.general/Triage/general"]],
            Sort::Urgent => &[
                &["send.assessment/Triage/general/Urgent"],
                &["send.general/Triage/general/Urgent", "send.assessment/Triage/Passed on"],
            ],
            Sort::ForAssessment => &[&["send.assessment/Triage/assessment", "send.general/Triage/Passed on"]],
            // Which copy was met first is chance.
            Sort::ToBoth => &[
                &["send.assessment/Triage/Duplicates", "send.general/Triage/general"],
                &[
                    "send.assessment/Triage/Passed on",
                    "send.general/Triage/Duplicates",
                    "send.general/Triage/general",
                ],
            ],
            Sort::Automatic => &[&["send.general/Triage/Automatic"]],
        };
        let fits = expected.iter().any(|expected| {
            let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            expected.sort();
            expected == found
        });
        assert!(fits, "message {number} ({sort:?}) lies in {found:?}");
    }
    // Nobody but the program moves anything here: whatever it moved, it knows that it did.
    let gone = "SELECT count(*) FROM events WHERE what = 'gone-before-filing'";
    let gone: u32 = scene.record().query_row(gone, [], |row| row.get(0)).unwrap();
    assert_eq!(gone, 0, "filed, and said to be taken away by somebody");
    let strangers: Vec<_> = places.keys().filter(|number| **number >= scene.sent_in.len()).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// One case and one letter for each, or the list says why there may be none. Returns whose letter is uncertain.
fn check_letters(scene: &Scene) -> BTreeSet<usize> {
    let (letters, cases) = (scene.letters(), scene.cases());
    let mut uncertain = BTreeSet::new();
    for (number, sort) in scene.sent_in.iter().enumerate() {
        let received = letters.get(&number).map_or(0, Vec::len);
        let Some(case) = cases.get(&number) else {
            assert_eq!((*sort, received), (Sort::Automatic, 0), "message {number} has no case");
            continue;
        };
        assert_ne!(*sort, Sort::Automatic, "message {number}");
        assert!(case.due_on.is_some(), "message {number} has no date");
        match case.acknowledgement.as_str() {
            "sent" => assert_eq!(received, 1, "message {number}: the record says sent"),
            "uncertain" => {
                assert!(received <= 1, "message {number} was answered {received} times");
                uncertain.insert(number);
            }
            other => panic!("message {number} ({sort:?}): {other}, {received} letters"),
        }
    }
    for user in USERS {
        let ids: Vec<_> =
            scene.servers.mailbox(user, "Sent").iter().filter_map(|m| m.header("message-id")).collect();
        let once: BTreeSet<_> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "two copies of one letter in {user}/Sent");
    }
    uncertain
}

/// What a server does that keeps a copy of everything submitted: puts the letters that did arrive into Sent. The program
/// then finds them, and knows.
fn keep_copies(scene: &Scene, uncertain: &BTreeSet<usize>) -> BTreeSet<usize> {
    let arrived: BTreeMap<_, _> =
        scene.letters().into_iter().filter(|(number, _)| uncertain.contains(number)).collect();
    for mail in arrived.values().flatten() {
        let user = if mail.header("from").unwrap().contains(ASSESSMENT) { USERS[1] } else { USERS[0] };
        scene.servers.append(user, "Sent", "02-Nov-2026 09:00:00 +0000", &mail.raw);
    }
    let looked_for = "UPDATE effects SET not_before = 0 WHERE state = 'uncertain'";
    scene.record().execute(looked_for, []).unwrap();
    let program = scene.team.start();
    let unsettled = u32::try_from(uncertain.len() - arrived.len()).unwrap();
    wait_until("letters that are in Sent are known to be sent", || {
        (scene.effects("kind = 'acknowledge' AND state = 'uncertain'") == unsettled).then_some(())
    });
    stop(program);
    uncertain.iter().filter(|number| !arrived.contains_key(number)).copied().collect()
}

#[test]
fn killed_at_random_moments_under_load_nothing_is_lost_and_nothing_done_twice() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let (wanted, seed) = (number("SEND_TRIAGE_KILLS"), number("SEND_TRIAGE_SEED").unwrap_or(1));
    let mut scene = Scene::new(seed);
    stop(scene.team.start_and_take_into_use(2));

    let begun = Instant::now();
    let enough = |kills: u32| match wanted {
        Some(wanted) => u64::from(kills) >= wanted,
        None => begun.elapsed() > A_MINUTE,
    };
    while !enough(scene.tally.kills) {
        scene.kill_once();
    }
    let took = begun.elapsed();
    scene.let_it_finish();
    check_places(&scene);
    let uncertain = check_letters(&scene);
    let left = keep_copies(&scene, &uncertain);
    assert_eq!(check_letters(&scene), left, "what is in Sent is known to be sent");
    let letters = scene.letters();
    assert!(
        left.iter().all(|number| !letters.contains_key(number)),
        "only letters that never arrived are in doubt"
    );
    println!(
        "seed {seed}: {:?} in {took:?}; {} messages, {} letters; {} in doubt, of them {} found in Sent, {} before a person",
        scene.tally,
        scene.sent_in.len(),
        letters.len(),
        uncertain.len(),
        uncertain.len() - left.len(),
        left.len()
    );
}
