//! Whose fault it is that a message cannot be fetched: its own, and it is set aside, or the server's, and it is tried again. A
//! server that is throttled, broken or half asleep hands over some messages and not others, and none of them is to blame.
//!
//! A message is to blame only when it failed and, right after it, the server handed over another one: three times over, in
//! three rounds, for a minute at least; for ten where the server says that it is busy. Where nothing at all can be read,
//! there is no such proof, and the server is the suspect for two hours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::MailboxError;
use super::fetch::{Harvest, fetch};
use super::imap::ImapMailbox;
use super::session::Fault;

/// So often another message must have been read right after this one failed.
const MOST_PROOFS: u32 = 3;
/// For so long a message is tried although others can be read.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same, where the server says that it is busy.
const LONG_PATIENCE: Duration = Duration::from_secs(600);
/// For so long a server that hands over nothing else either is itself the suspect.
const SUSPECTED: Duration = Duration::from_secs(2 * 3600);

/// What is known of messages that failed.
#[derive(Default)]
pub(super) struct Blame(BTreeMap<u32, Suspect>);

struct Suspect {
    failures: u32,
    since: Instant,
    /// How often another one was read right after it had failed.
    proofs: u32,
    /// The server gave its own state as the reason at least once.
    busy: bool,
}

impl Blame {
    /// It could not be fetched; `busy`: the server said that the fault is its own.
    pub fn failed(&mut self, uid: u32, busy: bool) {
        let fresh = Suspect { failures: 0, since: Instant::now(), proofs: 0, busy: false };
        let suspect = self.0.entry(uid).or_insert(fresh);
        suspect.failures += 1;
        suspect.busy |= busy;
    }

    /// These have been dealt with.
    pub fn forget_up_to(&mut self, uid: u32) {
        self.0.retain(|suspect, _| *suspect > uid);
    }

    fn is_known(&self, uid: u32) -> bool {
        self.0.contains_key(&uid)
    }

    fn proven(&mut self, uid: u32) {
        if let Some(suspect) = self.0.get_mut(&uid) {
            suspect.proofs += 1;
        }
    }

    /// How often it failed, if it is to blame for that.
    fn guilty(&self, uid: u32) -> Option<u32> {
        let suspect = self.0.get(&uid)?;
        let patience = match suspect.proofs {
            MOST_PROOFS.. if suspect.busy => LONG_PATIENCE,
            MOST_PROOFS.. => PATIENCE,
            _ => SUSPECTED,
        };
        (suspect.failures >= 2 && suspect.since.elapsed() >= patience).then_some(suspect.failures)
    }
}

/// Whether the server gave its own state as the reason (RFC 5530, RFC 9051 section 7.1, and what Exchange and Gmail say).
pub(super) fn is_busy(fault: &Fault) -> bool {
    let Fault::Refused(refusal) = fault else { return false };
    let said = refusal.text.to_ascii_uppercase();
    ["THROTTL", "[LIMIT]", "[UNAVAILABLE]", "[INUSE]", "BACKOFF", "TOO MANY", "TRY AGAIN", "OVERQUOTA"]
        .iter()
        .any(|word| said.contains(word))
}

impl ImapMailbox {
    /// Messages that failed are tried once more after all others, each on a connection of its own, so that no other message
    /// or earlier fault can be to blame; those that are to blame themselves are set aside.
    pub(super) async fn second_look(
        &mut self,
        uids: &[u32],
        harvest: &mut Harvest,
        trouble: &mut Option<MailboxError>,
    ) {
        let read: BTreeSet<u32> = uids.iter().copied().filter(|uid| harvest.has(*uid)).collect();
        let open: Vec<u32> = uids.iter().copied().filter(|uid| !harvest.is_settled(*uid)).collect();
        for uid in open {
            if trouble.is_none() && self.blame.is_known(uid) {
                self.session = None;
                *trouble = self.alone(uid, harvest).await.err();
                let other = read.iter().min_by_key(|other| harvest.size_of(**other)).copied();
                if trouble.is_none()
                    && !harvest.is_settled(uid)
                    && let Some(other) = other
                    && self.still_reads(other, harvest).await
                {
                    self.blame.proven(uid);
                }
            }
            if harvest.is_settled(uid) {
                continue;
            }
            if let Some(failures) = self.blame.guilty(uid) {
                warn!(
                    account = self.account.account,
                    uid, "Message UID {uid} cannot be fetched and is set aside."
                );
                let reason =
                    format!("the server did not deliver it in {failures} attempts: {}", self.last_complaint);
                harvest.unreadable.insert(uid, reason);
            }
        }
    }

    /// Whether the server hands over this message, which it handed over before.
    async fn still_reads(&mut self, uid: u32, harvest: &mut Harvest) -> bool {
        let limit = self.account.whole_message_limit_bytes;
        let Ok(mut session) = self.open_again(harvest).await else { return false };
        session.allow_literals_up_to(u64::from(limit));
        let items = format!("UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{limit}>");
        let mut pieces = BTreeMap::new();
        let asked = fetch(&mut session, &[uid], &items, &mut pieces).await;
        self.session = Some(session);
        asked.is_ok() && pieces.get(&uid).is_some_and(|piece| piece.bytes.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::session::Refusal;

    #[test]
    fn a_server_that_gives_its_own_state_as_the_reason_is_busy() {
        let refused =
            |text: &str| Fault::Refused(Refusal { bad: false, try_create: false, text: text.to_owned() });
        for text in [
            "Request is throttled. Suggested Backoff Time: 299961 milliseconds",
            "[LIMIT] not now",
            "[UNAVAILABLE] Temporary problem, please try again later",
            "[OVERQUOTA] Account exceeded command or bandwidth limits.",
        ] {
            assert!(is_busy(&refused(text)), "{text}");
        }
        assert!(!is_busy(&refused("[SERVERBUG] cannot read it")));
        assert!(!is_busy(&Fault::Lost("throttled".into())), "a lost connection says nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_to_blame_only_with_proof_or_after_two_hours() {
        let mut blame = Blame::default();
        for _ in 0..5 {
            blame.failed(4, false);
            blame.failed(5, true);
        }
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(blame.guilty(4), None, "nothing else was read");
        for _ in 0..3 {
            blame.proven(4);
            blame.proven(5);
        }
        assert_eq!((blame.guilty(4), blame.guilty(5)), (Some(5), None), "busy for a minute");
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(blame.guilty(5), Some(5));
        blame.failed(6, false);
        blame.failed(6, false);
        tokio::time::advance(SUSPECTED).await;
        assert_eq!(blame.guilty(6), Some(2));
        blame.forget_up_to(5);
        assert_eq!((blame.guilty(4), blame.guilty(6)), (None, Some(2)));
    }
}
