//! The record is lost in the middle of a busy week, and made anew from the mailboxes, over real servers: the same cases, and
//! nobody is answered twice.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Duration, Utc};
use serde_json::Value;

use crate::support::program::{Finished, Program};
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::wait_until;

const GENERAL: &str = "send.general@hertfordshire.example";
const ASSESSMENT: &str = "send.assessment@hertfordshire.example";

/// A week that lies behind us: day 0 is six days ago.
struct Week<'s> {
    servers: &'s MailServers,
    team: &'s Team,
}

impl Week<'_> {
    fn at(day: i64, hour: i64) -> String {
        let midnight = Utc::now().date_naive().and_hms_opt(0, 0, 0).unwrap();
        let at = midnight - Duration::days(6 - day) + Duration::hours(hour);
        at.format("%d-%b-%Y %H:%M:%S +0000").to_string()
    }

    fn comes_in(&self, day: i64, to: &str, from: &str, subject: &str, id: &str, body: &str) {
        let user = to.split('@').next().unwrap();
        let raw = letter(from, to, subject, id, body);
        self.servers.append(user, "INBOX", &Self::at(day, 9), &raw);
    }

    fn answers(&self, day: i64, from: &str, to: &str, id: &str, answered: &str, body: &str) {
        let raw = format!(
            "From: Jo Bloggs <jo.bloggs@hertfordshire.example>\r\nTo: {to}\r\nSubject: Re: yours\r\nMessage-ID: <{id}@hertfordshire.example>\r\nIn-Reply-To: <{answered}>\r\nReferences: <{answered}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        );
        let at = Self::at(day, 15);
        let mut session = self.servers.imap(from);
        wait_until("a Sent folder", || session.append("Sent", &at, raw.as_bytes()).ok());
    }

    /// Waits until everybody is acknowledged, and nothing is left to be filed.
    fn until_quiet(&self, acknowledged: usize) {
        wait_until("copies of all acknowledgements in Sent", || {
            let ours = |user: &str| acknowledgements(&self.servers.mailbox(user, "Sent")).len();
            (ours("send.general") + ours("send.assessment") >= acknowledged).then_some(())
        });
        wait_until("the inboxes empty", || {
            let left = |user: &str| self.servers.mailbox(user, "INBOX").len();
            (left("send.general") + left("send.assessment") == 0).then_some(())
        });
    }

    fn until_state(&self, sender: &str, state: &str) {
        wait_until(&format!("{sender}'s case {state}"), || {
            self.team
                .cases()
                .iter()
                .any(|case| case["sender"] == sender && case["state"] == state)
                .then_some(())
        });
    }
}

/// Everything about the cases that must be the same again, by reference.
fn standing(team: &Team) -> BTreeMap<String, Vec<Value>> {
    let keys = [
        "sender",
        "state",
        "queue",
        "area",
        "urgency",
        "received_at",
        "due_on",
        "first_response_on",
        "answered_at",
        "in_time",
        "step",
        "chasers",
        "extended_from",
    ];
    let of = |case: &Value| keys.map(|key| case[key].clone()).to_vec();
    team.cases().iter().map(|case| (case["reference"].as_str().unwrap().to_owned(), of(case))).collect()
}

fn rebuild(team: &Team, more: &[&str]) -> Finished {
    let mut arguments = vec!["rebuild", "--config", "send-triage.yaml"];
    arguments.extend(more);
    let done = Program::run(team.dir(), &arguments);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    done
}

fn remove_record(team: &Team) {
    for name in ["record.sqlite", "record.sqlite-wal", "record.sqlite-shm"] {
        let _ = std::fs::remove_file(team.dir().join(name));
    }
}

fn drag(servers: &MailServers, user: &str, from: &str, to: &str) {
    let mut session = servers.imap(user);
    let _ = session.command(&format!("CREATE \"{to}\""));
    session.command(&format!("SELECT \"{from}\"")).unwrap();
    session.command(&format!("UID MOVE 1:* \"{to}\"")).unwrap();
}

