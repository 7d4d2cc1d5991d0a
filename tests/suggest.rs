//! Corrections by staff: seen, written down, shown with the rule to look at, and written as examples where somebody asks.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::filed::{Filed, rules_with};
use crate::support::program::Program;
use crate::support::servers::{MailServers, Setup};
use crate::support::team::{Plan, Team, letter};
use crate::support::wait_until;

const GENERAL: &str = "general/Triage/General/";
const URGENT: &str = "general/Triage/General/Urgent/";

#[test]
fn a_message_that_staff_moved_is_a_correction_with_the_rule_that_fired() {
    let team = Filed::new();
    let name = "02-out-of-education-gmail.eml";
    team.drag(&format!("{URGENT}{name}"), &format!("{GENERAL}{name}"));
    let suggestions = team.json(&["suggest", "--format", "json"]);
    assert_eq!(suggestions.len(), 1, "{suggestions:#?}");
    let it = &suggestions[0];
    assert_eq!((&it["decided"]["urgency"], &it["right"]["urgency"]), (&"urgent".into(), &"standard".into()));
    assert_eq!(it["corrections"][0]["moved_to"]["folder"], "Triage/General");
    let hint = &it["hints"][0];
    assert_eq!(
        (&hint["rule"], &hint["role"], &hint["file"]),
        (&"U1".into(), &"fired".into(), &"urgent.yaml".into())
    );
    assert!(!hint["phrase"].as_str().unwrap().is_empty());
    assert_eq!(it["examples"][0]["yes"], false);

    // The case follows; seen twice it is still one correction, and moved back it is none.
    let reference = it["reference"].as_str().unwrap().to_owned();
    let show = |team: &Filed| team.json(&["cases", "show", "--format", "json", &reference]).remove(0);
    assert_eq!(show(&team)["urgency"], "standard");
    team.json(&["suggest", "--format", "json"]);
    let corrected = |case: &serde_json::Value| {
        case["events"].as_array().unwrap().iter().filter(|event| event["what"] == "corrected").count()
    };
    assert_eq!(corrected(&show(&team)), 1);
    team.drag(&format!("{GENERAL}{name}"), &format!("{URGENT}{name}"));
    assert!(team.json(&["suggest", "--format", "json"]).is_empty());
    assert_eq!((corrected(&show(&team)), &show(&team)["urgency"]), (2, &"urgent".into()));
}

