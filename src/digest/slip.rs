//! The decision slip: one case on a page for whoever asks about it later. What was decided, when, by which rules; how the days were
//! counted, one by one; and everything since. Nothing is decided anew here: it is what was written down at the time.
//!
//! communication-policy, email d, and "review"; a complaint or a request for information is answered from it. Without names unless they
//! are asked for.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::report::markup::{escaped, page};
use super::report::{long, moment};

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slip {
    /// `SEND-7K4M-2Q9X`.
    pub reference: String,
    /// When this slip was made.
    pub made_at: DateTime<Utc>,
    /// Whether it is urgent, as it stands now.
    pub urgent: bool,
    /// How it stands, in a sentence.
    pub standing: String,
    /// What there is to know at a glance: a name and its value.
    pub facts: Vec<(String, String)>,
    /// What was decided, for each message of the case that was decided about, the oldest first.
    pub decisions: Vec<Decided>,
    /// How the days were counted: for the opening, and each time that an answer was owed anew.
    pub countings: Vec<Counting>,
    /// Everything that happened, in order.
    pub happened: Vec<Happened>,
}

/// One decision as it was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decided {
    /// The message, as what it belongs to the case: `the message that opened the case`.
    pub message: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// The version of the rules that decided.
    pub rules_version: String,
    /// What was decided: a name and its value.
    pub labels: Vec<(String, String)>,
    /// Why.
    pub findings: Vec<Finding>,
}

/// One rule's say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// The clause of the policy that it serves.
    pub policy: String,
    /// The words of the message that it rests on; `None`: not shown, none, or no longer kept.
    pub words: Option<String>,
    /// Whether it counted.
    pub counted: bool,
    /// Why.
    pub reason: String,
}

/// How one day for an answer was counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counting {
    /// What was counted: `from receipt`, ...
    pub of: String,
    /// Day 0.
    pub day_zero: NaiveDate,
    /// The last day.
    pub due_on: NaiveDate,
    /// Every day after day 0 up to the last.
    pub days: Vec<Day>,
    /// How the days were counted was not written down at the time: they are counted by the calendar as it is now.
    pub counted_now: bool,
}

/// One day of a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day.
    pub on: NaiveDate,
    /// Which working day it is; `None`: it was not counted.
    pub number: Option<u32>,
    /// Why it was not counted: `Saturday`, `Christmas Day`; empty: it was.
    pub why: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it; empty: the program.
    pub by: String,
    /// What.
    pub what: String,
}

impl Counting {
    /// The days after day 0, of which those with a name were passed over.
    pub fn new(
        of: &str,
        day_zero: NaiveDate,
        due_on: NaiveDate,
        passed_over: &[(NaiveDate, String)],
    ) -> Self {
        let mut number = 0;
        let days = day_zero.iter_days().skip(1).take_while(|on| *on <= due_on);
        let days = days.map(|on| match passed_over.iter().find(|(closed, _)| *closed == on) {
            Some((_, why)) => Day { on, number: None, why: why.clone() },
            None => {
                number += 1;
                Day { on, number: Some(number), why: String::new() }
            }
        });
        Self { of: of.to_owned(), day_zero, due_on, days: days.collect(), counted_now: false }
    }

    /// `10 working days after Thursday 17 December 2026, the day of receipt`.
    fn sentence(&self) -> String {
        let count = self.days.iter().filter_map(|day| day.number).max().unwrap_or(0);
        let s = if count == 1 { "" } else { "s" };
        let now = if self.counted_now { " (by the calendar as it is now)" } else { "" };
        format!("{}: {count} working day{s} after {}, day 0{now}.", self.of, long(self.day_zero))
    }
}

impl Finding {
    fn line(&self) -> String {
        let words = self.words.as_ref().map(|words| format!(" \u{201C}{words}\u{201D}")).unwrap_or_default();
        let aside = if self.counted { "" } else { ", does not count" };
        let clause = if self.policy.is_empty() { String::new() } else { format!(" [{}]", self.policy) };
        format!("{}{aside}:{words} {}{clause}", self.rule, self.reason)
    }
}

