//! The sections of a report, one after the other. How each figure is counted is said in `digest/figures.rs`; here in words for
//! whoever reads the report.

use super::{Cell, Section, Table, briefly, known, long, moment, percent, several, short, thousands};
use crate::digest::figures::{Figures, Health, Rules, ServiceFigures};
use crate::digest::{Period, names};

pub(super) fn sections(figures: &Figures) -> Vec<Section> {
    vec![
        over_time(figures),
        sources(figures),
        chasers(figures),
        acknowledgements(figures),
        rules(&figures.rules),
        standing(figures),
        health(&figures.health),
    ]
}

fn section(title: &str, notes: &[&str], tables: Vec<Table>) -> Section {
    Section {
        title: title.to_owned(),
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        // A table without rows says nothing that its section does not.
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
    }
}

fn over_time(figures: &Figures) -> Section {
    let target = figures.target_working_days;
    let mut table = Table::new(
        "Week by week",
        &["Days", "Received", "Answered", "In promised time", "On time", "Median days", "90 % within"],
    );
    let row = |name: String, one: &ServiceFigures| {
        let rate = one.on_time_rate();
        let days = |days: Option<u32>| Cell::maybe(days.map(u64::from));
        vec![
            Cell::Words(name),
            Cell::maybe(one.received),
            Cell::maybe(one.answered),
            Cell::maybe(one.within_target),
            rate.map_or_else(|| Cell::Figure("-".to_owned()), |rate| Cell::Bar(percent(rate), rate)),
            days(one.median_working_days),
            days(one.p90_working_days),
        ]
    };
    table.rows = figures.service.spans.iter().map(|span| row(briefly(span.period), &span.figures)).collect();
    if figures.service.spans.iter().any(|span| is_longer_than_a_week(span.period)) {
        table.caption = "Month by month".to_owned();
    }
    table.rows.push(row("The whole period".to_owned(), &figures.service.whole));
    let whole = &figures.service.whole;
    let mut section = section(
        "How we did",
        &["A dash means that nothing is known, or that there was nothing to count."],
        vec![table],
    );
    section.notes.insert(
        0,
        format!(
            "An answer is promised within {target} working days (call-backs 5). \"On time\" is the share of the answers whose \
             time ended in these days that were given in it; leaving old cases lie does not better it."
        ),
    );
    if let (Some(answered), Some(within), Some(by_due)) =
        (whole.answered, whole.within_target, whole.by_due_date)
    {
        let more = match by_due.saturating_sub(within) {
            0 => String::new(),
            more => format!(", and {} more by a later day that staff had named", thousands(more)),
        };
        let answers = several(answered, "answer");
        section
            .notes
            .push(format!("Of {answers}, {} came within the promised time{more}.", thousands(within)));
    }
    section
}

fn is_longer_than_a_week(period: Period) -> bool {
    (period.to - period.from).num_days() > 7
}

fn sources(figures: &Figures) -> Section {
    let sources = &figures.sources;
    let all = sources.queues.iter().map(|one| one.count).sum();
    let as_is = |word: &str| word.to_owned();
    let table = |caption: &str, first: &str, counts, say| Table::of_counts(caption, first, counts, all, say);
    let mut section = section(
        "Where the work came from",
        &[
            "A case with two grounds counts for both. Who wrote is told from the words and the address, where they tell.",
        ],
        vec![
            table("By team", "Team", &sources.queues, names::team),
            table("By area", "Area", &sources.areas, names::area),
            table("By ground", "Ground", &sources.grounds, as_is),
            table("By who wrote", "Who", &sources.roles, names::role),
        ],
    );
    section.notes.insert(
        0,
        format!(
            "Received: {}, {} of them urgent as they stand now.",
            several(all, "case"),
            thousands(sources.urgent)
        ),
    );
    section
}

