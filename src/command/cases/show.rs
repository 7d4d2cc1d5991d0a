//! `send-triage cases show`: one case on a page: how it stands, its dates, its messages, what was sent, and what happened.

use chrono::{NaiveDate, TimeDelta};
use serde_json::Value;

use crate::calendar::WorkingCalendar;
use crate::case::words;
use crate::config::Config;
use crate::daemon::in_force;
use crate::memo::printable;
use crate::record::{AttemptRow, CaseDetail, EffectRow, MessageDetail, Records};

use super::super::table::wrap;
use super::super::{CommandError, Format, out};
use super::{AsOf, audit, json, known_case, moment};

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    as_of: AsOf,
    /// Its reference, such as SEND-7K4M-2Q9X
    #[arg(value_name = "REFERENCE")]
    reference: String,
}

/// Everything, for programs.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    case: &'a CaseDetail,
    /// An answer is owed and its day is over.
    overdue: bool,
    /// How it stands, in a sentence.
    in_words: String,
}

pub(super) fn show(options: &Show, records: &Records, config: &Config) -> Result<(), CommandError> {
    let today = options.as_of.day()?;
    let case = known_case(&options.reference, records)?;
    let calendar = in_force::calendar(config)?;
    let standing = case.case.standing();
    match options.format {
        Format::Json => {
            let in_words = standing.in_a_sentence(today, &calendar);
            out::line(json(&Shown { case: &case, overdue: standing.is_overdue(today), in_words })?);
        }
        Format::Text => out::print(page(&case, today, &calendar)),
    }
    Ok(())
}

fn page(detail: &CaseDetail, today: NaiveDate, calendar: &WorkingCalendar) -> String {
    let case = &detail.case;
    let standing = case.standing();
    let urgency = if case.urgency == "urgent" { "URGENT" } else { "standard" };
    let matter = if case.matter == "call-back" { ", a call-back" } else { "" };
    let mut out = format!("{}  {urgency}{matter}\n\n", case.reference);
    let sentence = format!("{}.", standing.in_a_sentence(today, calendar));
    out.push_str(&format!("{}\n", wrap(&sentence, 100).join("\n")));
    if case.chasers > 0 {
        out.push_str(&format!("The sender asked again {}.\n", words::times(case.chasers)));
    }
    if let Some(since) = case.missing_since {
        out.push_str(&format!(
            "MISSING: its message has been in none of our folders since {}; the case stays open.\n",
            moment(since)
        ));
    }
    if let Some(why) = case.unsure.then(|| why_unsure(detail)) {
        out.push_str(&format!("unsure: a person should look at the decision{}\n", why.unwrap_or_default()));
    }
    out.push('\n');
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("  {name:<16}{value}\n"));
        }
    };
    field("from", &printable(case.sender.as_deref().unwrap_or("nobody that it names")));
    field("subject", &printable(&case.subject));
    field("received", &format!("{}, in {} ({})", moment(case.received_at), case.account, case.folder));
    field("team", &case.queue);
    field("area", &case.area);
    field("grounds", &case.grounds.join(", "));
    for (n, line) in dates(detail, today).iter().enumerate() {
        field(if n == 0 { "answer due" } else { "" }, line);
    }
    if let Some(on) = case.first_response_on {
        let met = case.first_response_at.map(|at| format!("; given {}", moment(at))).unwrap_or_default();
        field("first response", &format!("by {}{met}", long(on)));
    }
    if let (Some(at), Some(last)) = (case.answered_at, case.last_answered_at) {
        let again = if last > at { format!("; last written to {}", moment(last)) } else { String::new() };
        field("answered", &format!("{}{again}", moment(at)));
    }
    field("acknowledgement", &acknowledgement(detail));
    section(
        &mut out,
        "Linked cases",
        detail.links.iter().map(|link| format!("{}: {}", link.reference, printable(&link.why))),
    );
    section(&mut out, "Messages", detail.messages.iter().flat_map(|one| message(one, &detail.effects)));
    let letters = detail.effects.iter().filter(|effect| effect.kind != "file").flat_map(letter);
    section(&mut out, "Letters and notices", letters);
    let filings = detail.effects.iter().filter(|effect| effect.kind == "file" && effect.state != "done");
    section(&mut out, "Still to be filed", filings.flat_map(letter));
    let told = audit::told(&detail.events).into_iter().map(|told| {
        let who = if told.who == "send-triage" { String::new() } else { format!(" ({})", told.who) };
        let said = format!("{}  {}{who}", moment(told.at), told.what);
        wrap(&said, 98).join("\n      ")
    });
    section(&mut out, "What happened", told);
    section(&mut out, "Why it was decided so", findings(detail));
    out
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        out.push_str(&format!("\n{title}\n"));
        for line in lines {
            out.push_str(&format!("  {line}\n"));
        }
    }
}

