//! Whether the wording files can be used: every text is read, every field looked up, every letter written with sample
//! facts in all their variety. Complaints are for the officer who edits the texts, not for programmers.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::acknowledgement::{self, AcknowledgementFacts, Counted, SIGNPOSTS};
use super::alert::{self, AlertFacts};
use super::passed_on::{self, PassedOnFacts};
use super::wording::{BUILT_IN, Source, Wording, WordingError, WordingProblem};
use super::{
    Council, Sender, briefing, check_digest, check_staff, digest, markup, notice, referral, reminder,
};
use crate::case::{Reference, Step};
use crate::message::Fingerprint;
use crate::triage::{Chaser, Signpost};

/// All that is wrong with these texts.
pub(super) fn problems(wording: &Wording) -> Vec<WordingProblem> {
    let mut problems = Vec::new();
    for (name, source) in wording.sources() {
        match wording.named_fields(name, source) {
            Ok(fields) => problems.extend(fields.iter().filter_map(|f| unknown_field(name, source, f))),
            Err(problem) => problems.push(problem),
        }
    }
    // A text that cannot be read, or asks for what does not exist, would complain again in every letter.
    if problems.is_empty() {
        problems.extend(acknowledgements(wording));
        problems.extend(alerts(wording));
        problems.extend(words_about_passing_on(wording));
        problems.extend(check_staff::problems(wording));
        problems.extend(check_digest::problems(wording));
    }
    problems
}

/// The fields that a text may name.
fn known_fields(name: &str) -> Vec<&'static str> {
    let own: &[&[(&'static str, &str)]] = match name {
        "alert.txt" => &[alert::FIELDS, Council::FIELDS],
        "passed-on.txt" => &[passed_on::FIELDS, Council::FIELDS],
        "alerts-gathered.txt" => &[alert::GATHERED_FIELDS, Council::FIELDS],
        "reminder.txt" => &[reminder::FIELDS, Council::FIELDS],
        "case-line.txt" => &[notice::FIELDS, Council::FIELDS],
        "referral.txt" => &[referral::FIELDS, Council::FIELDS],
        "briefing.txt" => &[briefing::FIELDS, Council::FIELDS],
        "digest.txt" => &[digest::FIELDS, digest::PART_FIELDS, Council::FIELDS],
        "digest/case.txt" => &[digest::ROW_FIELDS, Council::FIELDS],
        name if name.starts_with("digest/") => &[digest::FIELDS, Council::FIELDS],
        "acknowledgement.txt" => &[acknowledgement::FIELDS, acknowledgement::INNER_TEXTS, Council::FIELDS],
        _ => &[acknowledgement::FIELDS, Council::FIELDS],
    };
    own.iter().flat_map(|fields| fields.iter().map(|(name, _)| *name)).collect()
}

/// Whether this file's text may stand within the letter of that name.
fn is_within(letter: &str, file: &str) -> bool {
    file == letter
        || match letter {
            "acknowledgement.txt" => file == "cannot-wait.txt" || file.starts_with("signposts/"),
            "digest.txt" => file.starts_with("digest/"),
            "reminder.txt" | "alerts-gathered.txt" => file == "case-line.txt",
            _ => false,
        }
}

fn unknown_field(name: &str, source: &Source, field: &str) -> Option<WordingProblem> {
    let known = known_fields(name);
    if known.contains(&field) || field == "loop" {
        return None;
    }
    let (line, column) = whereabouts(&source.text, field).map_or((0, None), |at| place(&source.text, at));
    let guess =
        nearest(field, known.iter().copied()).map(|n| format!("did you mean {n}? ")).unwrap_or_default();
    Some(WordingProblem {
        file: source.file.clone(),
        line,
        column,
        problem: format!("there is no field \"{field}\""),
        remedy: format!("{guess}fields here: {}", known.join(", ")),
    })
}

/// A file that is none of ours.
pub(super) fn unknown_file(file: &str, name: &str) -> WordingProblem {
    let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    let guess =
        nearest(name, names.iter().copied()).map(|n| format!("did you mean {n}? ")).unwrap_or_default();
    WordingProblem {
        file: file.to_owned(),
        line: 0,
        column: None,
        problem: "no letter uses a text of this name".to_owned(),
        remedy: format!("{guess}the texts are: {}", names.join(", ")),
    }
}

/// Where a field is named within `{{ }}` or `{% %}`.
fn whereabouts(text: &str, field: &str) -> Option<usize> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(field).map(|(at, _)| at).find(|at| {
        let (before, after) = text.split_at(*at);
        let after = after.get(field.len()..).unwrap_or_default();
        let open = ["{{", "{%"].iter().filter_map(|sign| before.rfind(sign)).max();
        let closed = ["}}", "%}"].iter().filter_map(|sign| before.rfind(sign)).max();
        open.is_some() && open > closed && !word(before.chars().next_back()) && !word(after.chars().next())
    })
}

