//! Letters to staff over real servers: a referral and a briefing lie in staff's own inboxes, the team's mailbox does not take
//! our letter for mail to it, and the sender is acknowledged like anybody else.

use mail_parser::MessageParser;

use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::wait_until;
use crate::support::wire::StoredMail;

const GENERAL: &str = "send.general@hertfordshire.example";
const QUESTION: &str = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?";
const ABUSE: &str = "I know where you live and you will regret this.";
const COMPLAINT: &str = "Hello,\n\nI wish to make a formal complaint about the SEND service.\n\nCarla";

fn send(servers: &MailServers, from: &str, id: &str, words: &str) {
    let header = format!("Parent <{from}@inbox.example>");
    servers.send(
        &format!("{from}@inbox.example"),
        &[GENERAL],
        &letter(&header, GENERAL, "Our coordinator", &format!("{id}@inbox.example"), words),
    );
}

/// What a reader sees.
fn body(mail: &StoredMail) -> String {
    MessageParser::new().parse(&mail.raw).unwrap().body_text(0).unwrap().into_owned()
}

/// The acknowledgement in somebody's inbox, without the reference of the case, which differs.
fn acknowledged(servers: &MailServers, user: &str, team: &Team) -> String {
    let answer = wait_until("an acknowledgement", || {
        let mail = servers.mailbox(user, "INBOX");
        acknowledgements(&mail).first().map(|answer| body(answer))
    });
    let references: Vec<String> =
        team.cases().iter().map(|case| case["reference"].as_str().unwrap().to_owned()).collect();
    references.iter().fold(answer, |text, reference| text.replace(reference.as_str(), "REFERENCE"))
}

#[test]
fn a_referral_and_a_briefing_reach_staff_and_the_sender_learns_nothing_of_it() {
    let servers = MailServers::start(Setup { more_users: vec!["head".to_owned()], ..Setup::default() });
    let more = "referrals: {to: [head@hertfordshire.example]}\n".to_owned();
    let team = Team::new(&servers, &Plan { accounts: 5, more, ..Plan::default() });
    let _program = team.start_and_take_into_use(5);
    send(&servers, "parent.a", "abuse", &format!("{QUESTION} {ABUSE}"));
    send(&servers, "parent.b", "question", QUESTION);
    send(&servers, "senco", "complaint", COMPLAINT);

    // The test may run at night, when such letters wait for the morning: it is made morning for them.
    let db = rusqlite::Connection::open(team.database()).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    wait_until("a referral and a briefing", || {
        let notices = "SELECT count(*) FROM letters WHERE kind = 'notice'";
        (db.query_row(notices, [], |row| row.get::<_, i64>(0)).unwrap() == 2).then_some(())
    });
    db.execute("UPDATE effects SET not_before = 0 WHERE state = 'pending'", []).unwrap();
    send(&servers, "robot", "another", QUESTION); // Its acknowledgement wakes the post.

    let referral = servers.wait_for("head", "INBOX", 1).remove(0);
    let briefing = servers.wait_for("send.resolution", "INBOX", 1).remove(0);
    for (letter, words) in [(&referral, "email h"), (&briefing, "First response by")] {
        let text = body(letter);
        assert!(text.contains(words) && !text.contains("parent.a") && !text.contains("regret"), "{text}");
        assert_eq!(letter.header("auto-submitted").as_deref(), Some("auto-generated"));
    }
    wait_until("four cases", || (team.cases().len() == 4).then_some(()));
    assert_eq!(
        acknowledged(&servers, "parent.a", &team),
        acknowledged(&servers, "parent.b", &team),
        "the same words to both"
    );
    servers.wait_for_empty_queue();
    assert_eq!(
        servers.mailbox("send.resolution", "INBOX").len(),
        1,
        "our letter stays where the team reads it"
    );
    assert_eq!(team.cases().len(), 4, "and opens no case");
    assert_eq!(servers.mailbox("parent.a", "INBOX").len(), 1);
}
