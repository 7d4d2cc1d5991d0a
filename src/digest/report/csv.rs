//! The figures of a report for a spreadsheet: one figure a line, with what it is of. Figures are as they were counted: shares
//! from 0 to 1, delays in seconds, days as `YYYY-MM-DD`; an empty value is not known.

use crate::digest::figures::{Count, Figures, Listed, NeedsRow, ServiceFigures};

/// The columns.
pub const HEADING: [&str; 6] = ["part", "from", "to", "of", "measure", "value"];

/// The lines below the heading.
pub fn rows(figures: &Figures) -> Vec<[String; 6]> {
    let mut rows =
        Rows { from: figures.period.from.to_string(), to: figures.period.to.to_string(), rows: Vec::new() };
    rows.service("whole", &figures.service.whole);
    let (from, to) = (rows.from.clone(), rows.to.clone());
    for span in &figures.service.spans {
        (rows.from, rows.to) = (span.period.from.to_string(), span.period.to.to_string());
        rows.service("span", &span.figures);
    }
    (rows.from, rows.to) = (from, to);
    let sources = &figures.sources;
    rows.counts("received by team", &sources.queues);
    rows.counts("received by area", &sources.areas);
    rows.counts("received by ground", &sources.grounds);
    rows.counts("received by who wrote", &sources.roles);
    rows.one("received", "urgent", "cases", sources.urgent);
    rows.one("chasers", "messages", "received", figures.chasers.received);
    acknowledgements(&mut rows, figures);
    rules(&mut rows, figures);
    let ledger = &figures.health.ledger;
    for (outcome, times) in [
        ("decided", ledger.decided),
        ("copies", ledger.copies),
        ("own letters", ledger.own_letters),
        ("set aside", ledger.set_aside),
        ("left alone", ledger.left_alone),
    ] {
        rows.one("ledger", outcome, "messages", times);
    }
    // How things stand is about one day.
    (rows.from, rows.to) = (figures.today.to_string(), figures.today.to_string());
    let needs = &figures.needs_you;
    rows.cases("overdue", &needs.overdue);
    rows.cases("urgent without a response", &needs.urgent);
    rows.cases("due this week", &needs.due_this_week);
    rows.cases("asked about again", &figures.chasers.waiting);
    rows.one("chasers", "asked about more than once", "waiting", figures.chasers.repeated);
    for step in &figures.chasers.steps {
        rows.one("escalation", &format!("step {}", step.step), "waiting", step.waiting);
        rows.one("escalation", &format!("step {}", step.step), "overdue", step.overdue);
    }
    for age in &figures.open_by_age.ages {
        let of = format!("{}{}", age.working_days, if age.or_more { " or more" } else { "" });
        rows.one("waiting by working days", &of, "open", age.open);
        rows.one("waiting by working days", &of, "extended", age.extended);
    }
    for queue in &figures.forecast.queues {
        rows.one("forecast", &queue.queue, "overdue", queue.overdue);
        rows.one("forecast", &queue.queue, "due in 5 working days", queue.in_five);
        rows.one("forecast", &queue.queue, "due in 10 working days", queue.in_ten);
    }
    rows.one("health", "messages that could not be read", "waiting", figures.health.set_aside_waiting);
    rows.one("health", "letters and filings", "stuck", figures.health.stuck);
    rows.one("health", "bank holidays", "known until", figures.health.calendar_known_until);
    rows.rows
}

fn acknowledgements(rows: &mut Rows, figures: &Figures) {
    let acks = &figures.acknowledgements;
    rows.one("acknowledgements", "all", "sent", acks.sent);
    rows.maybe("acknowledgements", "all", "median seconds", acks.median_seconds);
    rows.maybe("acknowledgements", "all", "95th percentile seconds", acks.p95_seconds);
    rows.one("acknowledgements", "all", "never arrived", acks.bounced.total);
    for why in &acks.withheld {
        rows.one("not acknowledged", &why.reason, "people", why.people);
        rows.one("not acknowledged", &why.reason, "others", why.others);
    }
}

fn rules(rows: &mut Rows, figures: &Figures) {
    let rules = &figures.rules;
    rows.one("rules", "messages", "decided", rules.decided);
    rows.one("rules", "messages", "unsure", rules.unsure);
    let said = &rules.corrections;
    for (measure, times) in [
        ("all", said.total),
        ("to urgent", said.to_urgent),
        ("to standard", said.to_standard),
        ("to another team", said.to_another_team),
        ("to another area", said.to_another_area),
        ("a person's after all", said.to_person),
        ("no person's after all", said.to_no_person),
    ] {
        rows.one("rules", "corrections", measure, times);
    }
    rows.counts("false alarms by ground", &said.false_alarms);
    rows.maybe("rules", "rules", "in force", rules.in_force);
    rows.maybe("rules", "rules", "silent in the period", rules.silent_in_period);
    for rule in rules.silent_in_twelve_weeks.iter().flatten() {
        rows.maybe("rules silent for twelve weeks", &rule.id, "last spoke", rule.last_on);
    }
}

struct Rows {
    from: String,
    to: String,
    rows: Vec<[String; 6]>,
}

impl Rows {
    fn one(&mut self, part: &str, of: &str, measure: &str, value: impl ToString) {
        let words = [part, &self.from, &self.to, of, measure].map(str::to_owned);
        let [part, from, to, of, measure] = words;
        self.rows.push([part, from, to, of, measure, value.to_string()]);
    }

    fn maybe(&mut self, part: &str, of: &str, measure: &str, value: Option<impl ToString>) {
        self.one(part, of, measure, value.map(|value| value.to_string()).unwrap_or_default());
    }

    fn counts(&mut self, part: &str, counts: &[Count]) {
        for one in counts {
            self.one(part, &one.name, "cases", one.count);
        }
    }

    fn service(&mut self, of: &str, figures: &ServiceFigures) {
        for (measure, count) in [
            ("received", figures.received),
            ("opened again", figures.reopened),
            ("answered", figures.answered),
            ("answered within the promised time", figures.within_target),
            ("answered by the day that held", figures.by_due_date),
            ("fell due", figures.fell_due),
            ("fell due and was answered in time", figures.fell_due_kept),
        ] {
            self.maybe("service", of, measure, count);
        }
        let share = |share: Option<f64>| share.map(|share| format!("{share:.4}"));
        self.maybe("service", of, "share within the promised time", share(figures.share_within_target()));
        self.maybe("service", of, "on-time rate", share(figures.on_time_rate()));
        self.maybe("service", of, "median working days", figures.median_working_days);
        self.maybe("service", of, "90th percentile working days", figures.p90_working_days);
    }

    fn cases(&mut self, part: &str, list: &Listed<NeedsRow>) {
        self.one(part, "all", "cases", list.total);
        for row in &list.rows {
            self.maybe(part, &row.reference, "due on", row.due_on);
        }
    }
}
