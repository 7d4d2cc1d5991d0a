//! The decision in sentences, in the policy's own words.
//!
//! Contact page, urgent list; policy, email a to h. Nothing is decided here.

use chrono::{Datelike, NaiveDate, Weekday};

use super::printable;
use crate::calendar::Due;
use crate::triage::{
    Acknowledgement, Area, Chaser, Decision, Finding, Kind, Outcome, Policy, Queue, Urgency,
};

/// The verdict in a word or two.
pub fn verdict(decision: &Decision) -> &'static str {
    match (decision.kind, decision.urgency) {
        (Kind::Person, Urgency::Urgent) => "Urgent",
        (Kind::Person, Urgency::Standard) => "Standard",
        (Kind::AutoReply, _) => "An automatic reply",
        (Kind::Bounce, _) => "A delivery report or receipt",
        (Kind::List, _) => "List or bulk mail",
        (Kind::Internal, Urgency::Urgent) if decision.is_call_back() => "Urgent call-back",
        (Kind::Internal, _) if decision.is_call_back() => "Call-back",
        (Kind::Internal, _) => "Internal mail",
        (Kind::Calendar, _) => "A calendar message",
    }
}

/// Why a person should look.
pub fn unsure(decision: &Decision) -> String {
    let found = decision.trace.iter().find(|finding| finding.rule == "unsure");
    let reason = found.map_or("the evidence is thin or contradictory", |finding| finding.reason.as_str());
    format!("A person should look at this decision: {}.", printable(reason))
}

/// The sentences.
pub fn decision(decision: &Decision, policy: &Policy) -> Vec<String> {
    if decision.is_call_back() {
        return vec![
            "The Customer Service Centre asks that a caller is called back (policy, telephone).".to_owned(),
            urgency(decision, policy),
            team(decision),
            acknowledged(decision),
            due(decision.due.as_ref(), policy.team.call_backs.within_working_days),
        ];
    }
    if decision.kind != Kind::Person {
        return vec![
            format!(
                "{}: recorded, not triaged. No team has to answer it and no deadline runs.",
                verdict(decision)
            ),
            acknowledged(decision),
        ];
    }
    let mut all = vec![urgency(decision, policy)];
    if decision.claimed_urgent {
        all.push("The sender calls it urgent, which is no ground by itself (policy, email g).".to_owned());
    }
    if decision.refer_leadership {
        all.push("To be referred to SEND leadership (policy, email h).".to_owned());
    }
    all.push(team(decision));
    all.extend(chaser(decision).map(str::to_owned));
    all.push(acknowledged(decision));
    all.push(due(decision.due.as_ref(), policy.team.answer_within_working_days));
    all
}

fn urgency(decision: &Decision, policy: &Policy) -> String {
    let grounds: Vec<String> =
        decision.grounds.iter().filter(|id| *id != "other").map(|id| title(policy, id)).collect();
    let listed = grounds.join("; ");
    match (decision.urgency, grounds.len()) {
        (Urgency::Urgent, 1) => format!("Urgent, because it is about something on the contact page's urgent list: {listed}."),
        (Urgency::Urgent, n) => {
            format!("Urgent, because it is about {} things on the contact page's urgent list: {listed}.", number(n))
        }
        (Urgency::Standard, 0) => {
            "Standard: nothing in it is on the contact page's urgent list, nor is it one of the less urgent topics named there.".to_owned()
        }
        (Urgency::Standard, _) => {
            format!("Standard: nothing in it is on the contact page's urgent list. It is about what can be answered in the usual time: {listed}.")
        }
    }
}

/// A rule's title with its id: `Part-time timetable (U4)`.
fn title(policy: &Policy, id: &str) -> String {
    let rule = policy.rules.rules().iter().find(|rule| rule.id == id);
    rule.map_or_else(|| id.to_owned(), |rule| format!("{} ({id})", rule.title))
}

fn number(n: usize) -> String {
    const WORDS: [&str; 6] = ["no", "one", "two", "three", "four", "five"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// The team that gets it.
pub fn queue(queue: Queue) -> &'static str {
    match queue {
        Queue::Resolution => "SEND Resolution Team",
        Queue::Assessment => "Assessment team",
        Queue::AnnualReviewEast => "Annual review team, East",
        Queue::AnnualReviewWest => "Annual review team, West",
        Queue::General => "General SEND mailbox",
        Queue::None => "No team",
    }
}

/// East, west or not known.
pub fn area(area: Area) -> &'static str {
    match area {
        Area::East => "East",
        Area::West => "West",
        Area::Unknown => "Not known",
    }
}

