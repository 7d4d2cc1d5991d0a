//! What is new in a folder, fetched so that nothing is lost: UIDs listed first, bodies in bounded batches, what is missing asked
//! for again one by one, and what cannot be read set aside with its reason. Nothing is marked read (BODY.PEEK).
//! RFC 9051 sections 6.4.4, 6.4.5, 7.5.2. Only items that the codec can read are asked for: no ENVELOPE, no BODYSTRUCTURE.

use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{debug, warn};

use super::blame::is_busy;
use super::imap::ImapMailbox;
use super::names::uid_set;
use super::session::{Fault, Pace, Session};
use super::{Fetched, MailboxError, RawMessage, Unreadable};
use crate::clock::{Clock, SystemClock};
use crate::message::{self, MessageRef};

/// One fetch holds at most so many bytes of messages.
const MOST_BYTES: u64 = 16 << 20;
/// One FETCH command asks for at most so many.
pub(super) const BATCH_BYTES: u64 = 4 << 20;
/// What is asked of messages before they are fetched.
pub(super) const SIZES: &str = "UID INTERNALDATE RFC822.SIZE";
/// What is asked of messages that are fetched whole.
pub(super) const WHOLE: &str = "UID INTERNALDATE BODY.PEEK[]";
/// One fetch connects anew at most so often.
const MOST_RECONNECTIONS: u32 = 8;

/// What the server told about one message.
#[derive(Default, Clone)]
pub(super) struct Piece {
    pub received: Option<String>,
    pub size_bytes: Option<u32>,
    pub bytes: Option<Vec<u8>>,
}

impl Piece {
    pub fn received_at(&self) -> Option<DateTime<Utc>> {
        self.received.as_deref().and_then(internal_date)
    }

    fn add(&mut self, other: Self) {
        self.received = other.received.or(self.received.take());
        self.size_bytes = other.size_bytes.or(self.size_bytes);
        self.bytes = other.bytes.or(self.bytes.take());
    }
}

/// Reads an INTERNALDATE (RFC 9051 section 9, date-time): `" 5-Jan-2026 10:11:12 +0000"`.
pub(super) fn internal_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok().map(|at| at.with_timezone(&Utc))
}

/// UIDs that match, lowest first.
pub(super) async fn search(session: &mut Session, criteria: &str) -> Result<Vec<u32>, Fault> {
    let mut found = BTreeSet::new();
    session
        .run(&format!("UID SEARCH {criteria}"), Pace::Bulk, |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids);
            }
        })
        .await?;
    Ok(found.into_iter().filter(|uid| *uid > 0).collect())
}

/// Fetches items of these UIDs into `into`, also what came before a fault. Answers for other UIDs are passed over.
pub(super) async fn fetch(
    session: &mut Session,
    uids: &[u32],
    items: &str,
    into: &mut BTreeMap<u32, Piece>,
) -> Result<(), Fault> {
    let command = format!("UID FETCH {} ({items})", uid_set(uids));
    session
        .run(&command, Pace::Bulk, |response| {
            if let Response::Fetch(_, attributes) = response
                && let Some((uid, piece)) = piece(attributes)
                && uids.binary_search(&uid).is_ok()
            {
                into.entry(uid).or_default().add(piece);
            }
        })
        .await
}

/// Takes down what one answer to a FETCH tells.
pub(super) fn gather(response: &Response<'_>, into: &mut BTreeMap<u32, Piece>) {
    if let Response::Fetch(_, attributes) = response
        && let Some((uid, piece)) = piece(attributes)
    {
        into.entry(uid).or_default().add(piece);
    }
}

fn piece(attributes: &[AttributeValue<'_>]) -> Option<(u32, Piece)> {
    let (mut uid, mut piece) = (None, Piece::default());
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::InternalDate(date) => piece.received = Some(date.to_string()),
            AttributeValue::Rfc822Size(size) => piece.size_bytes = Some(*size),
            AttributeValue::BodySection { data: Some(data), .. } => piece.bytes = Some(data.to_vec()),
            _ => {}
        }
    }
    Some((uid?, piece))
}

