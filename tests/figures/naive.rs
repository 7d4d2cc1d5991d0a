//! The same figures, counted by hand: every row is read into memory, days are walked one by one, lists are sorted whole. Written from
//! what `digest/figures.rs` says of each figure, and from `docs/cases.md`; it shares with the program only the types of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rusqlite::Connection;
use send_triage::digest::figures::*;
use send_triage::digest::{Ask, Period};
use serde_json::Value;

use super::generated::Town;
use super::rows::{Case, Decision, Everything, Turn, all, day_of, london, read};

/// Working days after `from` up to `to`, one by one.
fn walked(ask: &Ask<'_>, from: NaiveDate, to: NaiveDate) -> u32 {
    let mut days = 0;
    let mut on = from;
    while on < to {
        on = on.succ_opt().unwrap();
        days += u32::from(ask.calendar.is_working_day(on));
    }
    days
}

fn nearest_rank(mut values: Vec<u64>, of_a_hundred: usize) -> Option<u64> {
    values.sort_unstable();
    let rank = (values.len() * of_a_hundred).div_ceil(100);
    values.get(rank.max(1) - 1).copied()
}

fn most_first(names: impl Iterator<Item = String>) -> Vec<Count> {
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    names.for_each(|name| *times.entry(name).or_default() += 1);
    let mut counts: Vec<Count> = times.into_iter().map(|(name, count)| Count { name, count }).collect();
    counts.sort_by_key(|one| (u64::MAX - one.count, one.name.clone()));
    counts
}

pub fn figures(path: &PathBuf, town: &Town, ask: &Ask<'_>) -> Figures {
    let raw = Connection::open(path).unwrap();
    let all_of = read(&raw);
    let today = london(ask.now.timestamp());
    let known_since =
        all(&raw, "SELECT taken_into_use_at FROM mailboxes", |row| row.get(0)).into_iter().min();
    let by_hand = ByHand { raw: &raw, e: &all_of, ask, today, known_since: known_since.map(london) };
    Figures {
        scope: ask.scope.clone(),
        period: ask.period,
        now: ask.now,
        today,
        target_working_days: 10,
        known_since: by_hand.known_since,
        needs_you: by_hand.needs_you(),
        service: Service {
            whole: by_hand.service(ask.period),
            spans: ask
                .spans
                .iter()
                .map(|span| Span { period: *span, figures: by_hand.service(*span) })
                .collect(),
        },
        open_by_age: by_hand.open_by_age(),
        forecast: by_hand.forecast(),
        sources: by_hand.sources(),
        chasers: by_hand.chasers(),
        acknowledgements: by_hand.acknowledgements(),
        rules: by_hand.rules(town),
        health: by_hand.health(),
    }
}

struct ByHand<'a> {
    raw: &'a Connection,
    e: &'a Everything,
    ask: &'a Ask<'a>,
    today: NaiveDate,
    known_since: Option<NaiveDate>,
}