fn team(decision: &Decision) -> String {
    let area = match decision.area {
        Area::Unknown => "The area is not known".to_owned(),
        known => format!("The area is {}", area(known)),
    };
    let named = decision.trace.iter().any(|finding| finding.rule.starts_with("queue"));
    let team = match decision.queue {
        Queue::None => {
            "For no team: it is only copied in, and so its named recipient's to answer (policy, email c)"
                .to_owned()
        }
        Queue::General if !named => {
            format!("For the {}, since nothing in it is another team's work", queue(Queue::General))
        }
        other => format!("For the {}", queue(other)),
    };
    format!("{team}. {area}.")
}

fn chaser(decision: &Decision) -> Option<&'static str> {
    match decision.chaser {
        Chaser::None => None,
        Chaser::Within => Some("It chases an earlier contact whose working days have not run out."),
        Chaser::Overdue => Some("It chases an earlier contact whose working days have run out."),
        Chaser::Unclear => Some("It chases an earlier contact, without saying from when."),
    }
}

fn acknowledged(decision: &Decision) -> String {
    match &decision.acknowledgement {
        Acknowledgement::Send { .. } => "The sender gets the automatic acknowledgement.".to_owned(),
        Acknowledgement::Withhold(why) => {
            format!("The sender gets no automatic acknowledgement: {}.", why.words())
        }
    }
}

/// When the answer is due, and how that was counted, in a line.
fn due(due: Option<&Due>, working_days: u32) -> String {
    let Some(due) = due else { return "No answer is owed.".to_owned() };
    let on = |day: NaiveDate| day.format("%A %-d %B").to_string();
    let weekend = |day: NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let mut passed: Vec<String> = Vec::new();
    if due.skipped.iter().any(|day| weekend(day.on)) {
        passed.push("weekends".to_owned());
    }
    let named = due.skipped.iter().filter(|day| !weekend(day.on));
    passed.extend(named.map(|day| format!("{} on {}", day.name, day.on.format("%-d %B"))));
    let without = if passed.is_empty() { String::new() } else { format!(", not counting {}", list(&passed)) };
    let year = due.due_on.format("%Y");
    let days =
        if working_days == 1 { "1 working day".to_owned() } else { format!("{working_days} working days") };
    format!(
        "An answer is due by the end of {} {year}: {days} after {}, the day of receipt{without} (policy, email d).",
        on(due.due_on),
        on(due.day_zero)
    )
}

fn list(items: &[String]) -> String {
    match items {
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => String::new(),
    }
}

/// A finding in a line or two, as `evaluate` lists them: `+` holds, `-` set aside.
pub fn finding(finding: &Finding) -> String {
    let mark = match finding.outcome {
        Outcome::Holds => '+',
        Outcome::SetAside => '-',
        Outcome::Noted => ' ',
    };
    let words = finding.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = if words.is_empty() { String::new() } else { format!(": \"{}\"", printable(&words)) };
    let clause = if finding.policy.is_empty() { String::new() } else { format!(" [{}]", finding.policy) };
    format!("   {mark} {}{words}\n       {}{clause}\n", finding.rule, printable(&finding.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Skipped;

    #[test]
    fn the_due_date_says_how_it_was_counted() {
        let on = |text: &str| text.parse::<NaiveDate>().unwrap();
        let skipped = [
            ("2026-12-19", "Saturday"),
            ("2026-12-25", "Christmas Day"),
            ("2026-12-28", "Boxing Day (substitute day)"),
        ];
        let skipped = skipped.map(|(day, name)| Skipped { on: on(day), name: name.to_owned() }).to_vec();
        let counted = Due { day_zero: on("2026-12-17"), due_on: on("2027-01-05"), skipped };
        assert_eq!(
            due(Some(&counted), 10),
            "An answer is due by the end of Tuesday 5 January 2027: 10 working days after Thursday 17 December, the day of \
             receipt, not counting weekends, Christmas Day on 25 December and Boxing Day (substitute day) on 28 December (policy, email d)."
        );
        assert_eq!(due(None, 10), "No answer is owed.");
    }
}
