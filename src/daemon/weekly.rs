//! The weekly digest: once a week to each recipient, never twice and never left out, through restarts, changes of the clock, bank
//! holidays and downtime. After a week or more in which the program did not run it comes once, about the last whole week, and
//! says so.
//!
//! When it is due is a pure question; that it was made is written down together with its letters. What it says is
//! `daemon/digests.rs`'s and the letter's.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};

use crate::calendar::{WorkingCalendar, WorkingHours, london};
use crate::clock::Clock;
use crate::config::DigestRules;
use crate::digest::Period;
use crate::letter::Late;
use crate::record::{Mark, RecordError, Round};

use super::in_force::Set;
use super::{World, digests, letters};

/// So many weeks back a digest that was due is looked for: no council is closed for longer.
const WEEKS_BACK: u64 = 4;

/// A mailbox that was not seen for so long is called away; right after a start it may only not have been looked at yet.
const AWAY: TimeDelta = TimeDelta::hours(1);

/// So long after a start the mailboxes have been looked at, or cannot be.
const FIRST_LOOKS: TimeDelta = TimeDelta::minutes(15);

/// A digest that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The week that it is about.
    pub week: Period,
    /// The day on which it should come.
    pub on: NaiveDate,
}

/// The newest digest whose time has come, if letters may go out at this instant: on a working day, from its time of day until
/// work ends. Whether it was made before is not asked here.
pub fn due(
    now: DateTime<Utc>,
    rules: &DigestRules,
    hours: WorkingHours,
    calendar: &WorkingCalendar,
) -> Option<Due> {
    let today = london::date(now);
    let closes = london::instant(today, hours.on(today.weekday()).closes);
    if !calendar.is_working_day(today) || now < london::instant(today, rules.at) || now >= closes {
        return None;
    }
    let back = today.weekday().days_since(rules.day.into());
    let nominal = today.checked_sub_days(Days::new(u64::from(back)))?;
    (0..=WEEKS_BACK).find_map(|weeks| {
        let nominal = nominal.checked_sub_days(Days::new(7 * weeks))?;
        let on = first_working_day(nominal, calendar)?;
        (london::instant(on, rules.at) <= now).then(|| Due { week: Period::week_before(nominal), on })
    })
}

/// This day or the next working day.
fn first_working_day(from: NaiveDate, calendar: &WorkingCalendar) -> Option<NaiveDate> {
    from.iter_days().take(60).find(|day| calendar.is_working_day(*day))
}

/// What a digest says of its own delay. `last` is the Monday of the last week that had one.
pub fn lateness(due: Due, last: Option<NaiveDate>, today: NaiveDate) -> Option<Late> {
    let weeks = last.map_or(0, |last| (due.week.from - last).num_days() / 7 - 1);
    let late = Late {
        was_due_on: (due.on < today).then_some(due.on),
        weeks_missed: u32::try_from(weeks).unwrap_or(0),
    };
    (late.was_due_on.is_some() || late.weeks_missed > 0).then_some(late)
}

