//! The next messages of a backlog, asked for before they are wanted: the server reads them while the program decides about those
//! before. Only the reading of the answer is put off; no other command goes out before it has been read, so that nothing on
//! the wire is new to the server. Not: a promise that they are there; whoever wants them still asks for what is missing.

use std::collections::BTreeMap;

use super::fetch::{BATCH_BYTES, Piece, SIZES, WHOLE, fetch};
use super::imap::ImapMailbox;
use super::names::uid_set;
use super::session::Session;

impl ImapMailbox {
    /// Asks for what SEARCH has listed above `after`, at most so many. What goes wrong here is met again when they are wanted.
    pub(super) async fn look_ahead(&mut self, after: u32, at_most: u32) {
        let next = self.listed.partition_point(|uid| *uid <= after);
        let uids: Vec<u32> = self.listed.iter().skip(next).take(at_most as usize).copied().collect();
        if uids.is_empty() {
            return;
        }
        // Taken out while a command runs: a dropped future drops it too.
        let Some(mut session) = self.session.take().filter(Session::is_usable) else { return };
        let limit = u64::from(self.account.whole_message_limit_bytes);
        let mut pieces = BTreeMap::new();
        if fetch(&mut session, &uids, SIZES, &mut pieces).await.is_ok() {
            let first = first_of(&uids, &pieces, limit);
            session.ahead = pieces;
            if !first.is_empty() {
                // Exchange only estimates sizes: some room, but not without bounds.
                let _ =
                    session.start_ahead(&format!("UID FETCH {} ({WHOLE})", uid_set(&first)), 2 * limit).await;
            }
        }
        self.session = Some(session);
    }
}

/// The first of these, up to one that is large or would make them too much for one FETCH.
fn first_of(uids: &[u32], pieces: &BTreeMap<u32, Piece>, limit: u64) -> Vec<u32> {
    let mut sum = 0u64;
    let fits = |uid: &&u32| {
        let size = pieces.get(uid).and_then(|piece| piece.size_bytes).map(u64::from);
        sum = sum.saturating_add(size.unwrap_or(u64::MAX));
        size.is_some_and(|size| size <= limit) && sum <= BATCH_BYTES
    };
    uids.iter().take_while(fits).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_message_and_what_follows_it_is_not_asked_for_ahead() {
        let piece = |size| Piece { size_bytes: Some(size), ..Piece::default() };
        let pieces: BTreeMap<u32, Piece> =
            [(1, piece(10)), (2, piece(2_000_000)), (3, piece(10))].into_iter().collect();
        assert_eq!(first_of(&[1, 2, 3], &pieces, 1 << 20), [1]);
        assert_eq!(first_of(&[1, 3, 4], &pieces, 1 << 20), [1, 3]);
        let full: BTreeMap<u32, Piece> = (1..9).map(|uid| (uid, piece(1 << 20))).collect();
        assert_eq!(first_of(&[1, 2, 3, 4, 5], &full, 1 << 20).len(), 4);
    }
}
