//! What the texts of the digest may name, but for the lists of cases: figures as words, ready to be shown.

use std::collections::BTreeMap;

use chrono::{Days, TimeDelta};
use minijinja::Value;

use super::DigestFacts;
use super::said;
use crate::calendar::london;
use crate::digest::figures::{Acknowledgements, Chasers, Count, Figures, Health, Rules, Service, Span};
use crate::letter::acknowledgement::long_date;
use crate::letter::markup::literal::literal;

/// A server that has not answered for so long is told of first: silence must not be taken for a quiet week.
const AWAY: TimeDelta = TimeDelta::hours(4);

/// A secret or a list of bank holidays that ends within so many days is told of.
const SOON: Days = Days::new(60);

/// Every field with what it is, for diagnostics and for the manual.
pub const FIELDS: &[(&str, &str)] = &[
    ("week", "the week that it is about, such as 16 to 22 November 2026"),
    ("today", "the day on which it is written"),
    ("scope", "whose cases: teams and areas; empty if it is about all"),
    ("worst", "the worst in a line"),
    ("quiet", "yes or no: nothing came and nothing waits"),
    ("needs_count", "how many cases need somebody"),
    ("late_since", "the day on which this digest should have come; empty if that is today"),
    ("weeks_missed", "how many weeks before have had no digest; 0 if all have"),
    ("overdue", "overdue cases, the worst first, each a row made by digest/case.txt"),
    ("overdue_count", "how many there are"),
    ("overdue_more", "how many of them are not listed; 0 if all are"),
    ("urgent", "urgent cases to which nobody has responded"),
    ("urgent_count", "how many there are"),
    ("urgent_more", "how many of them are not listed"),
    ("due", "cases that are due this week"),
    ("due_count", "how many there are"),
    ("due_more", "how many of them are not listed"),
    ("received", "cases received in the week"),
    ("received_usual", "the same in a usual week: the middle one of the weeks before"),
    ("answered", "answers given in the week"),
    ("answered_usual", "the same in a usual week"),
    (
        "on_time",
        "of the answers that fell due in the week, the share that was given in time, such as 92%; empty if none fell due",
    ),
    ("on_time_usual", "the same in a usual week"),
    ("fell_due", "how many answers fell due in the week"),
    ("fell_due_kept", "how many of them were given in time"),
    ("median_days", "in how many working days half of the week's answers were given"),
    ("median_days_usual", "the same in a usual week"),
    ("p90_days", "in how many working days nine of ten were given"),
    ("p90_days_usual", "the same in a usual week"),
    ("reopened", "cases opened again in the week"),
    ("weeks_known", "how many of the twelve weeks before are known"),
    ("promised_days", "in how many working days an answer is promised"),
    ("open", "how many cases wait for an answer"),
    ("forecast", "teams that have something due; each has queue, overdue, in_five, in_ten"),
    ("five_end", "the last of the next 5 working days"),
    ("ten_end", "the last of the next 10"),
    ("areas", "cases received by area; each has name and count"),
    ("grounds", "cases received by ground; each has name and count"),
    ("roles", "cases received by who wrote; each has name and count"),
    ("urgent_received", "how many of the cases received are urgent"),
    ("chasers", "how many messages of the week asked again"),
    ("chased", "waiting cases of which somebody has asked again, the most often first"),
    ("chased_count", "how many there are"),
    ("chased_more", "how many of them are not listed"),
    ("chased_twice", "how many of them were asked about more than once"),
    ("steps", "the steps of the escalation at which cases wait; each has step, who, waiting, overdue"),
    ("acknowledged", "acknowledgements sent in the week"),
    ("acknowledged_within", "how soon half of them were sent; empty if none was"),
    ("acknowledged_p95", "how soon 95 of 100 were sent; likewise"),
    ("withheld", "why people got none; each has reason and count"),
    ("withheld_count", "how many people's messages got none"),
    ("withheld_others", "how many others got none: machines, newsletters, colleagues"),
    (
        "bounced",
        "acknowledgements that came back; each has reference, day, status (why, in words), recipient (empty unless the reader may see names)",
    ),
    ("bounced_count", "how many there are"),
    ("bounced_more", "how many of them are not listed"),
    ("letters_waiting", "how many acknowledgements are still to be sent"),
    ("letters_stuck", "how many acknowledgements cannot be sent without a person"),
    ("decided", "messages decided in the week"),
    ("unsure", "how many of them the rules were unsure of"),
    ("corrections", "how many staff corrected"),
    ("to_urgent", "how many of them to urgent: the rules had missed it"),
    ("to_standard", "how many of them to standard: a false alarm"),
    ("false_alarms", "those false alarms by ground; each has name and count"),
    ("to_another_team", "how many of them to another team"),
    ("to_another_area", "how many of them to another area"),
    ("to_person", "how many were a person's after all"),
    ("to_no_person", "how many were no person's after all"),
    ("rules_in_force", "how many rules are in force; empty if that is not known"),
    ("rules_silent", "how many of them said nothing in the week; empty if that is not known"),
    ("never_fired", "rules that said nothing in twelve weeks; each has id, title and last (empty if never)"),
    ("never_fired_known", "yes or no: it is counted for as long as that"),
    ("refused_edit", "a change of the rules that was refused and stands; empty if none does"),
    ("mailboxes", "watched folders; each has name, seen and away (yes or no: for hours now)"),
    ("away", "those of them whose server has not answered for hours"),
    ("met", "messages met in the week"),
    ("every_outcome", "yes or no: every message has an outcome"),
    ("gaps", "runs of messages that have none; each has mailbox, folder, first, last and count"),
    ("gap_count", "how many messages have none"),
    ("set_aside", "messages that could not be read and wait for a person"),
    ("set_aside_due", "the first day on which an answer to one of them is due; may be empty"),
    ("stuck", "letters and filings that a person must look at"),
    ("holidays_until", "the last day for which bank holidays are on file"),
    ("holidays_end_soon", "yes or no: that is soon"),
    ("expiries", "secrets and certificates that run out; each has what, day, soon (yes or no)"),
    ("expiries_known", "yes or no: it is known when they do"),
];

