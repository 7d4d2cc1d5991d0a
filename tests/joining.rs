//! Which case an email belongs to, over real servers: chasers in time and after it, thank-yous, the same words sent again,
//! forged references, separated parents, and a letter to a director. Days pass by the date of receipt (INTERNALDATE).

use chrono::{Duration, NaiveDate, Utc};

use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, acknowledgements, letter};
use crate::support::wait_until;
use crate::support::wire::StoredMail;

const GENERAL: &str = "send.general@hertfordshire.example";
const ANNA: &str = "Anna Parent <parent.a@inbox.example>";
const BEN: &str = "Ben Parent <parent.b@inbox.example>";
const QUESTION: &str = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";

/// A team that reads mail of any age as new.
struct Scene {
    servers: MailServers,
    team: Team,
    _program: Program,
}

impl Scene {
    fn new() -> Self {
        let servers = MailServers::start(Setup::default());
        let more = "acknowledgements: {oldest_hours: 0}\n".to_owned();
        let plan = Plan { accounts: 1, existing: "treat-as-new", poll_seconds: 1, more, ..Plan::default() };
        let team = Team::new(&servers, &plan);
        let program = team.start_and_take_into_use(1);
        Self { servers, team, _program: program }
    }

    /// A message that was received so many days ago.
    fn receive(&self, days_ago: i64, raw: &[u8]) {
        let at = (Utc::now() - Duration::days(days_ago)).format("%d-%b-%Y %H:%M:%S +0000").to_string();
        self.servers.append("send.general", "INBOX", &at, raw);
    }

    /// What this parent was sent, once there are so many letters.
    fn letters(&self, user: &str, count: usize) -> Vec<StoredMail> {
        self.servers.wait_for(user, "INBOX", count)
    }

    /// Waits until the inbox is empty and so many messages are filed; the folders, sorted.
    fn filed(&self, count: usize) -> Vec<String> {
        wait_until(&format!("{count} messages filed"), || {
            let mut all = Vec::new();
            for folder in self.servers.folders("send.general") {
                if folder.starts_with("Triage") {
                    let mail = self.servers.mailbox("send.general", &folder).len();
                    all.extend(std::iter::repeat_n(folder, mail));
                }
            }
            all.sort();
            (all.len() == count && self.servers.mailbox("send.general", "INBOX").is_empty()).then_some(all)
        })
    }

    fn case_of(&self, sender: &str) -> serde_json::Value {
        let cases = self.team.cases();
        let mut own = cases.into_iter().filter(|case| case["sender"] == sender);
        own.next().expect("a case of this sender")
    }
}