fn chasers(figures: &Figures) -> Section {
    let chasers = &figures.chasers;
    let mut steps =
        Table::new("Waiting at each step of the escalation", &["Step", "Waiting", "Its time is over"]);
    let who = |step| match step {
        2 => "2, the team lead",
        3 => "3, a more senior manager",
        _ => "4, the SEND Resolution Team",
    };
    steps.rows = chasers
        .steps
        .iter()
        .map(|one| {
            vec![Cell::Words(who(one.step).to_owned()), Cell::figure(one.waiting), Cell::figure(one.overdue)]
        })
        .collect();
    let mut section = section(
        "Who asked again",
        &[],
        vec![
            Table::of_cases("Waiting cases asked about again, the most often first", &chasers.waiting),
            steps,
        ],
    );
    section.notes.push(format!(
        "In the period {} asked again. Of those that wait now, {} have been asked about, {} of them more than once.",
        several(chasers.received, "message"),
        thousands(chasers.waiting.total),
        thousands(chasers.repeated)
    ));
    section
}

/// `14 seconds`, `3 minutes`, `2 hours`.
pub(crate) fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{} {unit}{}", thousands(count), if count == 1 { "" } else { "s" })
}

fn acknowledgements(figures: &Figures) -> Section {
    let acks = &figures.acknowledgements;
    let mut withheld =
        Table::new("Not acknowledged, and why", &["Why", "People", "Machines, lists, colleagues"]);
    withheld.rows = acks
        .withheld
        .iter()
        .map(|one| vec![Cell::Words(one.reason.clone()), Cell::figure(one.people), Cell::figure(one.others)])
        .collect();
    let mut never = Table::new("These senders never got theirs", &["Case", "Day", "What happened"]);
    never.rows = acks
        .bounced
        .rows
        .iter()
        .map(|one| {
            let status = one.status.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            let what = if one.refused { "refused by the mail server" } else { "came back as undeliverable" };
            vec![
                Cell::Words(one.reference.clone().unwrap_or_else(|| "no case".to_owned())),
                Cell::Words(short(one.bounced_on)),
                Cell::Words(format!("{what}{status}")),
            ]
        })
        .collect();
    let mut section = section("Acknowledgements", &[], vec![never, withheld]);
    let mut said = format!("Sent: {}", thousands(acks.sent));
    if let (Some(median), Some(most)) = (acks.median_seconds, acks.p95_seconds) {
        said.push_str(&format!(", half of them within {}, 19 of 20 within {}", span(median), span(most)));
    }
    section.notes.push(format!("{said}."));
    if acks.waiting + acks.stuck > 0 {
        section.notes.push(format!(
            "{} wait to be sent; {} cannot be sent without a person: `send-triage cases list` says why.",
            thousands(acks.waiting),
            thousands(acks.stuck)
        ));
    }
    section
}

fn rules(rules: &Rules) -> Section {
    let said = &rules.corrections;
    let mut table = Table::new("What staff corrected", &["Correction", "How often"]);
    // Nothing corrected is said in a sentence.
    let rows = [
        ("to urgent: the rules had missed it", said.to_urgent),
        ("to standard: a false alarm", said.to_standard),
        ("to another team", said.to_another_team),
        ("to another area", said.to_another_area),
        ("a person's after all", said.to_person),
        ("no person's after all", said.to_no_person),
    ];
    table.rows = rows
        .iter()
        .filter(|_| said.total > 0)
        .map(|(what, times)| vec![Cell::Words((*what).to_owned()), Cell::figure(*times)])
        .collect();
    let mut alarms = Table::new("False alarms by ground", &["Ground", "How often"]);
    alarms.rows = said
        .false_alarms
        .iter()
        .map(|one| vec![Cell::Words(one.name.clone()), Cell::figure(one.count)])
        .collect();
    let mut silent = Table::new("Rules that said nothing for twelve weeks", &["Rule", "Title", "Last spoke"]);
    silent.rows = rules
        .silent_in_twelve_weeks
        .iter()
        .flatten()
        .map(|rule| {
            let last = rule.last_on.map_or_else(|| "never, since it is counted".to_owned(), short);
            vec![Cell::Words(rule.id.clone()), Cell::Words(rule.title.clone()), Cell::Words(last)]
        })
        .collect();
    let mut section = section("How the rules did", &[], vec![table, alarms, silent]);
    section.notes.push(format!(
        "Decided about: {}. Marked unsure, for a person to look at: {}. Staff made {}.",
        several(rules.decided, "message"),
        thousands(rules.unsure),
        several(said.total, "correction")
    ));
    if rules.in_force.is_some() && rules.silent_in_twelve_weeks.is_none() {
        section.notes.push("Which rules never speak can be told after twelve weeks.".to_owned());
    }
    if let (Some(silent), Some(all)) = (rules.silent_in_period, rules.in_force) {
        section.notes.push(format!(
            "{} of {} rules said nothing in the period.",
            thousands(silent),
            thousands(all)
        ));
    }
    section.notes.extend(
        rules.refused_edit.iter().map(|what| format!("A change of the rules stands refused: {what}.")),
    );
    section
}