/// Makes the digest if it is due; returns how many letters were written. `made` is the Monday of the last week that needs no
/// second look; `since`, when this run of the program began.
pub fn make<C: Clock>(
    world: &World<'_, C>,
    set: &Set,
    made: &mut Option<NaiveDate>,
    since: DateTime<Utc>,
) -> Result<usize, RecordError> {
    let config = &set.config;
    if config.digest.to.is_empty() {
        return Ok(0);
    }
    let now = world.now();
    let hours = letters::working_hours(config);
    let Some(due) = due(now, &config.digest, hours, &set.policy.calendar) else { return Ok(0) };
    let monday = due.week.from;
    if made.is_some_and(|made| made >= monday) {
        return Ok(0);
    }
    let last = world.records.last_round(Round::Digest)?;
    if let Some(last) = last.filter(|last| last.day >= monday) {
        *made = Some(last.day);
        return Ok(0);
    }
    // A week in which nothing was in use has no digest.
    let in_use = world.records.mailboxes_seen()?;
    if in_use.first_use_at.map(london::date).is_none_or(|first| first > due.week.to) {
        return Ok(0);
    }
    let looking = (now - since).abs() < FIRST_LOOKS;
    if looking && in_use.longest_unseen_at.is_some_and(|seen_at| now - seen_at > AWAY) {
        return Ok(0);
    }
    let late = lateness(due, last.map(|last| last.day), london::date(now));
    let up_to = world.records.newest_message()?;
    let written = digests::write_all(world.records, set, due.week, late, now)?;
    let mark = Mark { day: monday, up_to };
    let planned = world.records.make_round(Round::Digest, mark, &written, now)?.unwrap_or_default();
    *made = Some(monday);
    tracing::info!(letters = planned, "The digest of the week from {monday} went to {planned} recipients.");
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, TimeDelta};

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn due_at(now: &str) -> Option<(String, String)> {
        let due = due(at(now), &DigestRules::default(), WorkingHours::default(), &WorkingCalendar::default());
        due.map(|due| (due.week.from.to_string(), due.on.to_string()))
    }

    #[test]
    fn it_is_due_on_monday_at_eight_in_london_or_on_the_next_working_day() {
        for (now, wanted) in [
            ("2026-11-23T07:59:59Z", None),
            ("2026-11-23T08:00:00Z", Some(("2026-11-16", "2026-11-23"))),
            ("2026-07-06T06:59:59Z", None), // Summer time: 7:59.
            ("2026-07-06T07:00:00Z", Some(("2026-06-29", "2026-07-06"))),
            ("2026-04-06T10:00:00Z", None), // Easter Monday.
            ("2026-04-07T06:59:00Z", None),
            ("2026-04-07T07:00:00Z", Some(("2026-03-30", "2026-04-07"))),
            ("2026-12-28T10:00:00Z", None), // Boxing Day is kept on this Monday.
            ("2026-12-29T08:00:00Z", Some(("2026-12-21", "2026-12-29"))),
            // Down since Monday: the first time at which letters may go out.
            ("2026-11-25T07:00:00Z", None),
            ("2026-11-25T08:00:00Z", Some(("2026-11-16", "2026-11-23"))),
            ("2026-11-25T23:00:00Z", None),
            ("2026-11-28T10:00:00Z", None), // Saturday.
            // On the next Monday it is the next week's.
            ("2026-11-30T08:00:00Z", Some(("2026-11-23", "2026-11-30"))),
        ] {
            let wanted = wanted.map(|(week, on)| (week.to_owned(), on.to_owned()));
            assert_eq!(due_at(now), wanted, "{now}");
        }
    }

    #[test]
    fn on_another_day_it_is_about_the_last_whole_week_even_after_a_holiday() {
        let rules = DigestRules { day: crate::config::DigestDay::Friday, ..DigestRules::default() };
        let due =
            |now: &str| due(at(now), &rules, WorkingHours::default(), &WorkingCalendar::default()).unwrap();
        // Good Friday and Easter Monday: on Tuesday, about the week that it should have been about.
        let late = due("2026-04-07T07:00:00Z");
        assert_eq!((late.week.from, late.on), (day("2026-03-23"), day("2026-04-07")));
        assert_eq!(due("2026-04-10T07:00:00Z").week.from, day("2026-03-30"));
    }

    #[test]
    fn a_delay_is_said_and_so_are_weeks_without_any() {
        let due = Due { week: Period::week_of(day("2026-11-16")), on: day("2026-11-23") };
        let late = |last: Option<&str>, today: &str| lateness(due, last.map(day), day(today));
        assert_eq!(late(Some("2026-11-09"), "2026-11-23"), None);
        assert_eq!(late(None, "2026-11-23"), None);
        assert_eq!(late(Some("2026-11-02"), "2026-11-23"), Some(Late { was_due_on: None, weeks_missed: 1 }));
        let monday = Some(day("2026-11-23"));
        assert_eq!(
            late(Some("2026-11-09"), "2026-11-25"),
            Some(Late { was_due_on: monday, weeks_missed: 0 })
        );
    }

    #[test]
    fn every_week_of_three_years_has_one_digest_whatever_the_minute_of_the_start() {
        let (calendar, rules) = (WorkingCalendar::default(), DigestRules::default());
        let hours = WorkingHours::default();
        // From one change of the clock to another and on: every minute of a day in which it may come, and of Sundays on which the
        // clock is changed.
        let mut seen: Vec<(Period, NaiveDate)> = Vec::new();
        for today in day("2026-01-05").iter_days().take_while(|on| *on < day("2029-01-01")) {
            let midnight = london::instant(today, NaiveTime::MIN);
            let mut first = None;
            for minute in 0..25 * 60 {
                let now = midnight + TimeDelta::minutes(minute);
                if london::date(now) != today {
                    break;
                }
                let found = due(now, &rules, hours, &calendar);
                if first.is_none() && found.is_some() {
                    assert_eq!(london::time(now).to_string(), "08:00:00", "{now}");
                    first = found;
                }
                assert!(found.is_none() || found == first, "the same all day: {now}");
            }
            if let Some(found) = first.filter(|found| seen.last().is_none_or(|(week, _)| *week != found.week))
            {
                assert_eq!(found.on, today, "it is first due on its day");
                seen.push((found.week, today));
            }
        }
        for pair in seen.windows(2) {
            assert_eq!((pair[1].0.from - pair[0].0.from).num_days(), 7, "{pair:?}: no week is left out");
        }
        assert!(seen.len() >= 155, "{}", seen.len());
    }
}
