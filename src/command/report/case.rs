//! `send-triage report --case`: the decision slip, from what is on record about one case.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use crate::calendar::{WorkingCalendar, london};
use crate::config::Config;
use crate::daemon::in_force;
use crate::digest::slip::{self, Counting, Decided, Finding, Happened, Slip};
use crate::digest::{names, report};
use crate::memo::printable;
use crate::record::{CaseDetail, EventRow, MessageDetail, Records};

use super::super::cases::{audit, known_case};
use super::super::{CommandError, out};
use super::{Arguments, Format};

pub(super) fn run(
    reference: &str,
    arguments: &Arguments,
    records: &Records,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    let case = known_case(reference, records)?;
    let calendar = in_force::calendar(config)?;
    let slip = slip_of(&case, &calendar, arguments.names, now);
    match arguments.format.unwrap_or(Format::Text) {
        Format::Text => out::print(slip::text(&slip)),
        Format::Html => out::print(slip::html(&slip)),
        Format::Json => {
            let json = serde_json::to_string(&slip);
            out::line(json.map_err(|error| CommandError::Outside(error.to_string()))?);
        }
        Format::Csv => {
            let remedy = "A decision slip is text, html or json; `cases history --format csv` has what happened to a case.";
            return Err(CommandError::Input(remedy.to_owned()));
        }
    }
    Ok(())
}

fn slip_of(detail: &CaseDetail, calendar: &WorkingCalendar, with_names: bool, now: DateTime<Utc>) -> Slip {
    let case = &detail.case;
    let mut facts = vec![
        ("received".to_owned(), report::moment(case.received_at)),
        ("team".to_owned(), names::team(&case.queue)),
        ("area".to_owned(), names::area(&case.area)),
    ];
    let mut fact = |name: &str, value: Option<String>| {
        facts.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
    };
    fact("sender", case.sender.as_deref().filter(|_| with_names).map(printable));
    fact("subject", Some(printable(&case.subject)).filter(|_| with_names));
    fact("answer due", case.due_on.map(report::long));
    fact("due at first", case.extended_from.map(report::long));
    fact("first response", case.first_response_on.map(|on| format!("by {}", report::long(on))));
    fact("responded", case.first_response_at.map(report::moment));
    fact("answered", case.answered_at.map(report::moment));
    fact("in time", case.in_time.map(|in_time| if in_time { "yes" } else { "no" }.to_owned()));
    fact("asked again", (case.chasers > 0).then(|| crate::case::words::times(case.chasers)));
    fact("step", (case.step > 1).then(|| case.step.to_string()));
    fact(
        "acknowledgement",
        Some(match &case.withheld {
            Some(why) => format!("withheld: {}", printable(why)),
            None => case.acknowledgement.clone(),
        }),
    );
    let linked: Vec<&str> = detail.links.iter().map(|link| link.reference.as_str()).collect();
    fact("linked cases", (!linked.is_empty()).then(|| linked.join(", ")));
    let happened = audit::told(&detail.events).into_iter().map(|told| Happened {
        at: told.at,
        by: if told.who == "send-triage" { String::new() } else { told.who },
        what: told.what,
    });
    Slip {
        reference: case.reference.clone(),
        made_at: now,
        urgent: case.urgency == "urgent",
        standing: format!("{}.", case.standing().in_a_sentence(london::date(now), calendar)),
        facts,
        decisions: detail.messages.iter().filter_map(|message| decided(message, with_names)).collect(),
        countings: detail.events.iter().filter_map(|event| counting(event, detail, calendar)).collect(),
        happened: happened.collect(),
    }
}

