//! The weekly digest: to each recipient once a week, whatever is restarted, and never again; over a real mail server; previewed.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use mail_parser::{MessageParser, MimeHeaders};
use send_triage::calendar::london;
use send_triage::daemon::rounds::{self, Made};

use crate::rounds::{Office, PARENT, QUESTION, subject_of, text_of};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team};
use crate::support::wire::StoredMail;

const HEAD: &str = "head@council.example";
const SETTINGS: &str = "digest: {to: [{address: head@council.example, all: true}, {address: east@council.example, areas: [east]}]}\n";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Days around both changes of the clock in three years, and around Easter and Christmas.
fn awkward_days() -> Vec<NaiveDate> {
    let spans = [
        ("2026-03-27", "2026-04-08"), // The clock, and Easter.
        ("2026-10-23", "2026-10-27"),
        ("2026-12-24", "2027-01-05"),
        ("2027-03-25", "2027-03-30"), // The clock is changed on Easter Sunday.
        ("2027-10-29", "2027-11-02"),
        ("2028-03-24", "2028-03-28"),
        ("2028-04-14", "2028-04-19"),
        ("2028-10-27", "2028-10-31"),
    ];
    let days = |(from, to): (&str, &str)| {
        let to = day(to);
        day(from).iter_days().take_while(move |on| *on <= to).collect::<Vec<_>>()
    };
    spans.into_iter().flat_map(days).collect()
}

#[tokio::test(start_paused = true)]
async fn it_goes_out_once_a_week_through_restarts_at_every_minute() {
    let office = Office::new(SETTINGS).taken_into_use("2026-03-02T10:00:00Z").await;
    let records = office.records();
    let calendar = office.in_force.now().policy.calendar.clone();
    let mut sent: Vec<DateTime<Utc>> = Vec::new();
    for on in awkward_days() {
        let midnight = london::instant(on, NaiveTime::MIN);
        // Every minute of the day until nine; a Sunday on which the clock is changed has an hour more or less.
        for minute in (0..26 * 60).filter(|minute| *minute < 10 * 60 || minute % 30 == 0) {
            let now = midnight + TimeDelta::minutes(minute);
            if london::date(now) != on {
                break;
            }
            office.clock.0.set(now);
            if minute % 30 == 0 {
                records.seen_alive("general", "INBOX", now).unwrap();
            }
            // Each is a start of its own: nothing is remembered but the record.
            let written = office.with(&records, |world| rounds::make(world, &mut Made::default()).unwrap());
            assert!(written == 0 || written == 2, "to both or to nobody: {written}");
            sent.extend((written == 2).then_some(now));
        }
    }
    let mut expected = Vec::new();
    for on in awkward_days() {
        let is_first =
            (0..7).map(|back| on - chrono::Days::new(back)).find(|day| day.weekday() == chrono::Weekday::Mon);
        let monday = is_first.unwrap();
        let first = monday.iter_days().find(|day| calendar.is_working_day(*day)).unwrap();
        // On the first day of a span, what was due in the days before is caught up with.
        let caught_up = calendar.is_working_day(on) && !awkward_days().contains(&(on - chrono::Days::new(1)));
        if first == on || (caught_up && !expected.iter().any(|(week, _)| *week == monday)) {
            expected.push((monday, london::instant(on, "08:00:00".parse().unwrap())));
        }
    }
    let expected: Vec<_> = expected.into_iter().map(|(_, at)| at).collect();
    assert_eq!(sent, expected);
}

#[tokio::test(start_paused = true)]
async fn after_a_week_without_the_program_it_comes_once_about_the_last_whole_week_and_says_so() {
    let mut office = Office::new(SETTINGS).taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-02T11:00:00Z", PARENT, QUESTION).await;
    for (now, letters) in [
        ("2026-11-09T07:59:00Z", 0),
        ("2026-11-09T08:00:00Z", 1),
        // Down until Wednesday of the week after next: on Wednesday, once.
        ("2026-11-25T07:30:00Z", 1),
        ("2026-11-25T09:10:00Z", 2),
        ("2026-11-25T09:11:00Z", 2),
        ("2026-11-25T08:01:00Z", 2), // The clock is put back.
        ("2026-11-27T09:00:00Z", 2),
        ("2026-11-30T08:00:00Z", 3),
    ] {
        office.set(now);
        office.run_once().await;
        assert_eq!(office.sent_to(HEAD).len(), letters, "{now}");
    }
    let texts: Vec<String> = office.sent_to(HEAD).iter().map(text_of).collect();
    assert!(texts[0].contains("2 to 8 November 2026") && !texts[0].contains("was due on"), "{}", texts[0]);
    let late = "This digest was due on Monday 23 November 2026.";
    assert!(texts[1].contains(late) && texts[1].contains("16 to 22 November 2026"), "{}", texts[1]);
    assert!(texts[1].contains("There was no digest for the week before"), "{}", texts[1]);
    assert!(!texts[2].contains("program was not running"), "{}", texts[2]);
}