/// A reply, with the ids that it claims to answer.
fn reply(from: &str, subject: &str, id: &str, answers: &[&str], body: &str) -> Vec<u8> {
    let refers: Vec<String> = answers.iter().map(|id| format!("<{}>", id.trim_matches(['<', '>']))).collect();
    let head =
        format!("In-Reply-To: {}\r\nReferences: {}\r\nFrom: ", refers.last().unwrap(), refers.join(" "));
    let raw = String::from_utf8(letter(from, GENERAL, subject, id, body)).unwrap();
    raw.replacen("From: ", &head, 1).into_bytes()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn day(value: &serde_json::Value) -> NaiveDate {
    text(value).parse().unwrap()
}

/// The words of a letter, on one line.
fn words(letter: &StoredMail) -> String {
    letter.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_chaser_in_time_joins_its_case_keeps_the_date_and_is_told_so() {
    let scene = Scene::new();
    scene.receive(8, &letter(ANNA, GENERAL, "Our coordinator", "q@inbox.example", QUESTION));
    let first = scene.letters("parent.a", 1).remove(0);
    let before = scene.case_of("parent.a@inbox.example");
    let chaser = "Hello,\n\nI know it has only been a few days, but is there any news on my email?\n\nAnna";
    let ours = first.header("message-id").unwrap();
    scene.receive(
        0,
        &reply(ANNA, "Re: We have your email", "c@inbox.example", &["q@inbox.example", &ours], chaser),
    );
    let second =
        scene.letters("parent.a", 2).into_iter().find(|mail| mail.header("message-id") != Some(ours.clone()));
    let told = words(&second.unwrap());
    let after = scene.case_of("parent.a@inbox.example");
    assert_eq!(scene.team.cases().len(), 1);
    assert_eq!((&after["due_on"], &after["step"]), (&before["due_on"], &1.into()));
    assert_eq!((&after["chasers"], &after["messages"]), (&1.into(), &2.into()));
    let due = day(&before["due_on"]).format("%A %-d %B %Y").to_string();
    assert!(told.contains(text(&before["reference"])) && told.contains(&due), "{told}");
    assert!(
        told.contains("Thank you for writing again") && told.contains("has not changed the date"),
        "{told}"
    );
    assert_eq!(scene.filed(2), ["Triage/general", "Triage/general"]);
}

#[test]
fn a_chaser_after_its_time_joins_and_begins_step_2() {
    let scene = Scene::new();
    scene.receive(24, &letter(ANNA, GENERAL, "Our coordinator", "q@inbox.example", QUESTION));
    scene.letters("parent.a", 1);
    let before = scene.case_of("parent.a@inbox.example");
    let chaser = "Hello,\n\nI have had no reply to my email. Please let me know what is happening.\n\nAnna";
    scene.receive(0, &reply(ANNA, "Re: Our coordinator", "c@inbox.example", &["q@inbox.example"], chaser));
    let told = scene.letters("parent.a", 2);
    let told = told.iter().map(words).find(|text| text.contains("writing again")).unwrap();
    let after = scene.case_of("parent.a@inbox.example");
    assert_eq!(scene.team.cases().len(), 1);
    assert_eq!((&after["due_on"], &after["step"]), (&before["due_on"], &2.into()));
    assert!(day(&after["step_due_on"]) > Utc::now().date_naive());
    let by = day(&after["step_due_on"]).format("%A %-d %B %Y").to_string();
    assert!(told.contains("sorry that this date has passed") && told.contains("a team lead"), "{told}");
    assert!(told.contains(&by), "{told}");
}

#[test]
fn thanks_open_nothing_and_the_same_words_sent_again_are_one_case() {
    let scene = Scene::new();
    scene.receive(3, &letter(ANNA, GENERAL, "Our coordinator", "q@inbox.example", QUESTION));
    let ours = scene.letters("parent.a", 1).remove(0).header("message-id").unwrap();
    let thanks = "Dear team,\n\nThank you for your quick reply. Have a lovely weekend.\n\nKind regards\nAnna";
    scene.receive(2, &reply(ANNA, "Re: We have your email", "t@inbox.example", &[&ours], thanks));
    scene.receive(1, &letter(ANNA, GENERAL, "Our coordinator", "again@inbox.example", QUESTION));
    scene.filed(3);
    let case = scene.case_of("parent.a@inbox.example");
    assert_eq!((scene.team.cases().len(), &case["messages"], &case["chasers"]), (1, &3.into(), &0.into()));
    let question = "Hello,\n\nAnother question: can you tell me how we apply for transport?\n\nAnna";
    scene.receive(0, &reply(ANNA, "Re: We have your email", "n@inbox.example", &[&ours], question));
    scene.letters("parent.a", 2);
    let cases = scene.team.cases();
    assert_eq!(cases.len(), 2, "a new question in an old thread has its own date");
    let new = cases.iter().find(|other| other["reference"] != case["reference"]).unwrap();
    assert!(day(&new["due_on"]) > day(&case["due_on"]));
    let new = scene.team.case(text(&new["reference"]));
    assert_eq!(new["links"][0]["reference"], case["reference"]);
    scene.servers.wait_for_empty_queue();
    assert_eq!(acknowledgements(&scene.servers.mailbox("parent.a", "INBOX")).len(), 2);
}

#[test]
fn one_familys_mail_never_joins_anothers_case_whatever_it_forges() {
    let scene = Scene::new();
    scene.receive(5, &letter(ANNA, GENERAL, "Tom Parent", "qa@inbox.example", QUESTION));
    let ours = scene.letters("parent.a", 1).remove(0);
    let case = scene.case_of("parent.a@inbox.example");
    let reference = text(&case["reference"]).to_owned();
    let ours_id = ours.header("message-id").unwrap();
    let body = format!(
        "Hello,\n\nIs there any news on my email? My reference is {reference}.\n\nBen\n\nOn Monday Anna wrote:\n> {}",
        QUESTION.replace('\n', "\n> ")
    );
    let subject = format!("Re: Tom Parent (ref {reference})");
    let forged = reply(BEN, &subject, "qb@inbox.example", &["qa@inbox.example", &ours_id], &body);
    let forged = String::from_utf8(forged).unwrap().replacen(
        "From: ",
        "Thread-Topic: Tom Parent\r\nThread-Index: AdA=\r\nFrom: ",
        1,
    );
    scene.receive(0, forged.as_bytes());
    let told = words(&scene.letters("parent.b", 1).remove(0));
    assert!(!told.contains(&reference), "another family's reference is not told: {told}");
    let own = scene.case_of("parent.b@inbox.example");
    assert_ne!(own["reference"], case["reference"]);
    assert_eq!(scene.case_of("parent.a@inbox.example")["messages"], 1);
    let own = scene.team.case(text(&own["reference"]));
    assert_eq!(own["links"][0]["reference"], case["reference"]);
    assert!(text(&own["links"][0]["why"]).contains("no part in it"));
}

#[test]
fn a_separated_parent_who_was_copied_in_has_a_case_of_his_own() {
    let scene = Scene::new();
    let question = String::from_utf8(letter(ANNA, GENERAL, "Tom", "q@inbox.example", QUESTION)).unwrap();
    let question = question.replacen("To: ", &format!("Cc: {BEN}\r\nTo: "), 1);
    scene.receive(4, question.as_bytes());
    scene.letters("parent.a", 1);
    let theirs =
        "Hello,\n\nI am his father. Please do not tell his mother, but is there any news on this?\n\nBen";
    scene.receive(0, &reply(BEN, "Re: Tom", "b@inbox.example", &["q@inbox.example"], theirs));
    let told = words(&scene.letters("parent.b", 1).remove(0));
    let mother = scene.case_of("parent.a@inbox.example");
    assert_eq!(mother["messages"], 1);
    assert!(!told.contains(text(&mother["reference"])), "{told}");
    assert_eq!(scene.team.cases().len(), 2);
}

#[test]
fn a_letter_to_a_director_goes_to_the_resolution_team_with_the_policys_response() {
    let scene = Scene::new();
    scene.receive(4, &letter(ANNA, GENERAL, "Our coordinator", "q@inbox.example", QUESTION));
    scene.letters("parent.a", 1);
    let both = format!("Director of Children's Services <director@hertfordshire.example>, {GENERAL}");
    let above = "Dear Director,\n\nI have had no reply to my email of last week. I expect you to deal with this.\n\nAnna";
    scene.receive(0, &letter(ANNA, &both, "Your department", "d@inbox.example", above));
    let told = scene.letters("parent.a", 2);
    let told = told
        .iter()
        .map(words)
        .find(|text| text.contains("I note your concerns"))
        .expect("the standard response");
    assert!(told.contains("an initial response within 48 hours"), "{told}");
    let cases = scene.team.cases();
    let raised =
        cases.iter().find(|case| case["queue"] == "resolution").expect("a case of the Resolution Team");
    assert_eq!(raised["step"], 4);
    let raised = scene.team.case(text(&raised["reference"]));
    let trace = raised["messages"][0]["decision"]["trace"].as_array().unwrap();
    let escalation = trace.iter().find(|finding| finding["rule"] == "escalation").expect("how it came there");
    assert!(text(&escalation["reason"]).contains("its time is not over. Next comes step 1"), "{escalation}");
}