#[test]
fn a_record_lost_in_a_busy_week_is_made_anew_and_nobody_is_answered_twice() {
    let servers = MailServers::start(Setup::default());
    let more = "acknowledgements: {oldest_hours: 0}\nmoves: {look_every_seconds: 1}\n".to_owned();
    let plan = Plan { poll_seconds: 1, existing: "treat-as-new", more, ..Plan::default() };
    let team = Team::new(&servers, &plan);
    let daemon = team.start_and_take_into_use(2);
    let week = Week { servers: &servers, team: &team };

    let question = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nThank you\nAnna";
    let urgent =
        "Hello,\n\nHe is on a part-time timetable and only doing mornings at school. What can we do?\n\nBen";
    let assessment =
        "Hello,\n\nWe would like to request an EHC needs assessment for a pupil of ours.\n\nThe SENCO";
    week.comes_in(0, GENERAL, "Anna <parent.a@inbox.example>", "Who?", "q1@inbox.example", question);
    week.comes_in(0, GENERAL, "Ben <parent.b@inbox.example>", "Timetable", "q2@inbox.example", urgent);
    week.comes_in(
        0,
        ASSESSMENT,
        "Carol <senco@school.example>",
        "A request",
        "q3@school.example",
        assessment,
    );
    week.comes_in(
        1,
        GENERAL,
        "Dan <parent.d@inbox.example>",
        "Which school",
        "q4@inbox.example",
        &question.replace("EHC coordinator", "case officer"),
    );
    let news = b"From: News <news@letters.example>\r\nTo: send.general@hertfordshire.example\r\nSubject: News\r\nMessage-ID: <n1@letters.example>\r\nList-Id: <news.letters.example>\r\nList-Unsubscribe: <mailto:off@letters.example>\r\nPrecedence: bulk\r\n\r\nAll the news.\r\n";
    servers.append("send.general", "INBOX", &Week::at(1, 10), news);
    week.until_quiet(4);
    let backup = Program::run(team.dir(), &["backup", "tuesday.sqlite", "--config", "send-triage.yaml"]);
    assert_eq!(backup.code, Some(0), "{}", backup.stderr);

    week.answers(
        1,
        "send.general",
        "Anna <parent.a@inbox.example>",
        "a1",
        "q1@inbox.example",
        "It is Jo Bloggs.\r\n\r\nJo",
    );
    week.until_state("parent.a@inbox.example", "answered");
    let hold = "We need more time to find out. I will get back to you within 20 working days.\r\n\r\nJo";
    week.answers(2, "send.general", "Dan <parent.d@inbox.example>", "a2", "q4@inbox.example", hold);
    week.until_state("parent.d@inbox.example", "extended");
    let chases = b"From: Ben <parent.b@inbox.example>\r\nTo: send.general@hertfordshire.example\r\nSubject: Re: Timetable\r\nMessage-ID: <q2b@inbox.example>\r\nIn-Reply-To: <q2@inbox.example>\r\nReferences: <q2@inbox.example>\r\n\r\nHello,\r\n\r\nI have not had a reply to my email yet. Please could you let me know when I will hear from you?\r\n\r\nBen\r\n";
    servers.append("send.general", "INBOX", &Week::at(3, 9), chases);
    week.comes_in(
        3,
        GENERAL,
        "Eve <parent.e@inbox.example>",
        "Transport",
        "q5@inbox.example",
        &question.replace("EHC coordinator", "transport officer"),
    );
    week.comes_in(
        4,
        GENERAL,
        "Fay <parent.f@inbox.example>",
        "Plan",
        "q6@inbox.example",
        &question.replace("EHC coordinator", "plan writer"),
    );
    week.until_quiet(7);
    // Staff make the request urgent by dragging it, throw one email away, and answer one by telephone.
    let lies_in = |user: &str, id: &str| {
        let mut folders = servers.folders(user).into_iter().filter(|folder| folder.starts_with("Triage/"));
        let holds = |folder: &String| {
            servers.mailbox(user, folder).iter().any(|mail| mail.header("message-id").as_deref() == Some(id))
        };
        folders.find(holds).unwrap_or_else(|| panic!("{id} lies in no folder of {user}"))
    };
    drag(
        &servers,
        "send.assessment",
        &lies_in("send.assessment", "<q3@school.example>"),
        "Triage/assessment/Urgent",
    );
    wait_until("the drag followed", || {
        team.cases()
            .iter()
            .any(|case| case["sender"] == "senco@school.example" && case["urgency"] == "urgent")
            .then_some(())
    });
    let thrown_away =
        team.cases().into_iter().find(|case| case["sender"] == "parent.f@inbox.example").unwrap();
    let folder = lies_in("send.general", "<q6@inbox.example>");
    let mut session = servers.imap("send.general");
    session.command(&format!("SELECT \"{folder}\"")).unwrap();
    let mail = servers.mailbox("send.general", &folder);
    let uid = mail
        .iter()
        .find(|mail| mail.header("message-id").as_deref() == Some("<q6@inbox.example>"))
        .unwrap()
        .uid;
    session.command(&format!("UID STORE {uid} +FLAGS (\\Deleted)")).unwrap();
    session.command("EXPUNGE").unwrap();
    let by_telephone =
        team.cases().into_iter().find(|case| case["sender"] == "parent.e@inbox.example").unwrap();
    let reference = by_telephone["reference"].as_str().unwrap();
    let told = ["cases", "answer", reference, "--by", "h.officer", "--config", "send-triage.yaml"];
    assert_eq!(Program::run(team.dir(), &told).code, Some(0));

    daemon.kill();
    let mut before = standing(&team);
    assert_eq!(before.len(), 6, "{before:?}");
    let letters = acknowledgements(&servers.mailbox("parent.a", "INBOX")).len()
        + acknowledgements(&servers.mailbox("parent.b", "INBOX")).len();
    std::fs::copy(team.database(), team.dir().join("kept-beforehand.sqlite")).unwrap();
    // An answer by telephone stands in no mailbox: that is what is lost.
    let telephone = before.get_mut(reference).unwrap();
    (telephone[1], telephone[8], telephone[9]) = ("open".into(), Value::Null, Value::Null);

    // From Tuesday's backup, and from nothing at all.
    for basis in ["tuesday.sqlite", ""] {
        remove_record(&team);
        if !basis.is_empty() {
            std::fs::copy(team.dir().join(basis), team.database()).unwrap();
        }
        let dry = rebuild(&team, &["--dry-run"]);
        assert!(dry.stdout.contains("would be entered"), "{}", dry.stdout);
        let done = rebuild(&team, &[]);
        let mut after = standing(&team);
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{}", done.stdout);
        // Of the one that was thrown away only our letter is left: reference, sender, day; not how it was decided, and its
        // receipt is that of the letter.
        if basis.is_empty() {
            assert!(done.stdout.contains("1 cases are known by our letter alone"), "{}", done.stdout);
        }
        let gone = thrown_away["reference"].as_str().unwrap();
        let (was, is) = (before[gone].clone(), after.remove(gone).unwrap());
        assert_eq!((&is[0], &is[1], &is[6]), (&was[0], &was[1], &was[6]), "sender, state, due");
        for (reference, is) in &after {
            assert_eq!(is, &before[reference], "{reference} from {basis:?}\n{}", done.stdout);
        }
        assert!(no_leftovers(team.dir()), "a file of the rebuilding was left behind");
    }

    // Mail that came meanwhile is new; everybody else has been answered.
    let raw = letter("Gus <parent.a@later.example>", GENERAL, "Hello", "q7@later.example", question);
    servers.deliver("send.general", &raw);
    let _daemon = team.start();
    wait_until("the new one acknowledged", || {
        let inbox = servers.mailbox("parent.a", "INBOX");
        inbox
            .iter()
            .any(|mail| mail.header("in-reply-to").as_deref() == Some("<q7@later.example>"))
            .then_some(())
    });
    wait_until("the inboxes empty", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));
    assert_eq!(team.cases().len(), 7);
    let now = acknowledgements(&servers.mailbox("parent.a", "INBOX")).len()
        + acknowledgements(&servers.mailbox("parent.b", "INBOX")).len();
    assert_eq!(now, letters + 1, "nobody was answered twice");
    // And what was done before goes on: an answer in Sent closes the case that was rebuilt.
    week.answers(
        5,
        "send.general",
        "Ben <parent.b@inbox.example>",
        "a9",
        "q2@inbox.example",
        "Please ring the school.\r\n\r\nJo",
    );
    week.until_state("parent.b@inbox.example", "answered");
}

fn no_leftovers(dir: &Path) -> bool {
    let names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    !names.iter().any(|name| {
        name.ends_with(".rebuild") || name.contains(".part") || name.contains("send-triage-rebuild")
    })
}
