//! When a token is asked for anew: well before it runs out, not by all at the same moment, and not at once again after a
//! failure. Pure: durations in, durations out; `chance` is a number from 0 to 1 that somebody else has drawn.

use std::time::Duration;

use super::TokenError;

/// So long before its end a token is asked for anew, at most.
const AHEAD: Duration = Duration::from_secs(10 * 60);

/// So long before its end a token is not handed out any more, at most: a login takes a moment too.
const MOMENT: Duration = Duration::from_secs(30);

/// The first pause after a failure that may pass; doubled with each. Shorter than those of whoever wants a token: theirs tell when.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The first pause after a refusal that a person must see to; doubled with each.
const FIRST_REFUSAL: Duration = Duration::from_secs(60);
/// The longest of them.
const LONGEST_REFUSAL: Duration = Duration::from_secs(30 * 60);

/// A provider's wish for peace is honoured up to so long; one that asks for a day is mistaken.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// Once a token was asked for anew because a server refused it, so long no other one is.
pub(super) const REFUSED_AGAIN: Duration = Duration::from_secs(10 * 60);

/// The times of a token, counted from when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// From then on a new one is asked for when one is wanted, and sessions are begun anew.
    pub(super) renew_after: Duration,
    /// From then on it is not handed out.
    pub(super) ends_after: Duration,
}

/// The times of a token that is good for so long. One of an hour is renewed 5 to 10 minutes ahead.
pub(super) fn times(good_for: Duration, chance: f64) -> Times {
    let ahead = AHEAD.min(good_for / 4);
    let jitter = (ahead / 2).mul_f64(chance.clamp(0.0, 1.0));
    Times {
        renew_after: good_for.saturating_sub(ahead) + jitter,
        ends_after: good_for.saturating_sub(MOMENT.min(good_for / 10)),
    }
}

/// How long nobody is asked after so many failures in a row, of which this was the last.
pub(super) fn pause(failures: u32, error: &TokenError, chance: f64) -> Duration {
    let (first, longest, wish) = match error {
        TokenError::Transient { retry_after, .. } => {
            (FIRST_PAUSE, LONGEST_PAUSE, retry_after.unwrap_or_default())
        }
        TokenError::NeedsAPerson { .. } => (FIRST_REFUSAL, LONGEST_REFUSAL, Duration::ZERO),
    };
    let doubled = (first * (1 << failures.saturating_sub(1).min(10))).min(longest);
    let pause = doubled.max(wish.min(LONGEST_WISH));
    pause + (pause / 4).mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passing(seconds: Option<u64>) -> TokenError {
        TokenError::Transient { problem: String::new(), retry_after: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn a_token_of_an_hour_is_renewed_five_to_ten_minutes_ahead() {
        let minutes = |chance| times(Duration::from_secs(3600), chance).renew_after.as_secs() / 60;
        assert_eq!((minutes(0.0), minutes(1.0)), (50, 55));
        assert_eq!(times(Duration::from_secs(3600), 0.5).ends_after, Duration::from_secs(3570));
    }

    #[test]
    fn pauses_grow_and_a_wish_is_honoured() {
        let seconds = |failures, error| pause(failures, &error, 0.0).as_secs();
        assert_eq!([1, 2, 3, 20].map(|n| seconds(n, passing(None))), [2, 4, 8, 300]);
        assert_eq!(seconds(1, passing(Some(120))), 120);
        assert_eq!(seconds(1, passing(Some(86_400))), 3600, "nobody waits for a day");
        let refused = || TokenError::NeedsAPerson { problem: String::new(), remedy: String::new() };
        assert_eq!([1, 2, 20].map(|n| seconds(n, refused())), [60, 120, 1800]);
        assert!(pause(1, &passing(None), 1.0) > pause(1, &passing(None), 0.0));
    }

    proptest! {
        #[test]
        fn a_token_is_renewed_before_it_ends_and_serves_for_most_of_its_life(seconds in 1u64..200_000, chance in 0.0f64..=1.0) {
            let good_for = Duration::from_secs(seconds);
            let times = times(good_for, chance);
            prop_assert!(times.renew_after < times.ends_after && times.ends_after < good_for);
            prop_assert!(times.renew_after >= good_for / 2);
        }
    }
}
