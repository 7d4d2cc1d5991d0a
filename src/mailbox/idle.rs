//! Waiting to be told of new mail (RFC 2177). IDLE is only a hint: it is short, has an end of its own, and the caller looks
//! afterwards whatever happened.

use std::time::Duration;

use async_imap::imap_proto::Response;
use tokio::time::Instant;

use super::session::{Fault, Pace, Session, outcome_of};

/// How an IDLE ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idled {
    /// A message has arrived.
    News,
    /// Nothing was said until the end.
    Quiet,
    /// The server does not want to idle, or ends it by itself: poll instead.
    Unwanted,
}

/// A server that ends IDLE by itself sooner than this would make us spin.
const SHORTEST: Duration = Duration::from_secs(10);

impl Session {
    /// Idles until there is news, or until `end`. When this future is dropped, the next command first sends DONE.
    pub(super) async fn idle(&mut self, end: Instant) -> Result<Idled, Fault> {
        let begun = Instant::now();
        let tag = self.start("IDLE").await?;
        self.idling(&tag, false);
        let deadline = self.deadline(Pace::Prompt);
        let mut confirmed = false;
        while !confirmed {
            // An EXISTS that comes before `+` counts as news: `answer` notes it.
            let step = self
                .next(deadline, |response| match response {
                    Response::Continue(_) => Some(None),
                    other => outcome_of(&tag, other, &mut |_| ()).map(Some),
                })
                .await?;
            match step {
                Some(None) => confirmed = true,
                Some(Some(_)) => {
                    self.answered();
                    return Ok(Idled::Unwanted);
                }
                None => {}
            }
        }
        self.idling(&tag, true);
        while !self.news {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let step = self
                .answer(self.deadline_within(left), |response| outcome_of(&tag, response, &mut |_| ()))
                .await?;
            match step {
                Some(Some(_)) => {
                    self.answered();
                    let spun = begun.elapsed() < SHORTEST && !self.news;
                    return Ok(if spun { Idled::Unwanted } else { Idled::Quiet });
                }
                Some(None) => {} // `* OK Still here`, flags, expunges
                None => break,
            }
        }
        self.settle().await?;
        Ok(if self.news { Idled::News } else { Idled::Quiet })
    }
}