/// Line and column, from 1, of a byte of the text.
pub(super) fn place(text: &str, at: usize) -> (usize, Option<usize>) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, Some(column))
}

/// The known name that a misspelt one is likely to mean.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |w: &str| w.to_lowercase().replace(['-', ' '], "_");
    known
        .map(|name| (distance(&plain(word), &plain(name)), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((j, d), pair) in b.iter().enumerate().zip(row.windows(2)) {
            let (&[diagonal, above], Some(left)) = (pair, next.get(j).copied()) else { continue };
            next.push((diagonal + usize::from(c != *d)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Collects complaints, each once, however many letters show it.
#[derive(Default)]
pub(super) struct Complaints {
    seen: BTreeSet<(String, usize, String)>,
    pub(super) list: Vec<WordingProblem>,
}

impl Complaints {
    fn add(&mut self, problem: WordingProblem) {
        if self.seen.insert((problem.file.clone(), problem.line, problem.problem.clone())) {
            self.list.push(problem);
        }
    }

    /// Takes one letter's words and complains about what must not, or must, stand in them.
    pub(super) fn look_at(
        &mut self,
        wording: &Wording,
        name: &str,
        words: Result<(String, String), WordingError>,
        must_say: &[(&str, &str)],
    ) {
        let (subject, body) = match words {
            Ok(words) => words,
            Err(WordingError::Text(problem)) => return self.add(*problem),
            Err(_) => return,
        };
        let file = |name: &str| {
            wording.sources().find(|(n, _)| *n == name).map(|(_, s)| s.file.clone()).unwrap_or_default()
        };
        let whole = |problem: String, remedy: &str| WordingProblem {
            file: file(name),
            line: 0,
            column: None,
            problem,
            remedy: remedy.to_owned(),
        };
        if subject.chars().count() > 120 {
            self.add(whole(format!("the subject is longer than 120 characters: {subject}"), "shorten it"));
        }
        let (blocks, slips) = markup::parse(&body);
        let text = markup::to_text(&blocks);
        for (field, value) in must_say {
            if !text.contains(value) {
                let remedy = "a reader needs it: put it where it is always shown, outside any {% if %}";
                self.add(whole(format!("the letter does not always say {{{{ {field} }}}}"), remedy));
            }
        }
        for line in subject.lines().chain(body.lines()).filter(|line| line.contains(['{', '}'])) {
            self.slip(
                wording,
                name,
                line,
                "a single { or } would be shown to the reader",
                "write {{ name }} for a field",
            );
        }
        for slip in slips {
            self.slip(wording, name, &slip.line, &slip.problem, &slip.remedy);
        }
    }

    /// A complaint about a line as it was rendered: the line of the file from which it came is looked for.
    fn slip(&mut self, wording: &Wording, name: &str, rendered: &str, problem: &str, remedy: &str) {
        let found = wording.sources().filter(|(n, _)| is_within(name, n)).find_map(|(_, source)| {
            let line = source.text.lines().position(|line| comes_from(rendered, line))?;
            Some((source.file.clone(), line + 1))
        });
        let (file, line) = found.unwrap_or_else(|| (format!("wording/{name}"), 0));
        self.add(WordingProblem {
            file,
            line,
            column: None,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
}

/// Whether a rendered line may come from this line of a file: its own words stand in it, in order.
fn comes_from(rendered: &str, line: &str) -> bool {
    let mut rest = rendered;
    let mut own = 0;
    for (number, piece) in line.trim().split("{{").enumerate() {
        let words = if number == 0 { piece } else { piece.split_once("}}").map_or("", |(_, after)| after) };
        let Some(at) = rest.find(words) else { return false };
        rest = rest.get(at + words.len()..).unwrap_or_default();
        own += words.trim().len();
    }
    own >= 3
}

fn acknowledgements(wording: &Wording) -> Vec<WordingProblem> {
    let mut complaints = Complaints::default();
    let sample = Sample::new();
    let yes_no = [false, true];
    for (joined, passed) in yes_no.iter().flat_map(|j| yes_no.map(|p| (*j, p))) {
        for chaser in [Chaser::None, Chaser::Within, Chaser::Overdue] {
            for (urgent, school) in yes_no.iter().flat_map(|u| yes_no.map(|s| (*u, s))) {
                for signposts in [&[][..], &SIGNPOSTS[..]] {
                    let facts = sample.acknowledgement(joined, passed, chaser, urgent, school, signposts);
                    let due = acknowledgement::long_date(facts.due_on);
                    let must = [("reference", sample.reference.as_str()), ("answer_by", due.as_str())];
                    for (counted, step) in sample.lives() {
                        let facts = AcknowledgementFacts { counted, step, ..facts.clone() };
                        let words = acknowledgement::words(&facts, wording);
                        complaints.look_at(wording, "acknowledgement.txt", words, &must);
                    }
                }
            }
        }
    }
    let soon = sample.due_on - chrono::Days::new(12);
    let facts = AcknowledgementFacts {
        over_heads: Some(soon),
        ..sample.acknowledgement(false, false, Chaser::None, false, false, &[])
    };
    let (due, soon) = (acknowledgement::long_date(facts.due_on), acknowledgement::long_date(soon));
    let must = [
        ("reference", sample.reference.as_str()),
        ("answer_by", due.as_str()),
        ("first_response_by", soon.as_str()),
    ];
    complaints.look_at(wording, "resolution.txt", acknowledgement::words(&facts, wording), &must);
    complaints.list
}

fn alerts(wording: &Wording) -> Vec<WordingProblem> {
    let mut complaints = Complaints::default();
    let sample = Sample::new();
    for due_on in [None, Some(sample.due_on)] {
        let facts = AlertFacts {
            reference: &sample.reference,
            about: &sample.fingerprint,
            from: &sample.from,
            to: "duty@council.example",
            grounds: &["Out of education".to_owned(), "Exclusion risk".to_owned()],
            mailbox: "general",
            folder: "Urgent",
            queue: "General",
            received_at: sample.sent_at,
            due_on,
            council: &sample.council,
            sent_at: sample.sent_at,
        };
        let must = [("reference", sample.reference.as_str())];
        complaints.look_at(wording, "alert.txt", alert::words(&facts, wording), &must);
    }
    complaints.list
}

fn words_about_passing_on(wording: &Wording) -> Vec<WordingProblem> {
    let mut complaints = Complaints::default();
    let sample = Sample::new();
    let facts = PassedOnFacts {
        reference: sample.reference.as_str(),
        topic: "sample",
        from: &sample.from,
        to: "reader@council.example",
        in_reply_to: None,
        team: "the school transport team",
        council: &sample.council,
        sent_at: sample.sent_at,
    };
    let must = [("reference", sample.reference.as_str()), ("team", facts.team)];
    complaints.look_at(wording, "passed-on.txt", passed_on::words(&facts, wording), &must);
    complaints.list
}

/// Facts that owe nothing to any person.
pub(super) struct Sample {
    pub(super) reference: Reference,
    pub(super) fingerprint: Fingerprint,
    pub(super) from: Sender,
    pub(super) council: Council,
    pub(super) received_on: NaiveDate,
    pub(super) due_on: NaiveDate,
    pub(super) sent_at: DateTime<Utc>,
}

impl Sample {
    pub(super) fn new() -> Self {
        let fingerprint = Fingerprint([7; 32]);
        let day = |n: i64| NaiveDate::default() + chrono::Days::new(20_430 + n.unsigned_abs());
        Self {
            reference: Reference::of(&fingerprint, 0),
            fingerprint,
            from: Sender {
                address: "send@council.example".to_owned(),
                name: "SEND team".to_owned(),
                envelope_from: None,
            },
            council: Council::default(),
            received_on: day(0),
            due_on: day(14),
            sent_at: DateTime::from_timestamp(20_430 * 86_400 + 36_000, 0).unwrap_or_default(),
        }
    }

    /// What may have happened to a case that an email joins: one thing after the other, not all with all.
    fn lives(&self) -> [(Counted, Option<(Step, NaiveDate)>); 5] {
        let soon = self.received_on + chrono::Days::new(4);
        [
            (Counted::FromTheFirst, None),
            (Counted::FromTheFirst, Some((Step::TeamLead, soon))),
            (Counted::Extended, Some((Step::ResolutionTeam, soon))),
            (Counted::Extended, None),
            (Counted::Anew, None),
        ]
    }

    fn acknowledgement<'a>(
        &'a self,
        joined: bool,
        passed: bool,
        chaser: Chaser,
        urgent: bool,
        from_a_school: bool,
        signposts: &'a [Signpost],
    ) -> AcknowledgementFacts<'a> {
        AcknowledgementFacts {
            counted: Counted::FromTheFirst,
            step: None,
            over_heads: None,
            reference: &self.reference,
            answers: &self.fingerprint,
            from: &self.from,
            to: "reader@council.example",
            in_reply_to: None,
            references: &[],
            received_on: self.received_on,
            joined: joined.then(|| self.received_on - chrono::Days::new(20)),
            due_on: if passed { self.received_on - chrono::Days::new(6) } else { self.due_on },
            working_days: 10,
            signposts,
            from_a_school,
            chaser,
            urgent,
            council: &self.council,
            sent_at: self.sent_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complaints about one file of this text.
    fn complaints(name: &str, text: &str) -> Vec<WordingProblem> {
        Wording::load(&[(name.to_owned(), text.to_owned())]).err().unwrap_or_default()
    }

    const GOOD: &str = "Subject: Yours\n\n> Ref: {{ reference }}\n> By: {{ answer_by }}\n";

    #[test]
    fn the_built_in_texts_pass() {
        assert_eq!(problems(&Wording::built_in()), []);
        assert_eq!(complaints("wording/acknowledgement.txt", GOOD), []);
    }

    #[test]
    fn the_manual_lists_every_field() {
        let manual = include_str!("../../rules/wording/README.md");
        let fields = BUILT_IN.iter().flat_map(|(name, _)| known_fields(name));
        let missing: Vec<&str> = fields.filter(|f| !manual.contains(&format!("`{f}`"))).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn each_mistake_is_said_with_its_line_and_what_to_write() {
        for (added, line, said) in [
            ("By {{ answer_date }}", 6, "no field \"answer_date\""),
            ("By {{ answered_by }}", 6, "did you mean answer_by?"),
            ("\n{% if urgnt %}x{% endif %}", 7, "did you mean urgent?"),
            ("{% if urgent %}x", 0, "{% endif %}"),
            ("By {{ answer_by }", 6, "cannot be read"),
            ("By { answer_by }", 6, "{{ name }}"),
            ("Is it {{ urgent }}?", 6, "yes or no"),
            ("See [this](www.grid.example)", 6, "https://"),
            ("**Never closed", 6, "both sides"),
            (
                "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
                6,
                "no field \"range\"",
            ),
            ("{{ none }}", 6, "no value"),
        ] {
            let found = complaints("wording/acknowledgement.txt", &format!("{GOOD}\n{added}\n"));
            let said_by = |p: &WordingProblem| p.to_string().contains(said) && (line == 0 || p.line == line);
            assert!(found.iter().any(said_by), "{added}: {found:?}");
        }
    }

    #[test]
    fn a_letter_must_always_say_the_reference_and_the_date() {
        let found = complaints(
            "acknowledgement.txt",
            "Subject: Yours\n\n{{ reference }}\n{% if not urgent %}\n{{ answer_by }}\n{% endif %}\n",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().all(|p| p.problem.contains("{{ answer_by }}")), "{found:?}");
    }

    #[test]
    fn a_letter_without_a_subject_is_refused() {
        let found = complaints("acknowledgement.txt", "{{ reference }} {{ answer_by }}");
        assert!(found.iter().any(|p| p.problem.contains("subject")), "{found:?}");
    }

    #[test]
    fn a_file_of_an_unknown_name_is_not_passed_over() {
        let found = complaints("wording/acknowledgment.txt", GOOD);
        assert!(found.iter().any(|p| p.remedy.contains("did you mean acknowledgement.txt?")), "{found:?}");
    }

    #[test]
    fn all_mistakes_of_all_files_are_said_at_once() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let files =
            [file("alert.txt", "Subject: {{ refrence }}"), file("signposts/report.txt", "{{ fone }}")];
        assert_eq!(Wording::load(&files).err().map(|found| found.len()), Some(2));
    }

    #[test]
    fn a_missing_value_is_never_shown_as_a_word() {
        let shown = complaints("cannot-wait.txt", "{{ phone if urgent }}");
        assert!(!shown.is_empty());
    }
}
