//! England's bank holidays by rule, for years that no data covers.
//!
//! Banking and Financial Dealings Act 1971, schedule 1, and the custom by which a holiday that falls at a weekend is
//! kept on the next free weekday. One-off days (a coronation) and moved ones come from the data alone.

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

/// The weekdays of this year that are bank holidays, in order, with gov.uk's names for them.
pub fn by_rule(year: i32) -> Vec<(NaiveDate, &'static str)> {
    let easter = easter_sunday(year);
    let from_easter = |days| easter.and_then(|sunday| sunday.checked_add_signed(TimeDelta::days(days)));
    let christmas_on = NaiveDate::from_ymd_opt(year, 12, 25).map(|day| day.weekday());
    // Two holidays share one weekend: who gets which weekday is gov.uk's usage (2021, 2022).
    let (christmas, boxing) = match christmas_on {
        Some(Weekday::Fri) => ((25, CHRISTMAS), (28, BOXING_SUBSTITUTE)),
        Some(Weekday::Sat) => ((27, CHRISTMAS_SUBSTITUTE), (28, BOXING_SUBSTITUTE)),
        Some(Weekday::Sun) => ((27, CHRISTMAS_SUBSTITUTE), (26, BOXING)),
        _ => ((25, CHRISTMAS), (26, BOXING)),
    };
    let new_year = match NaiveDate::from_ymd_opt(year, 1, 1).map(|day| day.weekday()) {
        Some(Weekday::Sat) => (3, NEW_YEAR_SUBSTITUTE),
        Some(Weekday::Sun) => (2, NEW_YEAR_SUBSTITUTE),
        _ => (1, NEW_YEAR),
    };
    let mut days: Vec<(NaiveDate, &'static str)> = [
        (NaiveDate::from_ymd_opt(year, 1, new_year.0), new_year.1),
        (from_easter(-2), GOOD_FRIDAY),
        (from_easter(1), EASTER_MONDAY),
        (NaiveDate::from_weekday_of_month_opt(year, 5, Weekday::Mon, 1), EARLY_MAY),
        (last_monday(year, 5), SPRING),
        (last_monday(year, 8), SUMMER),
        (NaiveDate::from_ymd_opt(year, 12, christmas.0), christmas.1),
        (NaiveDate::from_ymd_opt(year, 12, boxing.0), boxing.1),
    ]
    .into_iter()
    .filter_map(|(day, name)| Some((day?, name)))
    .collect();
    days.sort_unstable();
    days
}

const NEW_YEAR: &str = "New Year's Day";
const NEW_YEAR_SUBSTITUTE: &str = "New Year's Day (substitute day)";
const GOOD_FRIDAY: &str = "Good Friday";
const EASTER_MONDAY: &str = "Easter Monday";
const EARLY_MAY: &str = "Early May bank holiday";
const SPRING: &str = "Spring bank holiday";
const SUMMER: &str = "Summer bank holiday";
const CHRISTMAS: &str = "Christmas Day";
const CHRISTMAS_SUBSTITUTE: &str = "Christmas Day (substitute day)";
const BOXING: &str = "Boxing Day";
const BOXING_SUBSTITUTE: &str = "Boxing Day (substitute day)";

/// The bank holiday that falls on this day by rule, if one does.
pub fn name_by_rule(on: NaiveDate) -> Option<&'static str> {
    // A cheap no for most days: this is asked for every day that is counted.
    if matches!(on.weekday(), Weekday::Sat | Weekday::Sun) || matches!(on.month(), 2 | 6 | 7 | 9 | 10 | 11) {
        return None;
    }
    by_rule(on.year()).into_iter().find(|(day, _)| *day == on).map(|(_, name)| name)
}

fn last_monday(year: i32, month: u32) -> Option<NaiveDate> {
    NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Mon, 5)
        .or_else(|| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Mon, 4))
}

/// Easter Sunday in the Gregorian calendar, by the anonymous algorithm (Meeus, Jones, Butcher).
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    // Easter repeats every 5,700,000 years; moving the year into positive numbers keeps every division plain.
    let y = year.rem_euclid(5_700_000);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Easter again, another way: the paschal full moon from the golden number and the century's corrections
    /// (Book of Common Prayer, tables to find Easter), then the Sunday after it.
    fn easter_by_the_moon(year: i32) -> NaiveDate {
        let golden = year % 19;
        let century = year / 100;
        let sun = century - century / 4;
        let moon = (century - 17) / 25;
        let mut full = (sun - (century - moon) / 3 + 19 * golden + 15) % 30;
        if full == 29 || (full == 28 && golden > 10) {
            full -= 1;
        }
        let mut day = NaiveDate::from_ymd_opt(year, 3, 21).unwrap() + TimeDelta::days(i64::from(full));
        loop {
            day = day.succ_opt().unwrap();
            if day.weekday() == Weekday::Sun {
                return day;
            }
        }
    }

    #[test]
    fn easter_agrees_with_the_moon_for_six_centuries() {
        for year in 1700..2300 {
            assert_eq!(easter_sunday(year), Some(easter_by_the_moon(year)), "{year}");
        }
    }

    #[test]
    fn weekend_holidays_are_kept_on_the_next_free_weekdays() {
        let check = |year: i32, wanted: &[(&str, &str)]| {
            let days = by_rule(year);
            for (on, name) in wanted {
                assert!(days.contains(&(on.parse().unwrap(), name)), "{on} {name} is not in {days:?}");
            }
            assert_eq!(days.len(), 8);
        };
        check(2026, &[("2026-12-25", CHRISTMAS), ("2026-12-28", BOXING_SUBSTITUTE)]);
        check(2027, &[("2027-12-27", CHRISTMAS_SUBSTITUTE), ("2027-12-28", BOXING_SUBSTITUTE)]);
        check(2028, &[("2028-01-03", NEW_YEAR_SUBSTITUTE), ("2028-12-25", CHRISTMAS)]);
        check(2033, &[("2033-12-26", BOXING), ("2033-12-27", CHRISTMAS_SUBSTITUTE)]);
        check(2034, &[("2034-01-02", NEW_YEAR_SUBSTITUTE), ("2034-04-07", GOOD_FRIDAY)]);
    }

    #[test]
    fn they_are_eight_different_weekdays_in_every_year() {
        for year in 1972..2400 {
            let days = by_rule(year);
            assert_eq!(days.len(), 8, "{year}");
            assert!(days.windows(2).all(|pair| pair[0].0 < pair[1].0), "{year}: {days:?}");
            for (day, name) in days {
                assert!(!matches!(day.weekday(), Weekday::Sat | Weekday::Sun), "{day} {name}");
                assert_eq!(name_by_rule(day), Some(name));
            }
        }
    }

    #[test]
    fn absurd_years_give_what_there_is() {
        for year in [i32::MIN, -262_143, -1, 0, 1, 262_142, i32::MAX] {
            let _ = (by_rule(year), easter_sunday(year));
        }
    }
}