fn long(on: NaiveDate) -> String {
    on.format("%A %-d %B %Y").to_string()
}

/// The day on which the answer is due, and how it was counted when the message came in.
fn dates(detail: &CaseDetail, today: NaiveDate) -> Vec<String> {
    let case = &detail.case;
    let opened = detail.events.iter().find(|event| event.what == "opened").map(|event| &event.detail);
    let day = |key: &str| opened?.get(key)?.as_str()?.parse::<NaiveDate>().ok();
    let counted = day("day_zero").zip(day("due_on"));
    let mut lines = match (case.due_on, counted) {
        (None, _) => vec!["nothing is owed".to_owned()],
        (Some(due), Some((_, first))) if due != first => {
            vec![format!("{} (at first {})", long(due), words::day(first, today))]
        }
        (Some(due), _) => vec![long(due)],
    };
    if let Some((zero, due)) = counted {
        let skipped =
            opened.and_then(|opened| opened.get("skipped")?.as_array().cloned()).unwrap_or_default();
        let worked = (due - zero).num_days() - i64::try_from(skipped.len()).unwrap_or_default();
        let worked = words::working_days(u32::try_from(worked).unwrap_or_default());
        lines.push(format!(
            "counted: {worked} after {}{}",
            words::day(zero, today),
            not_counted(&skipped, today)
        ));
    }
    lines
}

/// `; not counted: 2 weekends, Friday 25 December (Christmas Day)`.
fn not_counted(skipped: &[Value], today: NaiveDate) -> String {
    let mut weekends: Vec<NaiveDate> = Vec::new();
    let mut named = Vec::new();
    for one in skipped {
        let text = |place: usize| one.get(place).and_then(Value::as_str).unwrap_or_default();
        let Ok(on) = text(0).parse::<NaiveDate>() else { continue };
        match text(1) {
            "Saturday" | "Sunday" => {
                if weekends.last().is_none_or(|last| on - *last > TimeDelta::days(1)) {
                    weekends.push(on);
                }
            }
            name => named.push(format!("{} ({name})", words::day(on, today))),
        }
    }
    let mut parts = match weekends.len() {
        0 => Vec::new(),
        1 => vec!["the weekend".to_owned()],
        many => vec![format!("{many} weekends")],
    };
    parts.extend(named);
    if parts.is_empty() { String::new() } else { format!("; not counted: {}", parts.join(", ")) }
}

fn acknowledgement(detail: &CaseDetail) -> String {
    let case = &detail.case;
    if let Some(why) = &case.withheld {
        return format!("withheld: {}", printable(why));
    }
    let opening =
        detail.messages.iter().find(|message| message.role == "opened").map(|message| message.message);
    let letter =
        detail.effects.iter().find(|effect| effect.kind == "acknowledge" && effect.message == opening);
    letter.map_or_else(|| case.acknowledgement.clone(), fate)
}

/// What became of a letter.
fn fate(effect: &EffectRow) -> String {
    let problem = effect.problem.as_deref().map(printable).filter(|problem| !problem.is_empty());
    let because = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    match (effect.state.as_str(), effect.done_at) {
        ("done", Some(at)) => format!("sent {}", moment(at)),
        ("done", None) => "sent".to_owned(),
        ("stuck", _) => format!("a person must act{because}"),
        ("uncertain", _) => format!("nobody knows whether it was sent; it is being looked for{because}"),
        (_, _) if effect.attempts > 0 => {
            format!(
                "not sent yet, tried {}, again {}{because}",
                words::times(effect.attempts),
                moment(effect.not_before)
            )
        }
        (_, _) => format!("not sent yet, to be sent from {}", moment(effect.not_before)),
    }
}