fn decided(message: &MessageDetail, with_words: bool) -> Option<Decided> {
    let decision = message.decision.as_ref()?;
    let what = match message.role.as_str() {
        "opened" => "the message that opened the case",
        "chaser" => "a message that asked again",
        "addition" => "a further message",
        "thanks" => "a message of thanks",
        // What staff wrote was read as their answer; it stands among what happened.
        _ => return None,
    };
    let mut labels =
        vec![("kind".to_owned(), decision.kind.clone()), ("urgency".to_owned(), decision.urgency.clone())];
    let mut label = |name: &str, value: String| {
        if !value.is_empty() {
            labels.push((name.to_owned(), value));
        }
    };
    label("grounds", decision.grounds.join(", "));
    label("team", names::team(&decision.queue));
    label("area", names::area(&decision.area));
    label("chaser", if decision.chaser == "none" { String::new() } else { decision.chaser.clone() });
    label("points to", decision.signposts.join(", "));
    let notes = [
        (decision.claimed_urgent, "called urgent by the sender, with no ground (policy, email g)"),
        (decision.refer_leadership, "referred to leadership (policy, email h)"),
        (decision.unsure, "unsure: a person should look"),
    ];
    label(
        "noted",
        notes.iter().filter(|(holds, _)| *holds).map(|(_, note)| *note).collect::<Vec<_>>().join("; "),
    );
    label(
        "acknowledged",
        match &decision.withheld {
            Some(why) => format!("no: {}", printable(why)),
            None => "yes".to_owned(),
        },
    );
    let findings = decision.trace.as_array().into_iter().flatten().map(|finding| {
        let part = |key: &str| printable(finding.get(key).and_then(Value::as_str).unwrap_or_default());
        let words = part("text").split_whitespace().collect::<Vec<_>>().join(" ");
        Finding {
            rule: part("rule"),
            policy: part("policy"),
            words: Some(words).filter(|words| with_words && !words.is_empty()),
            counted: finding.get("outcome").is_none_or(|outcome| outcome != "set-aside"),
            reason: reason(&part("reason"), with_words),
        }
    });
    Some(Decided {
        message: what.to_owned(),
        received_at: message.received_at,
        decided_at: decision.decided_at,
        rules_version: decision.rules_version.clone(),
        labels,
        findings: findings.collect(),
    })
}

/// Reasons may quote the message too.
fn reason(reason: &str, with_words: bool) -> String {
    if with_words {
        return reason.to_owned();
    }
    let mut quoted = false;
    let mut out = String::new();
    for piece in reason.split('"') {
        out.push_str(if quoted { "\u{2026}" } else { piece });
        quoted = !quoted;
    }
    out
}

/// How the day was counted, where an event says that one was: as it was written down at the opening, else by the calendar of today.
fn counting(event: &EventRow, detail: &CaseDetail, calendar: &WorkingCalendar) -> Option<Counting> {
    let day = |key: &str| event.detail.get(key)?.as_str()?.parse::<NaiveDate>().ok();
    let occurred = event.detail.get("occurred_at").and_then(Value::as_str);
    let occurred = occurred.and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let occurred_on = london::date(occurred.map_or(event.happened_at, |at| at.with_timezone(&Utc)));
    match event.what.as_str() {
        "opened" => {
            let (zero, due) =
                (day("day_zero").unwrap_or(london::date(detail.case.received_at)), day("due_on")?);
            let skipped = event.detail.get("skipped").and_then(Value::as_array);
            let of =
                if detail.case.matter == "call-back" { "A call-back" } else { "An answer to the message" };
            let Some(skipped) = skipped else { return Some(by_calendar(of, zero, due, calendar)) };
            let pair =
                |one: &Value| Some((one.get(0)?.as_str()?.parse().ok()?, one.get(1)?.as_str()?.to_owned()));
            let skipped: Vec<(NaiveDate, String)> = skipped.iter().filter_map(pair).collect();
            Some(Counting::new(of, zero, due, &skipped))
        }
        "reopened" => Some(by_calendar("Opened again by staff", occurred_on, day("due_on")?, calendar)),
        // A chaser opens a case again only where an answer had gone before.
        "chased" if opens_again(event, detail) => Some(by_calendar(
            "Opened again by the sender's question",
            occurred_on,
            day("reopened_due_on")?,
            calendar,
        )),
        _ => None,
    }
}

fn opens_again(event: &EventRow, detail: &CaseDetail) -> bool {
    let told = audit::in_order_kept(&detail.events);
    let place = detail.events.iter().position(|one| std::ptr::eq(one, event));
    place.and_then(|place| told.get(place)).is_some_and(|told| told.what.contains("open again"))
}

fn by_calendar(of: &str, day_zero: NaiveDate, due_on: NaiveDate, calendar: &WorkingCalendar) -> Counting {
    let between = day_zero.iter_days().skip(1).take_while(|on| *on <= due_on);
    let closed = between.filter_map(|on| Some((on, calendar.why_closed(on)?.to_owned())));
    let closed: Vec<(NaiveDate, String)> = closed.collect();
    Counting { counted_now: true, ..Counting::new(of, day_zero, due_on, &closed) }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn a_reason_that_quotes_the_message_shows_its_words_only_where_they_may_be_seen() {
        let said = "U4 nearly holds: \"half days\" (negated by \"not\")";
        assert_eq!(reason(said, true), said);
        assert_eq!(reason(said, false), "U4 nearly holds: \u{2026} (negated by \u{2026})");
        assert_eq!(reason("a person wrote to the team", false), "a person wrote to the team");
    }
}