/// What has become of the UIDs of one fetch.
#[derive(Default)]
pub(super) struct Harvest {
    pub pieces: BTreeMap<u32, Piece>,
    gone: BTreeSet<u32>,
    pub unreadable: BTreeMap<u32, String>,
    reconnections: u32,
}

impl Harvest {
    pub fn is_settled(&self, uid: u32) -> bool {
        self.has(uid) || self.gone.contains(&uid) || self.unreadable.contains_key(&uid)
    }

    /// How many bytes of it were read.
    pub fn size_of(&self, uid: u32) -> usize {
        self.pieces.get(&uid).and_then(|piece| piece.bytes.as_ref()).map_or(0, Vec::len)
    }

    pub fn has(&self, uid: u32) -> bool {
        self.pieces.get(&uid).is_some_and(|piece| piece.bytes.is_some())
    }
}

impl ImapMailbox {
    /// The messages above `after`; see [`super::Mailbox::fetch`].
    pub(super) async fn take_in(&mut self, after: u32, at_most: u32) -> Result<Fetched, MailboxError> {
        // One more than asked for: then more are to follow, and the list is not at its end.
        let next = self.listed.partition_point(|uid| *uid <= after);
        let mut uids: Vec<u32> =
            self.listed.iter().skip(next).take((at_most as usize).saturating_add(1)).copied().collect();
        let is_listed = uids.len() > at_most as usize;
        let mut session = self.opened(!is_listed).await?;
        session.news = false;
        let ahead = std::mem::take(&mut session.ahead);
        let (uid_validity, uid_next) =
            session.selected.as_ref().map(|open| (open.uid_validity, open.uid_next)).unwrap_or_default();
        if !is_listed {
            // `n:*` also gives the last message when its UID is below n (RFC 9051 section 6.4.9).
            match search(&mut session, &format!("UID {}:*", after.saturating_add(1))).await {
                Ok(found) => uids = found.into_iter().filter(|uid| *uid > after).collect(),
                Err(fault) => {
                    self.session = Some(session);
                    return Err(fault.at(&self.account.account, "UID SEARCH"));
                }
            }
            self.listed.clone_from(&uids);
        }
        let listed = uids.len();
        uids.truncate(at_most as usize);
        let last = uids.last().copied().unwrap_or(after);
        let end = if uids.len() == listed { last.max(uid_next.saturating_sub(1)) } else { last };
        let more = self.left_out(&mut session, after, end, &uids).await;
        self.session = Some(session);
        let more = more?;
        let all = listed + more.len();
        uids.extend(more);
        uids.sort_unstable();
        uids.truncate(at_most as usize);

        let mut harvest = Harvest::default();
        harvest.pieces.extend(ahead.into_iter().filter(|(uid, _)| uids.binary_search(uid).is_ok()));
        let mut trouble = self.sizes(&mut uids, &mut harvest).await.err();
        let open: Vec<u32> = uids.iter().copied().filter(|uid| !harvest.has(*uid)).collect();
        for batch in self.batches(&open, &harvest.pieces) {
            if trouble.is_none() {
                trouble = self.batch(&batch, &mut harvest).await.err();
            }
        }
        self.second_look(&uids, &mut harvest, &mut trouble).await;

        let settled = uids.iter().take_while(|uid| harvest.is_settled(**uid)).count();
        if settled == 0 && !uids.is_empty() {
            return Err(trouble.unwrap_or_else(|| MailboxError::Transient {
                account: self.account.account.clone(),
                step: "UID FETCH".into(),
                problem: "the server does not hand over the next message; it is not given up yet".into(),
            }));
        }
        let mut up_to = uids.get(..settled).and_then(|done| done.last()).copied().unwrap_or(after);
        if settled == all && at_most > 0 {
            // Below UIDNEXT nothing is left that SEARCH did not list: the tail is expunged.
            up_to = up_to.max(uid_next.saturating_sub(1));
        }
        self.blame.forget_up_to(up_to);
        self.seen_next = up_to.saturating_add(1);
        if trouble.is_none() {
            self.look_ahead(up_to, at_most).await;
        }
        Ok(self.fetched(uid_validity, up_to, harvest))
    }