fn letter(effect: &EffectRow) -> Vec<String> {
    let to = effect.recipient.as_deref().map(|to| format!(" to {}", printable(to))).unwrap_or_default();
    let name = match effect.kind.as_str() {
        "acknowledge" => format!("acknowledgement{to}"),
        "alert" => format!("alert{to}"),
        "notice" => {
            // `briefing/SEND-...`: what it tells of comes first.
            let about = effect.topic.as_deref().and_then(|topic| topic.split('/').next()).unwrap_or_default();
            format!("notice ({}){to}", printable(about))
        }
        "file" => {
            let to = effect.to.as_ref().map(|to| format!(" to {}, {}", to.account, to.folder));
            format!("message{}", to.unwrap_or_default())
        }
        // The copy in Sent is worth a line only while it is missing.
        _ if effect.state == "done" => return Vec::new(),
        _ => format!("copy in Sent{to}"),
    };
    let mut lines = vec![format!("{name}: {}", fate(effect))];
    if effect.state != "done" || effect.attempts > 1 {
        lines.extend(effect.history.iter().map(attempt));
    }
    lines
}

fn attempt(attempt: &AttemptRow) -> String {
    let detail =
        if attempt.detail.is_empty() { String::new() } else { format!(": {}", printable(&attempt.detail)) };
    format!("    {} {}{detail}", moment(attempt.made_at), attempt.outcome)
}

fn message(message: &MessageDetail, effects: &[EffectRow]) -> Vec<String> {
    let role = match message.role.as_str() {
        "opened" => "opened the case",
        "chaser" => "asked again",
        "addition" => "wrote more",
        "thanks" => "said thank you",
        "answer" => "answer by staff",
        "holding-reply" => "staff need longer",
        "passed-on" => "passed on by staff",
        other => other,
    };
    let sender = printable(message.sender.as_deref().unwrap_or("nobody that it names"));
    let mut lines = vec![format!(
        "{}  {role}: {sender}, \"{}\"",
        moment(message.received_at),
        printable(&message.subject)
    )];
    let filed =
        effects.iter().filter(|effect| effect.message == Some(message.message) && effect.kind == "file");
    let filed = filed.filter_map(|effect| Some((effect.to.as_ref()?, effect.done_at?)));
    let filed: Vec<String> = filed
        .map(|(to, at)| format!("    filed to {}, {} on {}", to.account, to.folder, moment(at)))
        .collect();
    let lies = message.locations.iter().filter(|place| place.left_at.is_none());
    let lies: Vec<String> = lies.map(|place| format!("    in {}, {}", place.account, place.folder)).collect();
    if filed.is_empty() && lies.is_empty() {
        let last = message.locations.iter().filter_map(|place| Some((place, place.left_at?))).next_back();
        lines.extend(last.map(|(place, at)| {
            format!("    gone from {}, {} since {}", place.account, place.folder, moment(at))
        }));
    }
    lines.extend(lies.into_iter().chain(filed));
    if let Some(why) = message.decision.as_ref().and_then(|decision| decision.withheld.as_deref()) {
        lines.push(format!("    not acknowledged: {}", printable(why)));
    }
    lines
}

/// What was decided about each message, finding by finding.
fn findings(detail: &CaseDetail) -> impl Iterator<Item = String> {
    detail.messages.iter().flat_map(|message| {
        let mut lines = Vec::new();
        if let Some(decision) = &message.decision {
            lines.push(format!(
                "message {}, decided {} by rules {}",
                message.message,
                moment(decision.decided_at),
                decision.rules_version
            ));
            for finding in decision.trace.as_array().into_iter().flatten() {
                let part = |key: &str| finding.get(key).and_then(Value::as_str).unwrap_or_default();
                let said = part("text").split_whitespace().collect::<Vec<_>>().join(" ");
                let said = if said.is_empty() { String::new() } else { format!(" \"{}\"", printable(&said)) };
                let line =
                    format!("{} {}:{said} {}", part("outcome"), part("rule"), printable(part("reason")));
                lines.push(format!("  {}", wrap(&line, 96).join("\n        ")));
            }
        }
        lines
    })
}

/// `: east and west are both named`, from the trace of the message that opened the case.
fn why_unsure(detail: &CaseDetail) -> Option<String> {
    let traces = detail.messages.iter().filter_map(|message| message.decision.as_ref()?.trace.as_array());
    let is_unsure = |finding: &&Value| finding.get("rule").is_some_and(|rule| rule == "unsure");
    let reason = traces.flatten().find(is_unsure)?.get("reason")?.as_str()?;
    Some(format!(": {}", printable(reason)))
}
