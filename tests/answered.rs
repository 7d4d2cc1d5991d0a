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
    let team = Team::new(&servers, &plan());
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
    assert!(events(&team, &case).iter().any(|what| what == "not-counted"), "{:?}", events(&team, &case));

    // Word that more time is needed extends the date, visibly.
    let hold = "We need more time to find out. I will get back to you within 20 working days.\n\nJo";
    put_into_sent(&servers, &by_staff(to, "Re: Who?", "a4", "q1@inbox.example", "", hold));
    let extended = until_state(&team, "extended");
    assert!(extended["due_on"].as_str() > case["due_on"].as_str());

    put_into_sent(&servers, &by_staff(to, "Re: Who?", "a5", "q1@inbox.example", "", "It is Jo Bloggs.\n\nJo"));
    let answered = until_state(&team, "answered");
    assert_eq!(answered["in_time"], true, "{answered}");
    assert_eq!(team.cases().len(), 1, "what staff write opens no case");
    assert_eq!(servers.mailbox("send.general", "Sent").len(), 6, "nothing was moved");
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 1, "and nobody was acknowledged for it");
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
