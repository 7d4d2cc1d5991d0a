//! Staff answer from their own mail programs, over real servers: what counts as an answer, and what does not.

use serde_json::Value;

use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wait_until;

const GENERAL: &str = "send.general@hertfordshire.example";
const PARENT: &str = "Anna Parent <parent.a@inbox.example>";
const QUESTION: &str = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";

fn plan() -> Plan {
    Plan { accounts: 1, poll_seconds: 1, ..Plan::default() }
}

/// A message by staff, as their mail program writes it.
fn by_staff(to: &str, subject: &str, id: &str, answers: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Jo Bloggs <jo.bloggs@hertfordshire.example>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@hertfordshire.example>\r\nIn-Reply-To: <{answers}>\r\nReferences: <{answers}>\r\n{more}Date: Mon, 2 Nov 2026 11:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\r\nOn 2 November 2026, Anna Parent wrote:\r\n> Please can you tell me who our EHC coordinator is now?\r\n",
        body.replace('\n', "\r\n")
    )
    .into_bytes()
}

/// Puts a message into the Sent folder of the team's mailbox, as a mail program does after sending it.
fn put_into_sent(servers: &MailServers, raw: &[u8]) {
    let mut session = servers.imap("send.general");
    let now = chrono::Utc::now().format("%d-%b-%Y %H:%M:%S +0000").to_string();
    wait_until("a Sent folder", || session.append("Sent", &now, raw).ok());
}

fn ask(servers: &MailServers, id: &str) {
    servers.send("parent.a@inbox.example", &[GENERAL], &letter(PARENT, GENERAL, "Who?", id, QUESTION));
}

fn until_state(team: &Team, state: &str) -> Value {
    wait_until(&format!("a case that is {state}"), || {
        team.cases().into_iter().find(|case| case["state"] == state)
    })
}