#[tokio::test(start_paused = true)]
async fn after_a_start_the_mailboxes_are_looked_at_before_one_is_said_to_be_away() {
    let office = Office::new(SETTINGS).taken_into_use("2026-11-02T10:00:00Z").await;
    let records = office.records();
    // It runs, and no mailbox has been seen since the second: at once, each look is one too early.
    let mut made = Made::default();
    for (now, written) in
        [("2026-11-23T09:00:00Z", 0), ("2026-11-23T09:14:00Z", 0), ("2026-11-23T09:15:00Z", 2)]
    {
        office.set(now);
        assert_eq!(office.with(&records, |world| rounds::make(world, &mut made).unwrap()), written, "{now}");
    }
    let office = Office::new(SETTINGS).taken_into_use("2026-11-02T10:00:00Z").await;
    let records = office.records();
    let mut made = Made::default();
    office.set("2026-11-23T09:00:00Z");
    assert_eq!(office.with(&records, |world| rounds::make(world, &mut made).unwrap()), 0);
    records.seen_alive("general", "INBOX", "2026-11-23T09:01:00Z".parse().unwrap()).unwrap();
    office.set("2026-11-23T09:01:00Z");
    assert_eq!(office.with(&records, |world| rounds::make(world, &mut made).unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_week_before_the_program_was_taken_into_use_has_none() {
    let mut office = Office::new(SETTINGS).taken_into_use("2026-11-25T10:00:00Z").await;
    office.set("2026-11-26T09:00:00Z");
    office.run_once().await;
    assert!(office.sent_to(HEAD).is_empty(), "on the Thursday of its first week");
    office.set("2026-11-30T08:00:00Z");
    office.run_once().await;
    assert_eq!(office.sent_to(HEAD).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_digest_names_nobody_unless_its_reader_may_see_names() {
    let settings = "digest: {to: [{address: head@council.example, all: true}, {address: team@council.example, all: true, names: true}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-02T11:00:00Z", PARENT, QUESTION).await;
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    let head = text_of(&office.sent_to(HEAD)[0]);
    assert!(head.contains("SEND-") && !head.contains("parent.1") && !head.contains("Letter 1"), "{head}");
    let team = text_of(&office.sent_to("team@council.example")[0]);
    assert!(team.contains("parent.1@home.example") && team.contains("Letter 1"), "{team}");
}

#[tokio::test(start_paused = true)]
async fn each_manager_is_told_of_their_own_cases() {
    let settings = "digest: {to: [{address: head@council.example, all: true}, {address: west@council.example, queues: [annual-review-west]}]}\n";
    let mut office = Office::new(settings).taken_into_use("2026-11-02T10:00:00Z").await;
    office.arrives("2026-11-02T11:00:00Z", PARENT, QUESTION).await;
    office.set("2026-11-23T08:00:00Z");
    office.run_once().await;
    assert!(
        subject_of(&office.sent_to(HEAD)[0]).contains("1 overdue"),
        "{}",
        subject_of(&office.sent_to(HEAD)[0])
    );
    let west = &office.sent_to("west@council.example")[0];
    assert!(!text_of(west).contains("SEND-") && text_of(west).contains("quiet week"), "{}", text_of(west));
}

/// The parts of a stored email, by type.
fn parts(mail: &StoredMail) -> Vec<String> {
    let message = MessageParser::new().parse(&mail.raw).unwrap();
    let kind = |part: &mail_parser::MessagePart<'_>| {
        part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
    };
    message.parts.iter().filter_map(kind).collect()
}

#[test]
fn it_is_sent_through_a_real_server_and_lies_whole_in_the_readers_inbox() {
    let servers = MailServers::start(Setup { more_users: vec!["head".to_owned()], ..Setup::default() });
    let more = "digest: {to: [{address: head@hertfordshire.example, all: true}]}\n".to_owned();
    let team = Team::new(&servers, &Plan { more, ..Plan::default() });
    let digest = |more: &[&str]| {
        let mut arguments = vec!["digest", "--config", "send-triage.yaml"];
        arguments.extend(more);
        Program::run(team.dir(), &arguments)
    };
    let program = team.start_and_take_into_use(2);
    program.signal("TERM");
    program.finish();

    let sent = digest(&["--send"]);
    assert_eq!(sent.code, Some(0), "{}{}", sent.stdout, sent.stderr);
    let letter = servers.wait_for("head", "INBOX", 1).remove(0);
    assert_eq!(letter.header("auto-submitted").as_deref(), Some("auto-generated"));
    assert!(letter.header("subject").unwrap().starts_with("SEND digest: "));
    let kinds = parts(&letter);
    assert!(kinds.contains(&"text/plain".to_owned()) && kinds.contains(&"text/html".to_owned()), "{kinds:?}");

    let again = digest(&["--send"]);
    assert!(again.stdout.contains("has had the digest of this week"), "{}", again.stdout);
    let again = digest(&["--send", "--again"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(servers.wait_for("head", "INBOX", 2).len(), 2);
    let early = digest(&["--send", "--week", &Utc::now().date_naive().to_string()]);
    assert_eq!(early.code, Some(1), "{}", early.stdout);
    assert!(early.stderr.contains("can be sent after it"), "{}", early.stderr);
}

#[test]
fn the_preview_shows_what_would_be_sent_and_sends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let done = Program::run(dir.path(), &["digest", "--sample", "--preview", "look"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let busy = dir.path().join("look/service.leadership@hertfordshire.example/busy");
    for file in ["digest.eml", "digest.html", "digest.txt", "on-time.png", "open-by-age.png", "by-queue.png"]
    {
        assert!(busy.join(file).exists(), "{file}");
    }
    let html = std::fs::read_to_string(busy.join("digest.html")).unwrap();
    assert!(html.contains("src=\"on-time.png\"") && !html.contains("cid:"));
    assert!(done.stdout.contains("6 overdue"), "{}", done.stdout);
    let neither = Program::run(dir.path(), &["digest"]);
    assert_eq!(neither.code, Some(2));
}