fn standing(figures: &Figures) -> Section {
    let needs = &figures.needs_you;
    let mut ages = Table::new(
        "Waiting, by working days since they came in",
        &["Working days", "Waiting", "Of these, later day named"],
    );
    let waiting = figures.open_by_age.ages.iter().filter(|age| age.open + age.extended > 0);
    ages.rows = waiting
        .map(|age| {
            let or_more = if age.or_more { " or more" } else { "" };
            vec![
                Cell::Words(format!("{}{or_more}", age.working_days)),
                Cell::figure(age.open + age.extended),
                Cell::figure(age.extended),
            ]
        })
        .collect();
    let five = format!("Due by {}", short(figures.forecast.five_end_on));
    let ten = format!("Due by {}", short(figures.forecast.ten_end_on));
    let mut forecast = Table::new("What is due, by team", &["Team", "Overdue", &five, &ten]);
    forecast.rows = figures
        .forecast
        .queues
        .iter()
        .map(|one| {
            vec![
                Cell::Words(names::team(&one.queue)),
                Cell::figure(one.overdue),
                Cell::figure(one.in_five),
                Cell::figure(one.in_ten),
            ]
        })
        .collect();
    let mut section = section(
        "How things stand",
        &[],
        vec![
            Table::of_cases("Overdue", &needs.overdue),
            Table::of_cases("Urgent, and nobody has responded", &needs.urgent),
            Table::of_cases("Due this week", &needs.due_this_week),
            ages,
            forecast,
        ],
    );
    section.notes.push(format!(
        "Waiting for an answer on {}: {}, {} of them overdue.",
        long(figures.today),
        several(figures.open_by_age.total(), "case"),
        thousands(needs.overdue.total)
    ));
    section
}

fn health(health: &Health) -> Section {
    let ledger = &health.ledger;
    let mut met = Table::new("What became of every message met", &["Outcome", "Messages"]);
    let rows = [
        ("decided", ledger.decided),
        ("copies of known messages", ledger.copies),
        ("our own letters", ledger.own_letters),
        ("set aside for a person", ledger.set_aside),
        ("left alone", ledger.left_alone),
    ];
    met.rows = rows
        .iter()
        .map(|(what, times)| vec![Cell::Words((*what).to_owned()), Cell::figure(*times)])
        .collect();
    let mut mailboxes = Table::new("When each mailbox last answered", &["Account", "Folder", "When"]);
    mailboxes.rows = health
        .mailboxes
        .iter()
        .map(|one| {
            let (account, folder) = (one.account.clone(), one.folder.clone());
            vec![Cell::Words(account), Cell::Words(folder), Cell::Words(moment(one.last_seen_at))]
        })
        .collect();
    let gaps: u64 = ledger.gaps.iter().map(|gap| u64::from(gap.last_uid - gap.first_uid) + 1).sum();
    let mut section = section("The program itself", &[], vec![met, mailboxes]);
    section.notes.push(if gaps == 0 {
        format!("Every one of {} messages met in the period has an outcome.", thousands(ledger.met))
    } else {
        format!(
            "{} messages have no outcome, which should not be: tell whoever runs the program.",
            thousands(gaps)
        )
    });
    if health.set_aside_waiting > 0 {
        section.notes.push(format!(
            "{} could not be read and wait for a person: `send-triage cases withheld` lists them.",
            known(Some(health.set_aside_waiting))
        ));
    }
    section.notes.push(format!("Bank holidays are on file until {}.", long(health.calendar_known_until)));
    let expiries = health.expiries.iter().flatten();
    section
        .notes
        .extend(expiries.map(|one| format!("{} serves until {}.", super::capital(&one.what), long(one.on))));
    section
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn delays_are_said_in_the_unit_that_people_would_use() {
        for (seconds, said) in [
            (1, "1 second"),
            (52, "52 seconds"),
            (119, "119 seconds"),
            (180, "3 minutes"),
            (7_200, "2 hours"),
            (200_000, "2 days"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }
}
