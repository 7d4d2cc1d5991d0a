//! One journey, made with three servers: Dovecot, Cyrus and Courier, each with its own delivery, folders and passwords, and all
//! by the same code. What differs between them stands in `docs/servers.md`; what is the same is here.

use std::collections::BTreeMap;

use crate::support::another_imap::{Kind, Office};
use crate::support::few_rules::{self, FOR_ASSESSMENT, QUESTION, URGENT};
use crate::support::program::Program;
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::wait_until;
use crate::support::wire::{StoredMail, utf7};

const GENERAL: &str = "send.general@hertfordshire.example";
const OURS: &str = "send.general";
const THEIRS: &str = "send.assessment";
/// Where letters to parents arrive: none of them has an account of their own.
const PARENTS: &str = "sink";
/// A folder whose name IMAP writes in a form of its own, and so do servers.
const FOLDER: &str = "Triage/Prüfung & Café";

struct Scene {
    office: Office,
    team: Team,
    arrived: usize,
}

impl Scene {
    fn new(kind: Kind, plan: Plan) -> Self {
        let office = Office::start(kind);
        let plan = Plan { poll_seconds: 1, imap_port: office.plan().imap_port, ..plan };
        let team = Team::new(&office.servers, &plan);
        few_rules::write(&team.dir().join("rules"));
        let written = std::fs::read_to_string(team.config()).unwrap().replace("Triage/general", FOLDER);
        let more = "rules: rules\nacknowledgements: {oldest_hours: 0}\nmoves: {look_every_seconds: 1}\n";
        std::fs::write(team.config(), written + more).unwrap();
        Self { office, team, arrived: 0 }
    }

    /// A parent writes; returns the number of the message.
    fn arrives(&mut self, words: &str) -> usize {
        self.arrived += 1;
        let number = self.arrived;
        let from = format!("Parent {number} <parent.{number}@home.example>");
        let body = format!("Hello,\n\n{words} My number is {number}.\n\nAnna");
        let id = format!("letter.{number}@home.example");
        self.office.deliver(OURS, &letter(&from, GENERAL, &format!("Letter {number}."), &id, &body));
        number
    }

    /// How many letters each message was answered by, counted in the parents' inbox.
    fn answers(&self) -> BTreeMap<usize, usize> {
        self.office.servers.wait_for_empty_queue();
        let mut answers = BTreeMap::new();
        for mail in acknowledgements(&self.office.servers.mailbox(PARENTS, "INBOX")) {
            *answers.entry(number_in(mail.header("in-reply-to"))).or_default() += 1;
        }
        answers
    }

    /// Waits until each of these messages, and no other, was answered once, and its copy lies in Sent.
    #[track_caller]
    fn each_answered_once(&self, expected: &[usize]) {
        let once: BTreeMap<_, _> = expected.iter().map(|number| (*number, 1)).collect();
        wait_until(&format!("answers to {expected:?}"), || {
            (self.answers().len() >= once.len()).then_some(())
        });
        assert_eq!(self.answers(), once);
        let copies = wait_until("copies in Sent", || {
            let mut copies = self.office.mailbox(OURS, "Sent");
            copies.extend(self.office.mailbox(THEIRS, "Sent"));
            let ours = acknowledgements(&copies).into_iter().cloned().collect::<Vec<_>>();
            (ours.len() >= expected.len()).then_some(ours)
        });
        assert_eq!(copies.len(), expected.len());
        assert!(copies.iter().all(|copy| has(copy, "\\Seen")), "our own letters are no news to staff");
    }

    /// Where each message lies outside the inbox; every copy.
    fn filed(&self, user: &str) -> BTreeMap<usize, Vec<(String, StoredMail)>> {
        let mut filed: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (folder, mail) in self.office.filed(user) {
            filed.entry(number_in(mail.header("message-id"))).or_default().push((folder, mail));
        }
        filed
    }

    /// Waits until this message lies in one folder of this user, once, unread.
    #[track_caller]
    fn lies_in(&self, user: &str, number: usize, folder: &str) -> StoredMail {
        let copies =
            wait_until(&format!("message {number} in a folder"), || self.filed(user).remove(&number));
        let folders: Vec<_> = copies.iter().map(|(folder, _)| folder.clone()).collect();
        assert_eq!(folders, [utf7(folder)]);
        let mail = copies.into_iter().next().unwrap().1;
        assert!(!has(&mail, "\\Seen"), "it stays unread: {:?}", mail.flags);
        mail
    }

    fn state(&self, number: usize) -> Option<String> {
        let sender = format!("parent.{number}@home.example");
        let cases = self.team.cases();
        cases.iter().find(|case| case["sender"] == sender).map(|case| case["state"].as_str().unwrap().into())
    }

    /// What must be the same again after a rebuild, by sender.
    fn standing(&self) -> BTreeMap<String, Vec<serde_json::Value>> {
        let keys = ["reference", "state", "queue", "urgency", "due_on", "answered_at"];
        let of = |case: &serde_json::Value| keys.map(|key| case[key].clone()).to_vec();
        self.team.cases().iter().map(|case| (case["sender"].to_string(), of(case))).collect()
    }
}

fn has(mail: &StoredMail, flag: &str) -> bool {
    mail.flags.iter().any(|one| one.eq_ignore_ascii_case(flag))
}

/// `<letter.7@home.example>` is message 7; anything else is 0.
fn number_in(id: Option<String>) -> usize {
    let id = id.unwrap_or_default();
    let number = id.trim_start_matches("<letter.").split_once("@home.example");
    number.and_then(|(number, _)| number.parse().ok()).unwrap_or_default()
}

fn stop(program: Program) {
    program.signal("TERM");
    let end = program.finish();
    assert_eq!(end.code, Some(0), "{}", end.stderr);
}