    /// UIDs up to `end` that SEARCH did not list although their messages are there: a server whose index is broken lists too
    /// few and says OK. What is passed over is passed over for good, so it is asked for in a second way first.
    async fn left_out(
        &mut self,
        session: &mut Session,
        after: u32,
        end: u32,
        listed: &[u32],
    ) -> Result<Vec<u32>, MailboxError> {
        let span = end.saturating_sub(after);
        if usize::try_from(span).is_ok_and(|span| listed.len() >= span) {
            return Ok(Vec::new());
        }
        let mut found = BTreeSet::new();
        let command = format!("UID FETCH {}:{end} (UID)", after.saturating_add(1));
        let asked = session
            .run(&command, Pace::Bulk, |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some((uid, _)) = piece(attributes)
                    && (after.saturating_add(1)..=end).contains(&uid)
                    && listed.binary_search(&uid).is_err()
                {
                    found.insert(uid);
                }
            })
            .await;
        match asked {
            // Some servers refuse a set in which there is nothing.
            Err(fault @ Fault::Refused(_)) => self.complain(&fault),
            Err(fault) => return Err(fault.at(&self.account.account, "UID FETCH (UID)")),
            Ok(()) => {}
        }
        if !found.is_empty() {
            warn!(
                account = self.account.account,
                messages = found.len(),
                "The server's SEARCH left out {} messages that are there; have its index mended. They are read.",
                found.len()
            );
        }
        Ok(found.into_iter().collect())
    }

    fn fetched(&self, uid_validity: u32, up_to: u32, harvest: Harvest) -> Fetched {
        let at = |uid| MessageRef {
            account: self.account.account.clone(),
            folder: self.folder.clone(),
            uid_validity,
            uid,
        };
        let mut fetched = Fetched { uid_validity, up_to, ..Fetched::default() };
        for (uid, reason) in harvest.unreadable.into_iter().filter(|(uid, _)| *uid <= up_to) {
            let received_at = harvest.pieces.get(&uid).and_then(Piece::received_at);
            fetched.unreadable.push(Unreadable { at: at(uid), received_at, reason });
        }
        for (uid, piece) in harvest.pieces.into_iter().filter(|(uid, _)| *uid <= up_to) {
            let received_at = piece.received_at();
            let Some(bytes) = piece.bytes else { continue };
            let size_bytes = bytes.len().max(piece.size_bytes.unwrap_or(0) as usize);
            let received_at = received_at
                .or_else(|| message::heading(&bytes, size_bytes).received_at())
                .unwrap_or_else(|| SystemClock.now());
            fetched.messages.push(RawMessage { at: at(uid), received_at, size_bytes, bytes });
        }
        fetched
    }

    /// Dates and sizes first, so that memory stays bounded: the list is cut where it would be too much for one fetch.
    async fn sizes(&mut self, uids: &mut Vec<u32>, harvest: &mut Harvest) -> Result<(), MailboxError> {
        let is_sized = |uid: &u32| harvest.pieces.get(uid).is_some_and(|piece| piece.size_bytes.is_some());
        let unsized_ones: Vec<u32> = uids.iter().copied().filter(|uid| !is_sized(uid)).collect();
        if !unsized_ones.is_empty() {
            let mut session = self.opened(false).await?;
            let asked = fetch(&mut session, &unsized_ones, SIZES, &mut harvest.pieces).await;
            self.session = Some(session);
            if let Err(fault) = asked {
                self.complain(&fault);
                // Sizes are a help; without them every message is taken to be as large as it may be.
            }
        }
        let limit = self.account.whole_message_limit_bytes;
        let mut sum = 0u64;
        let fits = uids
            .iter()
            .take_while(|uid| {
                sum += u64::from(size(&harvest.pieces, **uid, limit));
                sum <= MOST_BYTES
            })
            .count();
        uids.truncate(fits.max(1));
        Ok(())
    }

    /// Small ones together; each large one by itself.
    fn batches(&self, uids: &[u32], pieces: &BTreeMap<u32, Piece>) -> Vec<Vec<u32>> {
        let limit = self.account.whole_message_limit_bytes;
        let mut batches: Vec<Vec<u32>> = Vec::new();
        let mut bytes = u64::MAX;
        for uid in uids {
            let size = pieces.get(uid).and_then(|piece| piece.size_bytes);
            let small = size.is_some_and(|size| size <= limit);
            let size = u64::from(size.unwrap_or(limit));
            let room = bytes.saturating_add(size) <= BATCH_BYTES;
            match batches.last_mut() {
                Some(last) if small && room && last.len() < self.account.fetch_batch => {
                    last.push(*uid);
                    bytes += size;
                }
                _ => {
                    batches.push(vec![*uid]);
                    bytes = if small { size } else { u64::MAX };
                }
            }
        }
        batches
    }

    /// One FETCH for several; whatever it leaves open is asked for one by one.
    async fn batch(&mut self, uids: &[u32], harvest: &mut Harvest) -> Result<(), MailboxError> {
        let limit = self.account.whole_message_limit_bytes;
        let small = |uid: &u32| {
            harvest.pieces.get(uid).and_then(|piece| piece.size_bytes).is_some_and(|size| size <= limit)
        };
        if uids.iter().all(small) {
            let mut session = self.open_again(harvest).await?;
            // Exchange only estimates sizes: some room, but not without bounds.
            session.allow_literals_up_to(2 * u64::from(limit));
            let fetched = fetch(&mut session, uids, WHOLE, &mut harvest.pieces).await;
            self.session = Some(session);
            if let Err(fault) = fetched {
                self.complain(&fault);
            }
        }
        for uid in uids {
            if !harvest.is_settled(*uid) {
                self.alone(*uid, harvest).await?;
            }
        }
        Ok(())
    }

    /// One message by itself, never more of it than the limit. A failure counts against it.
    pub(super) async fn alone(&mut self, uid: u32, harvest: &mut Harvest) -> Result<(), MailboxError> {
        let limit = self.account.whole_message_limit_bytes;
        let mut session = self.open_again(harvest).await?;
        session.allow_literals_up_to(u64::from(limit));
        let items = format!("UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{limit}>");
        let mut outcome = fetch(&mut session, &[uid], &items, &mut harvest.pieces).await;
        if outcome.is_ok() && !harvest.has(uid) {
            match search(&mut session, &format!("UID {uid}")).await {
                Ok(there) if !there.contains(&uid) => {
                    harvest.gone.insert(uid);
                }
                Ok(_) => self.blame.failed(uid, false),
                Err(fault) => outcome = Err(fault),
            }
        }
        self.session = Some(session);
        if let Err(fault) = outcome {
            self.complain(&fault);
            self.blame.failed(uid, is_busy(&fault));
        }
        Ok(())
    }

    /// An open folder, connecting anew when the last command broke the connection, but not without end.
    pub(super) async fn open_again(&mut self, harvest: &mut Harvest) -> Result<Session, MailboxError> {
        if !self.session.as_ref().is_some_and(Session::is_usable) {
            harvest.reconnections += 1;
            if harvest.reconnections > MOST_RECONNECTIONS {
                return Err(MailboxError::Transient {
                    account: self.account.account.clone(),
                    step: "UID FETCH".into(),
                    problem: format!("the connection broke again and again: {}", self.last_complaint),
                });
            }
        }
        self.opened(false).await
    }

    pub(super) fn complain(&mut self, fault: &Fault) {
        self.last_complaint = match fault {
            Fault::Lost(why) => why.clone(),
            Fault::Refused(refusal) if refusal.text.is_empty() => "refused".into(),
            Fault::Refused(refusal) => format!("the server refused: {}", refusal.text),
        };
        debug!(account = self.account.account, "FETCH failed: {}.", self.last_complaint);
    }
}

fn size(pieces: &BTreeMap<u32, Piece>, uid: u32, limit: u32) -> u32 {
    pieces.get(&uid).and_then(|piece| piece.size_bytes).unwrap_or(limit).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_are_read_in_every_spelling() {
        let want = "2026-01-05T10:11:12Z".parse::<DateTime<Utc>>().unwrap();
        for text in [" 5-Jan-2026 10:11:12 +0000", "05-Jan-2026 11:11:12 +0100", "5-Jan-2026 05:11:12 -0500"]
        {
            assert_eq!(internal_date(text), Some(want), "{text}");
        }
        assert_eq!(internal_date("yesterday"), None);
    }
}
