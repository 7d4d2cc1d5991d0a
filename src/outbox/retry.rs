//! When a letter that could not be handed over is tried again, and when a person is asked instead. Says nothing about
//! why it failed: that is sorted by [`super::DeliveryError`] (RFC 5321 section 4.5.4.1).

use chrono::{DateTime, Duration, Utc};

/// Minutes to wait after the first failures; every later one waits the last.
const WAITS: [i64; 5] = [1, 5, 15, 30, 60];

/// After so many failures, about three days, a person is asked.
const MOST_ATTEMPTS: u32 = 4 + 71;

/// When to try again after this many failed attempts, the last of them at `failed_at`. `id` is the effect's number: it
/// spreads letters that failed together over up to a tenth of the wait, the same way each time. `None`: ask a person.
pub fn next_attempt(attempts: u32, failed_at: DateTime<Utc>, id: u64) -> Option<DateTime<Utc>> {
    if attempts >= MOST_ATTEMPTS {
        return None;
    }
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let minutes = WAITS.get(index).or(WAITS.last()).copied().unwrap_or(60);
    // Fibonacci hashing: neighbouring numbers land far apart.
    let spread = id.wrapping_add(u64::from(attempts)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let most = minutes * 6; // A tenth of the wait, in seconds.
    let jitter = i64::try_from(spread).unwrap_or(0) % (most + 1);
    failed_at.checked_add_signed(Duration::minutes(minutes) + Duration::seconds(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes_waited(attempts: u32, id: u64) -> Option<f64> {
        let failed_at = DateTime::UNIX_EPOCH;
        let seconds = (next_attempt(attempts, failed_at, id)? - failed_at).num_seconds();
        i32::try_from(seconds).ok().map(|s| f64::from(s) / 60.0)
    }

    #[test]
    fn waits_grow_to_an_hour_and_end_after_three_days() {
        for (attempts, minutes) in [(0, 1.0), (1, 1.0), (2, 5.0), (3, 15.0), (4, 30.0), (5, 60.0), (40, 60.0)]
        {
            let waited = minutes_waited(attempts, 17).unwrap();
            assert!((minutes..=minutes * 1.1).contains(&waited), "attempt {attempts}: {waited}");
        }
        let mut days = 0.0;
        let mut attempts = 1;
        while let Some(minutes) = minutes_waited(attempts, 17) {
            days += minutes / 1440.0;
            attempts += 1;
        }
        assert!((2.9..3.4).contains(&days), "{days} days");
    }

    #[test]
    fn letters_that_failed_together_do_not_all_come_back_together() {
        let times: std::collections::BTreeSet<_> =
            (0..20).map(|id| next_attempt(5, DateTime::UNIX_EPOCH, id)).collect();
        assert!(times.len() > 15);
        assert_eq!(next_attempt(5, DateTime::UNIX_EPOCH, 3), next_attempt(5, DateTime::UNIX_EPOCH, 3));
    }
}