#[test]
fn a_copy_for_another_team_and_a_folder_of_their_own_are_no_corrections() {
    let team = Filed::new();
    let coordinator = team.mailbox(&format!("{GENERAL}03-who-is-my-coordinator-thunderbird.eml"));
    let reviews = team.mailbox("annual-review-west/Triage/Annual reviews West/copied.eml");
    fs::copy(coordinator, reviews).unwrap();
    team.drag(&format!("{GENERAL}11-broken-bytes.eml"), "general/Done/11.eml");
    let done = team.run(&["suggest"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(done.stdout, "No corrections: nothing to learn from.\n");
}

#[test]
fn what_was_said_by_hand_is_kept_with_who_and_why_and_leads_to_the_rule_that_came_near() {
    let team = Filed::new();
    let reference = team.reference("Who is our EHC");
    let correct =
        ["cases", "correct", &reference, "--ground", "U4", "--by", "j.doe", "--why", "only mornings"];
    let done = team.run(&correct);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(team.run(&correct).stdout.contains("is so already"));
    let shown = team.run(&["cases", "show", &reference]).stdout;
    assert!(
        shown.contains("corrected: urgency urgent, grounds U4, because: only mornings (j.doe)"),
        "{shown}"
    );
    let suggested = team.run(&["suggest", &reference]).stdout;
    for words in [&reference, "by j.doe", "U4 Part-time timetable (urgent.yaml, line", "No rule was changed"]
    {
        assert!(suggested.contains(words), "no {words:?} in\n{suggested}");
    }
    // Not moved by anybody: the folder that it was filed into is no later word against what was said.
    assert_eq!(team.json(&["suggest", "--format", "json"])[0]["right"]["urgency"], "urgent");
    let done = team.run(&["suggest", "SEND-0000-0000"]);
    assert_eq!((done.code, done.stderr.contains("There is no case")), (Some(1), true));
}

#[test]
fn corrected_messages_are_written_for_evaluate_and_for_their_owner_alone() {
    let team = Filed::new();
    team.drag("general/Triage/Newsletters/09-newsletter.eml", &format!("{GENERAL}09-newsletter.eml"));
    let reference = team.reference("Who is our EHC");
    team.run(&["cases", "correct", &reference, "--queue", "assessment", "--by", "j.doe"]);
    let done = team.run(&["suggest", "--write", "examples"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("people's emails"), "{}", done.stderr);
    assert!(done.stdout.contains("no acknowledgement, no case and no deadline"), "{}", done.stdout);
    let folder = team.path().join("examples");
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    let done = Program::run(team.path(), &["evaluate", "--format", "json", "examples"]);
    let score: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(score["messages"], 2, "{}", done.stderr);
    let wrong: Vec<_> = score["mistakes"].as_array().unwrap().iter().map(|m| &m["label"]).collect();
    assert!(wrong.contains(&&"queue".into()) && wrong.contains(&&"kind".into()), "{wrong:?}");
    // Asked for again, nothing is written twice.
    team.run(&["suggest", "--write", "examples"]);
    assert_eq!(fs::read_to_string(folder.join("labels.jsonl")).unwrap().lines().count(), 2);
}

/// On a server: a colleague moves a message in their mail program while the daemon is at work. Looking leaves it unread.
#[test]
fn a_move_on_a_server_is_seen_and_neither_replay_nor_suggest_marks_anything() {
    const GENERAL: &str = "send.general@hertfordshire.example";
    let servers = MailServers::start(Setup::default());
    let team = Team::new(&servers, &Plan { accounts: 1, ..Plan::default() });
    let _program = team.start_and_take_into_use(1);
    let question = "Hello,\n\nPlease can you tell me who our EHC coordinator is now?\n\nAnna";
    let raw =
        letter("Anna Parent <parent.a@inbox.example>", GENERAL, "Coordinator", "q1@inbox.example", question);
    servers.send("parent.a@inbox.example", &[GENERAL], &raw);
    servers.wait_for("send.general", "Triage/general", 1);
    wait_until("it is filed", || servers.mailbox("send.general", "INBOX").is_empty().then_some(()));

    rules_with(&team.dir().join("new"), "urgent.yaml", "U4", "      - who our EHC coordinator is\n");
    let run = |arguments: &[&str]| {
        let done = Program::run(team.dir(), &[arguments, &["--config", "send-triage.yaml"]].concat());
        assert_eq!(done.code, Some(0), "{arguments:?}\n{}{}", done.stdout, done.stderr);
        done.stdout
    };
    let replayed = run(&["replay", "--rules", "new"]);
    assert!(replayed.starts_with("1 message read, 1 would be decided differently."), "{replayed}");
    assert!(replayed.contains("U4 holds \"who our EHC coordinator is\""), "{replayed}");
    assert!(run(&["suggest"]).starts_with("No corrections"));

    let mut staff = servers.imap("send.general");
    let _ = staff.command("CREATE \"Triage/general/Urgent\"");
    staff.command("SELECT \"Triage/general\"").unwrap();
    staff.command("UID MOVE 1:* \"Triage/general/Urgent\"").unwrap();
    let suggested = run(&["suggest"]);
    assert!(suggested.contains("moved to general/Triage/general/Urgent"), "{suggested}");
    assert_eq!(team.cases()[0]["urgency"], "urgent");
    let lies = servers.mailbox("send.general", "Triage/general/Urgent");
    assert_eq!(lies.len(), 1);
    assert!(!lies[0].flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Seen")), "it stays unread");
}