fn events(team: &Team, case: &Value) -> Vec<String> {
    let shown = team.case(case["reference"].as_str().unwrap());
    let events = shown["events"].as_array().unwrap();
    events.iter().map(|event| event["what"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_answer_in_the_sent_folder_closes_the_case_in_time_and_nothing_else_does() {
    let servers = MailServers::start(Setup::default());
    let more = "passed_on: {tell_sender: true, teams: {transport@hertfordshire.example: the school transport team}}\n";
    let team = Team::new(&servers, &Plan { more: more.to_owned(), ..plan() });
    let _program = team.start_and_take_into_use(1);
    ask(&servers, "q1@inbox.example");
    servers.wait_for("parent.a", "INBOX", 1);
    servers.wait_for("send.general", "Sent", 1);

    // An absence note, an answer to somebody else, and a forward to a colleague are no answers.
    let to = PARENT;
    let absent = "Auto-Submitted: auto-replied\r\n";
    put_into_sent(&servers, &by_staff(to, "Out of office", "a1", "q1@inbox.example", absent, "I am away."));
    let other = "Ben <parent.b@inbox.example>";
    put_into_sent(&servers, &by_staff(other, "Re: Who?", "a2", "q1@inbox.example", "", "It is Jo Bloggs."));
    let colleague = "transport@hertfordshire.example";
    put_into_sent(&servers, &by_staff(colleague, "FW: Who?", "a3", "q1@inbox.example", "", "One for you."));
    let case = wait_until("the forward to be recorded", || {
        team.cases().into_iter().find(|case| events(&team, case).iter().any(|what| what == "passed-on"))
    });
    assert_eq!(case["state"], "open");
    let told = servers.wait_for("parent.a", "INBOX", 2).remove(1);
    assert!(told.text().contains("the school transport team"), "{}", told.text());
    assert!(!told.text().contains("transport@") && !told.text().contains("Jo"), "{}", told.text());
    assert!(events(&team, &case).iter().any(|what| what == "not-counted"), "{:?}", events(&team, &case));

    // Word that more time is needed extends the date, visibly.
    let hold = "We need more time to find out. I will get back to you within 20 working days.\n\nJo";
    put_into_sent(&servers, &by_staff(to, "Re: Who?", "a4", "q1@inbox.example", "", hold));
    let extended = until_state(&team, "extended");
    assert!(extended["due_on"].as_str() > case["due_on"].as_str());

    put_into_sent(
        &servers,
        &by_staff(to, "Re: Who?", "a5", "q1@inbox.example", "", "It is Jo Bloggs.\n\nJo"),
    );
    let answered = until_state(&team, "answered");
    assert_eq!(answered["in_time"], true, "{answered}");
    assert_eq!(team.cases().len(), 1, "what staff write opens no case");
    assert_eq!(servers.mailbox("send.general", "Sent").len(), 6, "nothing was moved");
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 2, "and nobody was acknowledged for it");
}

#[test]
fn an_answer_that_is_copied_to_the_mailbox_counts_and_so_does_one_met_before_its_question() {
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &plan());
    let program = team.start_and_take_into_use(1);
    ask(&servers, "q1@inbox.example");
    servers.wait_for("send.general", "Sent", 1);
    let copied = format!("Cc: {GENERAL}\r\n");
    let raw = by_staff(PARENT, "Re: Who?", "b1", "q1@inbox.example", &copied, "It is Jo Bloggs.\n\nJo");
    servers.send("jo.bloggs@hertfordshire.example", &["parent.a@inbox.example", GENERAL], &raw);
    until_state(&team, "answered");
    assert_eq!(servers.wait_for("send.general", "INBOX", 1).len(), 1, "what staff write stays where it is");

    put_into_sent(&servers, &by_staff(PARENT, "Re: Who?", "b2", "q2@inbox.example", "", "It is Jo.\n\nJo"));
    wait_until("the reply to be recorded", || {
        (program.stderr().matches("no answer is owed").count() >= 1).then_some(())
    });
    ask(&servers, "q2@inbox.example");
    wait_until("both answered", || {
        let cases = team.cases();
        (cases.len() == 2 && cases.iter().all(|case| case["state"] == "answered")).then_some(())
    });
}

/// Moves the only message of a folder, as dragging it does.
fn drag(servers: &MailServers, from: &str, to: &str) {
    let mut session = servers.imap("send.general");
    let _ = session.command(&format!("CREATE \"{to}\""));
    session.command(&format!("SELECT \"{from}\"")).unwrap();
    session.command(&format!("UID MOVE 1:* \"{to}\"")).unwrap();
}

fn until_case(team: &Team, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    wait_until(what, || team.cases().into_iter().find(|case| holds(case)))
}

#[test]
fn a_case_follows_its_message_when_staff_drag_it_and_says_so_when_it_is_gone() {
    let servers = MailServers::start(Setup::default());
    let more =
        "alerts: {to: [duty@hertfordshire.example], out_of_hours: true}\nmoves: {look_every_seconds: 1}\n";
    let team = Team::new(&servers, &Plan { more: more.to_owned(), ..plan() });
    let program = team.start_and_take_into_use(1);
    ask(&servers, "q1@inbox.example");
    servers.wait_for("send.general", "Triage/general", 1);
    let before = until_case(&team, "the case", |case| case["urgency"] == "standard");
    let due = before["due_on"].clone();

    drag(&servers, "Triage/general", "Triage/general/Urgent");
    let urgent = until_case(&team, "an urgent case", |case| case["urgency"] == "urgent");
    assert!(urgent["first_response_on"].is_string(), "{urgent}");
    let alert = servers.wait_for("duty", "INBOX", 1).remove(0);
    assert!(alert.text().contains(urgent["reference"].as_str().unwrap()));

    drag(&servers, "Triage/general/Urgent", "Triage/Automatic");
    until_state(&team, "closed");
    drag(&servers, "Triage/Automatic", "Triage/assessment");
    let back = until_case(&team, "the case open again", |case| case["state"] == "open");
    assert_eq!((back["queue"].as_str(), &back["due_on"]), (Some("assessment"), &due));

    // While the server is away, and when UIDs lose their meaning, nothing is missing.
    servers.change_uid_validity("send.general", "Triage/assessment", 77);
    servers.stop_imap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    servers.start_imap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(team.cases()[0]["missing_since"].is_null());

    drag(&servers, "Triage/assessment", "Elsewhere");
    let gone = until_case(&team, "a case that misses its message", |case| !case["missing_since"].is_null());
    assert_eq!(gone["state"], "open", "an answer is owed all the same");
    drag(&servers, "Elsewhere", "Triage/assessment");
    until_case(&team, "the message found again", |case| case["missing_since"].is_null());
    let shown = team.case(gone["reference"].as_str().unwrap());
    let events = shown["events"].as_array().unwrap();
    let corrected = events.iter().find(|event| event["what"] == "corrected").unwrap();
    assert_eq!(
        (corrected["actor"].as_str(), corrected["detail"]["why"].as_str()),
        (Some("staff"), Some("moved by staff"))
    );
    drop(program);
}
