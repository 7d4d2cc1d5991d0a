//! At most so many letters in any minute. Exchange Online takes 30 a minute from a mailbox and delays what goes beyond, at the
//! cost of the staff who send from the same one. Only counted here; whoever sends waits.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// What has left in the last minute.
#[derive(Debug, Default)]
pub struct Pace {
    most: Option<usize>,
    left_at: VecDeque<Instant>,
}

impl Pace {
    /// At most so many a minute; `None`: as many as there are.
    pub fn new(most: Option<u32>) -> Self {
        Self {
            most: most.map(|most| usize::try_from(most.max(1)).unwrap_or(usize::MAX)),
            left_at: VecDeque::new(),
        }
    }

    /// How long until the next may leave.
    pub fn ready_in(&self, now: Instant) -> Duration {
        let Some(most) = self.most else { return Duration::ZERO };
        // The one that must be a minute old before the next may leave.
        match self.left_at.len().checked_sub(most).and_then(|at| self.left_at.get(at)) {
            Some(first) => (*first + MINUTE).saturating_duration_since(now),
            None => Duration::ZERO,
        }
    }

    /// One leaves now, whether or not it arrives.
    pub fn leaves(&mut self, now: Instant) {
        let Some(most) = self.most else { return };
        self.left_at.push_back(now);
        while self.left_at.len() > most {
            self.left_at.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn never_more_than_so_many_leave_in_any_minute() {
        let mut pace = Pace::new(Some(20));
        let begun = Instant::now();
        let mut left = Vec::new();
        for _ in 0..100 {
            tokio::time::sleep(pace.ready_in(Instant::now()) + Duration::from_millis(100)).await;
            pace.leaves(Instant::now());
            left.push(Instant::now());
        }
        let within = |from: Instant| left.iter().filter(|at| **at >= from && **at < from + MINUTE).count();
        assert!(left.iter().all(|from| within(*from) <= 20));
        assert!(begun.elapsed() <= 5 * MINUTE, "and no slower than that: {:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        let mut pace = Pace::new(None);
        (0..1000).for_each(|_| pace.leaves(Instant::now()));
        assert_eq!(pace.ready_in(Instant::now()), Duration::ZERO);
    }
}