impl ByHand<'_> {
    fn mine(&self, case: &Case) -> bool {
        self.ask.scope.includes(&case.queue, &case.area)
    }

    fn my_cases(&self) -> impl Iterator<Item = &Case> {
        self.e.cases.iter().filter(|case| self.mine(case))
    }

    fn case(&self, id: i64) -> &Case {
        self.e.cases.iter().find(|case| case.id == id).unwrap()
    }

    fn case_of(&self, message: i64) -> Option<&Case> {
        self.e.belongs.get(&message).map(|(case, _)| self.case(*case))
    }

    fn my_message(&self, message: i64) -> bool {
        match (self.case_of(message), self.e.decisions.get(&message)) {
            (Some(case), _) => self.mine(case),
            (None, Some(decision)) => self.ask.scope.includes(&decision.queue, &decision.area),
            (None, None) => self.ask.scope.is_all(),
        }
    }

    fn in_period(&self, seconds: i64) -> bool {
        self.ask.period.contains(london(seconds))
    }

    fn row(&self, case: &Case) -> NeedsRow {
        let message = &self.e.messages[&case.opening];
        let moved = all(
            self.raw,
            "SELECT message_id, detail FROM events WHERE what = 'corrected' ORDER BY id",
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
        );
        let moved = moved.iter().rev().filter(|(id, _)| *id == case.opening).find_map(|(_, detail)| {
            let to = serde_json::from_str::<Value>(detail).unwrap()["moved_to"].clone();
            to.is_object().then_some(to)
        });
        let filed =
            all(self.raw, "SELECT message_id, payload FROM effects WHERE kind = 'file' ORDER BY id", |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            });
        let filed = filed.iter().rev().find(|(id, _)| *id == case.opening);
        let filed = filed.map(|(_, payload)| serde_json::from_str::<Value>(payload).unwrap()["to"].clone());
        let (account, folder, _) = &self.e.mailboxes[&message.mailbox];
        let (mailbox, folder) = match moved.or(filed) {
            Some(to) => {
                (to["account"].as_str().unwrap().to_owned(), to["folder"].as_str().unwrap().to_owned())
            }
            None => (account.clone(), folder.clone()),
        };
        let received_on = london(case.received);
        NeedsRow {
            reference: case.reference.clone(),
            state: case.state.clone(),
            matter: case.matter.clone(),
            urgent: case.urgent,
            grounds: self.e.decisions[&case.opening].grounds.clone(),
            queue: case.queue.clone(),
            area: case.area.clone(),
            received_on,
            age_working_days: walked(self.ask, received_on, self.today),
            due_on: case.due_on,
            overdue_working_days: case.due_on.map_or(0, |due| walked(self.ask, due, self.today)),
            first_response_on: if case.responded { None } else { case.first_response_on },
            chasers: case.chasers,
            step: case.step,
            mailbox,
            folder,
            missing_since: case.missing.map(london),
            sender: if self.ask.names { message.sender.clone() } else { None },
            subject: if self.ask.names && !message.subject.is_empty() {
                Some(message.subject.clone())
            } else {
                None
            },
        }
    }

    fn listed(
        &self,
        mut cases: Vec<&Case>,
        worse: impl Fn(&Case, &Case) -> std::cmp::Ordering,
    ) -> Listed<NeedsRow> {
        cases.sort_by(|a, b| worse(a, b).then_with(|| a.reference.cmp(&b.reference)));
        let rows = cases.iter().take(self.ask.rows).map(|case| self.row(case)).collect();
        Listed { total: cases.len() as u64, rows }
    }

    fn needs_you(&self) -> NeedsYou {
        let (mut overdue, mut urgent, mut due) = (Vec::new(), Vec::new(), Vec::new());
        let sunday = self.today + Days::new(6 - u64::from(self.today.weekday().num_days_from_monday()));
        for case in self.my_cases().filter(|case| case.waits()) {
            if case.due_on.is_some_and(|on| on < self.today) {
                overdue.push(case);
            } else if case.urgent && !case.responded {
                urgent.push(case);
            } else if case.due_on.is_some_and(|on| on <= sunday) {
                due.push(case);
            }
        }
        let more = |a: &Case, b: &Case| b.step.cmp(&a.step).then(b.chasers.cmp(&a.chasers));
        NeedsYou {
            overdue: self.listed(overdue, |a, b| {
                b.urgent.cmp(&a.urgent).then(a.due_on.cmp(&b.due_on)).then(more(a, b))
            }),
            urgent: self.listed(urgent, |a, b| {
                let end = NaiveDate::from_ymd_opt(9999, 1, 1);
                let first = |case: &Case| case.first_response_on.or(case.due_on).or(end);
                first(a).cmp(&first(b)).then(a.due_on.cmp(&b.due_on)).then(more(a, b))
            }),
            due_this_week: self
                .listed(due, |a, b| a.due_on.cmp(&b.due_on).then(b.urgent.cmp(&a.urgent)).then(more(a, b))),
        }
    }

    fn my_turns(&self) -> impl Iterator<Item = &Turn> {
        self.e.turns.iter().filter(|turn| self.mine(self.case(turn.case)))
    }

    fn service(&self, period: Period) -> ServiceFigures {
        if self.known_since.is_none_or(|since| period.to < since) {
            return ServiceFigures::default();
        }
        let count =
            |wanted: &dyn Fn(&Turn) -> bool| Some(self.my_turns().filter(|turn| wanted(turn)).count() as u64);
        let answered = |turn: &Turn| turn.answered.is_some_and(|on| period.contains(on));
        let kept = |turn: &Turn| turn.answered.is_some_and(|on| on <= turn.promised);
        let fell_due = |turn: &Turn| {
            !turn.dropped && period.contains(turn.promised) && (turn.promised < self.today || kept(turn))
        };
        let answers = self.my_turns().filter(|turn| answered(turn));
        let days: Vec<u64> =
            answers.map(|turn| u64::from(walked(self.ask, turn.asked, turn.answered.unwrap()))).collect();
        let received = self.my_cases().filter(|case| period.contains(london(case.received))).count();
        let percentile = |p| nearest_rank(days.clone(), p).map(|days| days as u32);
        ServiceFigures {
            received: Some(received as u64),
            reopened: count(&|turn| turn.number > 1 && period.contains(turn.asked)),
            answered: count(&answered),
            within_target: count(&|turn| answered(turn) && kept(turn)),
            by_due_date: count(&|turn| answered(turn) && turn.answered.unwrap() <= turn.due),
            fell_due: count(&fell_due),
            fell_due_kept: count(&|turn| fell_due(turn) && kept(turn)),
            median_working_days: percentile(50),
            p90_working_days: percentile(90),
        }
    }

    fn open_by_age(&self) -> OpenByAge {
        let mut ages: Vec<Age> =
            (0..=21).map(|n| Age { working_days: n, or_more: n == 21, open: 0, extended: 0 }).collect();
        for turn in self.my_turns().filter(|turn| turn.answered.is_none() && !turn.dropped) {
            let age = &mut ages[walked(self.ask, turn.asked, self.today).min(21) as usize];
            if turn.due > turn.promised { age.extended += 1 } else { age.open += 1 }
        }
        OpenByAge { ages }
    }

    fn forecast(&self) -> Forecast {
        // The days from today on, one by one, until so many of them are worked.
        let end = |working_days| {
            let mut on = self.today;
            let mut left = working_days;
            loop {
                left -= u32::from(self.ask.calendar.is_working_day(on));
                if left == 0 {
                    return on;
                }
                on = on.succ_opt().unwrap();
            }
        };
        let (five, ten) = (end(5), end(10));
        let mut queues: BTreeMap<&str, QueueForecast> = BTreeMap::new();
        for case in self.my_cases().filter(|case| case.waits() && case.due_on.is_some_and(|on| on <= ten)) {
            let none = QueueForecast { queue: case.queue.clone(), overdue: 0, in_five: 0, in_ten: 0 };
            let queue = queues.entry(&case.queue).or_insert(none);
            let due = case.due_on.unwrap();
            queue.overdue += u64::from(due < self.today);
            queue.in_five += u64::from(due >= self.today && due <= five);
            queue.in_ten += u64::from(due >= self.today);
        }
        let mut queues: Vec<QueueForecast> = queues.into_values().collect();
        queues.sort_by_key(|one| (u64::MAX - one.overdue - one.in_ten, one.queue.clone()));
        Forecast { five_end_on: five, ten_end_on: ten, queues }
    }

    fn sources(&self) -> Sources {
        let received: Vec<&Case> = self.my_cases().filter(|case| self.in_period(case.received)).collect();
        let decision = |case: &&Case| &self.e.decisions[&case.opening];
        Sources {
            queues: most_first(received.iter().map(|case| case.queue.clone())),
            areas: most_first(received.iter().map(|case| case.area.clone())),
            grounds: most_first(received.iter().flat_map(|case| decision(case).grounds.clone())),
            roles: most_first(
                received.iter().map(|case| decision(case).role.clone().unwrap_or("unknown".into())),
            ),
            urgent: received.iter().filter(|case| case.urgent).count() as u64,
        }
    }

    fn chasers(&self) -> Chasers {
        let asked = |case: &&Case| case.waits() && case.chasers > 0;
        let received = self.e.belongs.iter().filter(|(message, (case, role))| {
            role == "chaser"
                && self.mine(self.case(*case))
                && self.in_period(self.e.messages[*message].received)
        });
        let at = |step: u8| {
            let here: Vec<&Case> = self.my_cases().filter(|case| case.waits() && case.step == step).collect();
            let overdue =
                here.iter().filter(|case| case.step_due_on.is_some_and(|on| on < self.today)).count();
            StepCount { step, waiting: here.len() as u64, overdue: overdue as u64 }
        };
        Chasers {
            received: received.count() as u64,
            repeated: self.my_cases().filter(|case| case.waits() && case.chasers >= 2).count() as u64,
            waiting: self.listed(self.my_cases().filter(asked).collect(), |a, b| {
                let no_day_last = |case: &Case| (case.due_on.is_none(), case.due_on);
                (b.chasers, b.step).cmp(&(a.chasers, a.step)).then(no_day_last(a).cmp(&no_day_last(b)))
            }),
            steps: (2..=4).map(at).collect(),
        }
    }

    fn acknowledgements(&self) -> Acknowledgements {
        let letters = all(
            self.raw,
            "SELECT id, answers, sent_at, envelope_to FROM letters WHERE kind = 'acknowledge'",
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        );
        let sent = letters
            .iter()
            .filter(|(_, of, at, _)| at.is_some_and(|at| self.in_period(at)) && self.my_message(*of));
        let delays: Vec<u64> =
            sent.map(|(_, of, at, _)| (at.unwrap() - self.e.messages[of].received).max(0) as u64).collect();
        let mut withheld: BTreeMap<&str, Withheld> = BTreeMap::new();
        for (message, decision) in &self.e.decisions {
            let Some(reason) = &decision.withheld else { continue };
            if self.in_period(decision.at) && self.my_message(*message) {
                let none = Withheld { reason: reason.clone(), people: 0, others: 0 };
                let why = withheld.entry(reason).or_insert(none);
                if decision.kind == "person" { why.people += 1 } else { why.others += 1 }
            }
        }
        let mut withheld: Vec<Withheld> = withheld.into_values().collect();
        withheld.sort_by_key(|one| (u64::MAX - one.people - one.others, one.reason.clone()));
        let effects = all(
            self.raw,
            "SELECT id, letter_id, message_id, state FROM effects WHERE kind = 'acknowledge'",
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, String>(3)?,
                ))
            },
        );
        let mine: Vec<_> = effects.iter().filter(|(_, _, message, _)| self.my_message(*message)).collect();
        let stuck = mine.iter().filter(|(.., state)| state == "stuck").count();
        let done = mine.iter().filter(|(.., state)| state == "done").count();
        // What never arrived: (when, letter, refused, status).
        let mut never = all(self.raw, "SELECT received_at, letter_id, status FROM bounces", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, false, row.get::<_, Option<String>>(2)?))
        });
        for (at, effect) in
            all(self.raw, "SELECT made_at, effect_id FROM attempts WHERE outcome = 'stuck'", |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
        {
            let of = effects.iter().find(|(id, .., state)| *id == effect && state == "stuck");
            never.extend(of.map(|(_, letter, ..)| (at, *letter, true, None)));
        }
        let of = |letter: i64| letters.iter().find(|(id, ..)| *id == letter).unwrap();
        never.retain(|(at, letter, ..)| self.in_period(*at) && self.my_message(of(*letter).1));
        never.sort_by_key(|(at, letter, ..)| (i64::MAX - at, i64::MAX - letter));
        let rows = never.iter().take(self.ask.rows).map(|(at, letter, refused, status)| Bounced {
            reference: self.case_of(of(*letter).1).map(|case| case.reference.clone()),
            bounced_on: london(*at),
            refused: *refused,
            status: status.clone(),
            recipient: self.ask.names.then(|| of(*letter).3.clone()),
        });
        Acknowledgements {
            sent: delays.len() as u64,
            median_seconds: nearest_rank(delays.clone(), 50),
            p95_seconds: nearest_rank(delays, 95),
            withheld,
            waiting: (mine.len() - stuck - done) as u64,
            stuck: stuck as u64,
            bounced: Listed { total: never.len() as u64, rows: rows.collect() },
        }
    }

    fn rules(&self, town: &Town) -> Rules {
        let decided: Vec<&Decision> = self
            .e
            .decisions
            .iter()
            .filter(|(message, decision)| self.in_period(decision.at) && self.my_message(**message))
            .map(|(_, decision)| decision)
            .collect();
        let silent_since = |day: NaiveDate| -> Option<Vec<SilentRule>> {
            let rules = self.ask.rules.as_ref().filter(|_| self.known_since.unwrap() <= day)?;
            let mut silent = Vec::new();
            for rule in rules {
                let spoke = town.spoke.iter().filter(|(id, on)| *id == rule.id && *on <= self.ask.period.to);
                let last_on = spoke.map(|(_, on)| *on).max();
                if last_on.is_none_or(|on| on < day) {
                    silent.push(SilentRule { id: rule.id.clone(), title: rule.title.clone(), last_on });
                }
            }
            silent.sort_by_key(|rule| (rule.last_on, rule.id.clone()));
            Some(silent)
        };
        Rules {
            decided: decided.len() as u64,
            unsure: decided.iter().filter(|decision| decision.unsure).count() as u64,
            corrections: self.corrections(),
            in_force: self.ask.rules.as_ref().map(|rules| rules.len() as u64),
            counted_since: self.known_since,
            silent_in_period: silent_since(self.ask.period.from).map(|silent| silent.len() as u64),
            silent_in_twelve_weeks: silent_since(self.ask.period.to - Days::new(12 * 7 - 1)),
            refused_edit: self.ask.refused_edit.clone(),
        }
    }

    fn corrections(&self) -> Corrections {
        let events = all(
            self.raw,
            "SELECT happened_at, message_id, detail FROM events WHERE what = 'corrected'",
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)),
        );
        let mut found = Corrections::default();
        let mut alarms = Vec::new();
        for (at, message, detail) in events {
            if !self.in_period(at) || !self.my_message(message) {
                continue;
            }
            let to = serde_json::from_str::<Value>(&detail).unwrap()["to"].clone();
            found.total += 1;
            found.to_urgent += u64::from(to["urgency"] == "urgent");
            found.to_standard += u64::from(to["urgency"] == "standard");
            found.to_another_team += u64::from(to["queue"].is_string());
            found.to_another_area += u64::from(to["area"].is_string());
            found.to_person += u64::from(to["kind"] == "person");
            found.to_no_person += u64::from(to["kind"].is_string() && to["kind"] != "person");
            if to["urgency"] == "standard" {
                let grounds = self.e.decisions[&message].grounds.iter();
                alarms.extend(grounds.filter(|ground| ground.starts_with('U')).cloned());
            }
        }
        found.false_alarms = most_first(alarms.into_iter());
        found
    }

    fn health(&self) -> Health {
        let located = all(self.raw, "SELECT mailbox_id, uid, outcome, entered_at FROM locations", |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, u32>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, i64>(3)?,
            ))
        });
        let of = |word: &str| {
            located.iter().filter(|(.., outcome, at)| outcome == word && self.in_period(*at)).count() as u64
        };
        let mut known: BTreeSet<(i64, u32)> =
            located.iter().map(|(mailbox, uid, ..)| (*mailbox, *uid)).collect();
        for (mailbox, first, last) in
            all(self.raw, "SELECT mailbox_id, first_uid, last_uid FROM absences", |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?))
            })
        {
            known.extend((first..=last).map(|uid| (mailbox, uid)));
        }
        let last = all(self.raw, "SELECT id, last_uid FROM mailboxes ORDER BY account, folder", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
        });
        let mut gaps: Vec<Gap> = Vec::new();
        for (mailbox, last) in &last {
            let (account, folder, _) = &self.e.mailboxes[mailbox];
            for uid in (1..=*last).filter(|uid| !known.contains(&(*mailbox, *uid))) {
                match gaps.last_mut().filter(|gap| gap.account == *account && gap.last_uid + 1 == uid) {
                    Some(gap) => gap.last_uid = uid,
                    None => {
                        let (account, folder) = (account.clone(), folder.clone());
                        gaps.push(Gap { account, folder, first_uid: uid, last_uid: uid });
                    }
                }
            }
        }
        let aside = all(self.raw, "SELECT due_on FROM set_aside WHERE settled_at IS NULL", |row| row.get(0));
        let stuck = all(self.raw, "SELECT id FROM effects WHERE state = 'stuck'", |row| row.get::<_, i64>(0));
        let seen = |(mailbox, _): &(i64, u32)| {
            let (account, folder, at) = self.e.mailboxes[mailbox].clone();
            let last_seen_at: DateTime<Utc> = DateTime::from_timestamp(at, 0).unwrap();
            MailboxHealth { account, folder, last_seen_at }
        };
        Health {
            mailboxes: last.iter().map(seen).collect(),
            ledger: Ledger {
                met: located.iter().filter(|(.., at)| self.in_period(*at)).count() as u64,
                decided: of("decided"),
                copies: of("copy"),
                own_letters: of("own-letter"),
                set_aside: of("set-aside"),
                left_alone: of("left-alone"),
                gaps,
            },
            set_aside_waiting: aside.len() as u64,
            set_aside_due_on: aside.into_iter().filter_map(day_of).min(),
            stuck: stuck.len() as u64,
            calendar_known_until: self.ask.calendar.known_until,
            expiries: self.ask.expiries.clone(),
        }
    }
}