/// Their values.
pub fn of(facts: &DigestFacts<'_>) -> BTreeMap<&'static str, Value> {
    let figures = facts.figures;
    let mut fields: BTreeMap<&'static str, Value> =
        facts.council.entries().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
    let today = figures.today;
    fields.extend([
        ("week", Value::from(said::period(&figures.period))),
        ("today", Value::from(long_date(today))),
        ("scope", Value::from(said::scope(&figures.scope))),
        ("worst", Value::from(worst(figures))),
        ("quiet", Value::from(figures.is_quiet())),
        ("needs_count", Value::from(figures.needs_you.total())),
        (
            "late_since",
            Value::from(facts.late.and_then(|late| late.was_due_on).map(long_date).unwrap_or_default()),
        ),
        ("weeks_missed", Value::from(facts.late.map_or(0, |late| late.weeks_missed))),
        ("promised_days", Value::from(figures.target_working_days)),
        ("open", Value::from(said::number(figures.open_by_age.total()))),
        ("five_end", Value::from(said::day(figures.forecast.five_end_on, today))),
        ("ten_end", Value::from(said::day(figures.forecast.ten_end_on, today))),
    ]);
    fields.extend(service(&figures.service));
    fields.extend(sources(facts));
    fields.extend(chasers(&figures.chasers));
    fields.extend(acknowledgements(&figures.acknowledgements, figures));
    fields.extend(rules(&figures.rules, facts));
    fields.extend(health(&figures.health, figures));
    fields
}

/// The worst first; what is well is not said.
fn worst(figures: &Figures) -> String {
    let (needs, health) = (&figures.needs_you, &figures.health);
    let away = health.mailboxes.iter().find(|mailbox| figures.now - mailbox.last_seen_at > AWAY);
    let mut said: Vec<String> = Vec::new();
    if let Some(mailbox) = away {
        said.push(format!(
            "mailbox {} not seen since {}",
            literal(&mailbox.account),
            said::day(london::date(mailbox.last_seen_at), figures.today)
        ));
    }
    if !health.ledger.gaps.is_empty() {
        said.push("messages without an outcome".to_owned());
    }
    let mut several = |count: u64, words: &str| {
        if count > 0 {
            said.push(format!("{} {words}", said::number(count)));
        }
    };
    several(needs.overdue.total, "overdue");
    several(needs.urgent.total, "urgent unanswered");
    several(needs.due_this_week.total, "due this week");
    several(figures.acknowledgements.bounced.total, "bounced");
    if said.is_empty() {
        return if figures.is_quiet() { "a quiet week, nothing waits" } else { "nothing needs you today" }
            .to_owned();
    }
    said.truncate(4);
    said.join(", ")
}

fn service(service: &Service) -> Vec<(&'static str, Value)> {
    let whole = &service.whole;
    // The last span is the week itself.
    let before: &[Span] = service.spans.split_last().map_or(&[], |(_, before)| before);
    let usual = |value: &dyn Fn(&Span) -> Option<u64>| said::usual(before, value);
    let percent = |share: Option<u64>| share.map(|share| format!("{share}%")).unwrap_or_default();
    let days = |answered: Option<u64>, days: Option<u32>| match (answered, days) {
        (Some(0), None) => "none".to_owned(),
        (_, days) => said::maybe(days.map(u64::from)),
    };
    let known = before.iter().filter(|span| span.figures.received.is_some()).count();
    vec![
        ("received", Value::from(said::maybe(whole.received))),
        ("received_usual", Value::from(said::maybe(usual(&|span| span.figures.received)))),
        ("answered", Value::from(said::maybe(whole.answered))),
        ("answered_usual", Value::from(said::maybe(usual(&|span| span.figures.answered)))),
        ("on_time", Value::from(percent(said::share(whole.fell_due_kept, whole.fell_due)))),
        (
            "on_time_usual",
            Value::from(percent(usual(&|span| {
                said::share(span.figures.fell_due_kept, span.figures.fell_due)
            }))),
        ),
        ("fell_due", Value::from(said::maybe(whole.fell_due))),
        ("fell_due_kept", Value::from(said::maybe(whole.fell_due_kept))),
        ("median_days", Value::from(days(whole.answered, whole.median_working_days))),
        (
            "median_days_usual",
            Value::from(said::maybe(usual(&|span| span.figures.median_working_days.map(u64::from)))),
        ),
        ("p90_days", Value::from(days(whole.answered, whole.p90_working_days))),
        (
            "p90_days_usual",
            Value::from(said::maybe(usual(&|span| span.figures.p90_working_days.map(u64::from)))),
        ),
        ("reopened", Value::from(whole.reopened.unwrap_or_default())),
        ("weeks_known", Value::from(known)),
    ]
}

/// A list of which each entry has these values.
fn list<T, const N: usize>(all: &[T], entry: impl Fn(&T) -> [(&'static str, Value); N]) -> Value {
    Value::from(all.iter().map(|one| Value::from_pairs(entry(one))).collect::<Vec<_>>())
}

fn counts(all: &[Count], words: impl Fn(&str) -> String) -> Value {
    list(all, |count| [("name", Value::from(words(&count.name))), ("count", Value::from(count.count))])
}

/// A ground by its title, as staff wrote it.
fn ground(id: &str, facts: &DigestFacts<'_>) -> String {
    match facts.titles.get(id) {
        Some(title) => literal(title),
        None if id == "other" => "None of those listed".to_owned(),
        None => literal(id),
    }
}

fn sources(facts: &DigestFacts<'_>) -> Vec<(&'static str, Value)> {
    let (sources, forecast) = (&facts.figures.sources, &facts.figures.forecast);
    let due = list(&forecast.queues, |queue| {
        [
            ("queue", Value::from(said::team(&queue.queue))),
            ("overdue", Value::from(queue.overdue)),
            ("in_five", Value::from(queue.in_five)),
            ("in_ten", Value::from(queue.in_ten)),
        ]
    });
    vec![
        ("forecast", due),
        ("areas", counts(&sources.areas, said::area)),
        ("grounds", counts(&sources.grounds, |id| ground(id, facts))),
        ("roles", counts(&sources.roles, said::role)),
        ("urgent_received", Value::from(sources.urgent)),
    ]
}

fn chasers(chasers: &Chasers) -> Vec<(&'static str, Value)> {
    let at_work: Vec<_> = chasers.steps.iter().filter(|step| step.waiting > 0).copied().collect();
    let steps = list(&at_work, |step| {
        let who = crate::case::Step::of_number(i64::from(step.step)).unwrap_or_default().who();
        [
            ("step", Value::from(step.step)),
            ("who", Value::from(who)),
            ("waiting", Value::from(step.waiting)),
            ("overdue", Value::from(step.overdue)),
        ]
    });
    vec![
        ("chasers", Value::from(chasers.received)),
        ("chased_twice", Value::from(chasers.repeated)),
        ("steps", steps),
    ]
}

fn acknowledgements(sent: &Acknowledgements, figures: &Figures) -> Vec<(&'static str, Value)> {
    let within = |seconds: Option<u64>| Value::from(seconds.map(said::duration).unwrap_or_default());
    let people: Vec<_> = sent.withheld.iter().filter(|withheld| withheld.people > 0).collect();
    let withheld = list(&people, |withheld| {
        [
            ("reason", Value::from(literal(&said::capital(&withheld.reason)))),
            ("count", Value::from(withheld.people)),
        ]
    });
    let bounced = list(&sent.bounced.rows, |bounced| {
        [
            ("reference", Value::from(bounced.reference.clone().unwrap_or_default())),
            ("day", Value::from(said::day(bounced.bounced_on, figures.today))),
            (
                "status",
                Value::from(
                    bounced
                        .status
                        .as_deref()
                        .map(|code| literal(&said::why_returned(code)))
                        .unwrap_or_default(),
                ),
            ),
            ("recipient", Value::from(literal(bounced.recipient.as_deref().unwrap_or_default()))),
        ]
    });
    vec![
        ("acknowledged", Value::from(said::number(sent.sent))),
        ("acknowledged_within", within(sent.median_seconds)),
        ("acknowledged_p95", within(sent.p95_seconds)),
        ("withheld", withheld),
        ("withheld_count", Value::from(sent.withheld.iter().map(|one| one.people).sum::<u64>())),
        ("withheld_others", Value::from(sent.withheld.iter().map(|one| one.others).sum::<u64>())),
        ("bounced", bounced),
        ("bounced_count", Value::from(sent.bounced.total)),
        ("bounced_more", Value::from(sent.bounced.unlisted())),
        ("letters_waiting", Value::from(sent.waiting)),
        ("letters_stuck", Value::from(sent.stuck)),
    ]
}

fn rules(rules: &Rules, facts: &DigestFacts<'_>) -> Vec<(&'static str, Value)> {
    let staff = &rules.corrections;
    let silent = rules.silent_in_twelve_weeks.as_deref().unwrap_or_default();
    let never_fired = list(silent, |rule| {
        let last = rule.last_on.map(|on| said::day(on, facts.figures.today));
        [
            ("id", Value::from(literal(&rule.id))),
            ("title", Value::from(literal(&rule.title))),
            ("last", Value::from(last.unwrap_or_default())),
        ]
    });
    let maybe = |count: Option<u64>| Value::from(count.map(said::number).unwrap_or_default());
    vec![
        ("decided", Value::from(said::number(rules.decided))),
        ("unsure", Value::from(rules.unsure)),
        ("corrections", Value::from(staff.total)),
        ("to_urgent", Value::from(staff.to_urgent)),
        ("to_standard", Value::from(staff.to_standard)),
        ("false_alarms", counts(&staff.false_alarms, |id| ground(id, facts))),
        ("to_another_team", Value::from(staff.to_another_team)),
        ("to_another_area", Value::from(staff.to_another_area)),
        ("to_person", Value::from(staff.to_person)),
        ("to_no_person", Value::from(staff.to_no_person)),
        ("rules_in_force", maybe(rules.in_force)),
        ("rules_silent", maybe(rules.silent_in_period)),
        ("never_fired", never_fired),
        ("never_fired_known", Value::from(rules.silent_in_twelve_weeks.is_some())),
        ("refused_edit", Value::from(literal(rules.refused_edit.as_deref().unwrap_or_default()))),
    ]
}

fn health(health: &Health, figures: &Figures) -> Vec<(&'static str, Value)> {
    let (now, today) = (figures.now, figures.today);
    let is_away = |seen_at| now - seen_at > AWAY;
    let folders = |only_away: bool| {
        let shown: Vec<_> =
            health.mailboxes.iter().filter(|one| !only_away || is_away(one.last_seen_at)).collect();
        list(&shown, |one| {
            // The folder is named where it is not the usual one.
            let name = match one.folder.eq_ignore_ascii_case("INBOX") {
                true => one.account.clone(),
                false => format!("{} ({})", one.account, one.folder),
            };
            [
                ("name", Value::from(literal(&name))),
                ("seen", Value::from(said::moment(one.last_seen_at, today))),
                ("away", Value::from(is_away(one.last_seen_at))),
            ]
        })
    };
    let length =
        |gap: &crate::digest::figures::Gap| u64::from(gap.last_uid.saturating_sub(gap.first_uid)) + 1;
    let gaps = list(&health.ledger.gaps, |gap| {
        [
            ("mailbox", Value::from(literal(&gap.account))),
            ("folder", Value::from(literal(&gap.folder))),
            ("first", Value::from(gap.first_uid)),
            ("last", Value::from(gap.last_uid)),
            ("count", Value::from(length(gap))),
        ]
    });
    let soon = today.checked_add_days(SOON).unwrap_or(today);
    let expiries = list(health.expiries.as_deref().unwrap_or_default(), |expiry| {
        [
            ("what", Value::from(literal(&expiry.what))),
            ("day", Value::from(said::day(expiry.on, today))),
            ("soon", Value::from(expiry.on <= soon)),
        ]
    });
    vec![
        ("mailboxes", folders(false)),
        ("away", folders(true)),
        ("met", Value::from(said::number(health.ledger.met))),
        ("every_outcome", Value::from(health.ledger.gaps.is_empty())),
        ("gaps", gaps),
        ("gap_count", Value::from(health.ledger.gaps.iter().map(length).sum::<u64>())),
        ("set_aside", Value::from(health.set_aside_waiting)),
        (
            "set_aside_due",
            Value::from(health.set_aside_due_on.map(|on| said::day(on, today)).unwrap_or_default()),
        ),
        ("stuck", Value::from(health.stuck)),
        ("holidays_until", Value::from(long_date(health.calendar_known_until))),
        ("holidays_end_soon", Value::from(health.calendar_known_until <= soon)),
        ("expiries", expiries),
        ("expiries_known", Value::from(health.expiries.is_some())),
    ]
}