fn the_whole_journey(kind: Kind) {
    // Without a login: with Dovecot down, Postfix could not ask it whether the password is right.
    let mut scene = Scene::new(kind, Plan { smtp_plain: true, ..Plan::default() });
    let old = [scene.arrives(QUESTION), scene.arrives(URGENT)];
    // Times of receipt are whole seconds, and what comes in the second of the start counts as new.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // Somebody of the team has sent mail before: a fresh account on Courier has no Sent, and is asked about it seldom.
    let sent = scene.office.named("Sent");
    let _ = scene.office.imap(OURS).command(&format!("CREATE {sent}"));
    let daemon = scene.team.start_and_take_into_use(2);

    // Each to its place, answered once, and left unread.
    let quiet = scene.arrives(QUESTION);
    let urgent = scene.arrives(URGENT);
    let passed_on = scene.arrives(FOR_ASSESSMENT);
    scene.each_answered_once(&[quiet, urgent, passed_on]);
    scene.lies_in(OURS, quiet, FOLDER);
    let flagged = scene.lies_in(OURS, urgent, &format!("{FOLDER}/Urgent"));
    assert!(has(&flagged, "\\Flagged"), "{:?}", flagged.flags);
    let delivered = scene.lies_in(THEIRS, passed_on, "Triage/assessment");
    let kept = scene.lies_in(OURS, passed_on, "Triage/Passed on");
    assert_eq!(delivered.raw, kept.raw, "every byte, headers and all");
    assert_eq!(delivered.internal_date, kept.internal_date);

    // Staff answer from their mail program; the copy in Sent tells.
    let answer = format!(
        "From: Jo Bloggs <jo.bloggs@hertfordshire.example>\r\nTo: Parent {quiet} <parent.{quiet}@home.example>\r\nSubject: Re: Letter {quiet}.\r\nMessage-ID: <re.{quiet}@hertfordshire.example>\r\nIn-Reply-To: <letter.{quiet}@home.example>\r\nReferences: <letter.{quiet}@home.example>\r\n\r\nYour coordinator is Pat Example, who will ring you this week.\r\n"
    );
    let now = chrono::Utc::now().format("%d-%b-%Y %H:%M:%S +0000").to_string();
    let sent = scene.office.there("Sent");
    scene.office.imap(OURS).append(&sent, &now, answer.as_bytes()).unwrap();
    wait_until("the case answered", || (scene.state(quiet).as_deref() == Some("answered")).then_some(()));

    // The server breaks down under the daemon, and comes back.
    scene.office.stop();
    daemon.wait_for_log("trying again");
    scene.office.restart();
    let afterwards = scene.arrives(QUESTION);
    scene.each_answered_once(&[quiet, urgent, passed_on, afterwards]);
    scene.lies_in(OURS, afterwards, FOLDER);

    // The daemon is killed; mail comes while it is down.
    daemon.kill();
    let meanwhile = scene.arrives(QUESTION);
    let daemon = scene.team.start();
    scene.each_answered_once(&[quiet, urgent, passed_on, afterwards, meanwhile]);
    scene.lies_in(OURS, meanwhile, FOLDER);
    let inbox: Vec<_> =
        scene.office.mailbox(OURS, "INBOX").iter().map(|mail| number_in(mail.header("message-id"))).collect();
    assert_eq!(inbox, old, "what lay there before stays where it is, and unanswered");
    stop(daemon);

    // The record is lost, and made anew from the mailboxes.
    let before = scene.standing();
    for name in ["record.sqlite", "record.sqlite-wal", "record.sqlite-shm"] {
        let _ = std::fs::remove_file(scene.team.dir().join(name));
    }
    let rebuilt = Program::run(scene.team.dir(), &["rebuild", "--config", "send-triage.yaml"]);
    assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.stdout, rebuilt.stderr);
    for (sender, standing) in scene.standing() {
        if old.iter().all(|number| sender != format!("\"parent.{number}@home.example\"")) {
            assert_eq!(Some(&standing), before.get(&sender), "{sender}");
        }
    }
    let daemon = scene.team.start();
    let last = scene.arrives(QUESTION);
    scene.each_answered_once(&[quiet, urgent, passed_on, afterwards, meanwhile, last]);
    stop(daemon);
}

fn another_uid_validity_answers_nobody_twice(kind: Kind) {
    let mut scene = Scene::new(kind, Plan { accounts: 1, filing: "none", ..Plan::default() });
    let daemon = scene.team.start_and_take_into_use(1);
    let first = [scene.arrives(QUESTION), scene.arrives(URGENT)];
    let answers = |scene: &Scene, count| {
        wait_until("the answers", || (scene.answers().len() >= count).then_some(()));
        assert!(scene.answers().values().all(|answers| *answers == 1), "{:?}", scene.answers());
    };
    answers(&scene, first.len());
    scene.office.change_uid_validity(OURS);
    daemon.wait_for_log("looking at every message again");
    scene.arrives(QUESTION);
    answers(&scene, 3);
    assert_eq!(scene.team.cases().len(), 3);
    assert_eq!(scene.office.mailbox(OURS, "INBOX").len(), 3, "`filing: none` leaves everything in place");
    stop(daemon);
}

macro_rules! with_each {
    ($($scene:ident: $($name:ident $kind:ident),*;)*) => {
        $($(#[test] fn $name() { $scene(Kind::$kind); })*)*
    };
}

// Dovecot's other UIDVALIDITY is `journey::a_changed_uidvalidity_...`.
with_each! {
    the_whole_journey: dovecot_whole_journey Dovecot, cyrus_whole_journey Cyrus, courier_whole_journey Courier;
    another_uid_validity_answers_nobody_twice:
        cyrus_another_uid_validity Cyrus, courier_another_uid_validity Courier;
}