/// For the terminal.
pub fn text(slip: &Slip) -> String {
    let mut out = format!("Decision slip: {}{}\n", slip.reference, if slip.urgent { "  URGENT" } else { "" });
    let _ = writeln!(out, "{}\n", slip.standing);
    for (name, value) in &slip.facts {
        let _ = writeln!(out, "  {name:<18}{value}");
    }
    for decided in &slip.decisions {
        let _ = writeln!(
            out,
            "\nWhat was decided about {}\n  received {}\n  decided {}, by the rules of version {}",
            decided.message,
            moment(decided.received_at),
            moment(decided.decided_at),
            decided.rules_version
        );
        for (name, value) in &decided.labels {
            let _ = writeln!(out, "  {name:<18}{value}");
        }
        for finding in &decided.findings {
            let _ = writeln!(out, "    - {}", finding.line());
        }
    }
    for counting in &slip.countings {
        let _ = writeln!(out, "\nHow the day for the answer was counted\n  {}", counting.sentence());
        for day in &counting.days {
            let number = day.number.map_or_else(|| "-".to_owned(), |number| number.to_string());
            let _ = writeln!(out, "  {number:>3}  {:<28}{}", long(day.on), day.why);
        }
        let _ = writeln!(out, "  The answer is due by the end of {}.", long(counting.due_on));
    }
    let _ = writeln!(out, "\nWhat happened");
    for one in &slip.happened {
        let by = if one.by.is_empty() { String::new() } else { format!(" ({})", one.by) };
        let _ = writeln!(out, "  {}: {}{by}", moment(one.at), one.what);
    }
    let _ = writeln!(out, "\nMade {}.", moment(slip.made_at));
    // No line ends in blanks: it is compared and pasted.
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// As one HTML file that prints well.
pub fn html(slip: &Slip) -> String {
    let title = format!("Decision slip: {}", slip.reference);
    let tag = if slip.urgent { " <span class=\"tag urgent\">Urgent</span>" } else { "" };
    let mut body = format!(
        "<header>\n<h1>{}{tag}</h1>\n<p>{}</p>\n</header>\n{}",
        escaped(&title),
        escaped(&slip.standing),
        list(&slip.facts)
    );
    for decided in &slip.decisions {
        let _ = writeln!(
            body,
            "<section>\n<h2>What was decided about {}</h2>\n<p>Received {}. Decided {}, by the rules of version {}.</p>\n{}",
            escaped(&decided.message),
            escaped(&moment(decided.received_at)),
            escaped(&moment(decided.decided_at)),
            escaped(&decided.rules_version),
            list(&decided.labels)
        );
        body.push_str(&findings(&decided.findings));
        body.push_str("</section>\n");
    }
    for counting in &slip.countings {
        let _ = writeln!(
            body,
            "<section>\n<h2>How the day for the answer was counted</h2>\n<p>{}</p>\n<ol class=\"count\">",
            escaped(&counting.sentence())
        );
        for day in &counting.days {
            let number = day.number.map_or_else(|| "\u{2013}".to_owned(), |number| number.to_string());
            let why = if day.why.is_empty() { String::new() } else { format!(" ({})", escaped(&day.why)) };
            let class = match (day.number, day.on == counting.due_on) {
                (_, true) => " class=\"last\"",
                (None, false) => " class=\"off\"",
                (Some(_), false) => "",
            };
            let _ =
                writeln!(body, "<li{class}><b>{number}</b><span>{}{why}</span></li>", escaped(&long(day.on)));
        }
        let _ = writeln!(
            body,
            "</ol>\n<p>The answer is due by the end of <strong>{}</strong>.</p>\n</section>",
            escaped(&long(counting.due_on))
        );
    }
    body.push_str(&happened(&slip.happened));
    let _ = writeln!(body, "<footer>Made {}.</footer>", escaped(&moment(slip.made_at)));
    page(&title, &body)
}

fn list(pairs: &[(String, String)]) -> String {
    let items =
        pairs.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value)));
    format!("<dl class=\"facts\">\n{}</dl>\n", items.collect::<String>())
}

fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "<p>No finding is on record.</p>\n".to_owned();
    }
    let mut out = String::from(
        "<div class=\"wide\"><table>\n<caption>Why</caption>\n<thead><tr><th scope=\"col\">Rule</th><th scope=\"col\">What it said</th>\
         <th scope=\"col\">Policy</th></tr></thead>\n<tbody>\n",
    );
    for one in findings {
        let words = one.words.as_ref().map(|words| format!("<q>{}</q> ", escaped(words))).unwrap_or_default();
        let aside = if one.counted { "" } else { "<strong>Does not count:</strong> " };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{aside}{words}{}</td><td>{}</td></tr>",
            escaped(&one.rule),
            escaped(&one.reason),
            escaped(&one.policy)
        );
    }
    out + "</tbody>\n</table></div>\n"
}

fn happened(all: &[Happened]) -> String {
    let mut out = String::from(
        "<section>\n<h2>What happened</h2>\n<div class=\"wide\"><table>\n<caption>In order</caption>\n<thead><tr><th scope=\"col\">When</th>\
         <th scope=\"col\">What</th><th scope=\"col\">Who</th></tr></thead>\n<tbody>\n",
    );
    for one in all {
        let by = if one.by.is_empty() { "the program" } else { &one.by };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            escaped(&moment(one.at)),
            escaped(&one.what),
            escaped(by)
        );
    }
    out + "</tbody>\n</table></div>\n</section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_counted_one_by_one_across_christmas() {
        let closed = [("2026-12-25", "Christmas Day"), ("2026-12-26", "Saturday"), ("2026-12-27", "Sunday")];
        let closed: Vec<_> = closed.iter().map(|(on, why)| (day(on), (*why).to_owned())).collect();
        let counting =
            Counting::new("An answer within 10 working days", day("2026-12-23"), day("2026-12-28"), &closed);
        let said: Vec<_> = counting.days.iter().map(|day| (day.number, day.why.as_str())).collect();
        let wanted =
            [(Some(1), ""), (None, "Christmas Day"), (None, "Saturday"), (None, "Sunday"), (Some(2), "")];
        assert_eq!(said, wanted);
        assert!(counting.sentence().contains("2 working days after Wednesday 23 December 2026"));
    }
}
