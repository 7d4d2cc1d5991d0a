//! Another disk than the machine's: what tests put beneath the record, to fail as disks do. The daemon never has one.
//!
//! The network has such a place in `mailbox::Dialler`. Without it a full disk, a write error or a power cut between two
//! transactions could be tried by chance only.

use std::rc::Rc;

use rusqlite::Connection;

use super::{RecordError, Records};

/// When the disk is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Something is about to be read.
    Read,
    /// A transaction that writes is about to begin.
    Begin,
    /// It is about to be committed.
    Commit,
    /// It is on disk.
    Committed,
}

/// Says whether it goes on; an error makes the transaction fail, which is then rolled back. After [`Moment::Committed`] an
/// error changes nothing any more and is not looked at.
pub type Disk = Rc<dyn Fn(Moment, &Connection) -> Result<(), RecordError>>;

impl Records {
    /// The same record on this disk.
    #[must_use]
    pub fn on(self, disk: Disk) -> Self {
        Self { disk: Some(disk), ..self }
    }

    pub(super) fn ask_disk(&self, moment: Moment) -> Result<(), RecordError> {
        match &self.disk {
            Some(disk) => disk(moment, &self.connection),
            None => Ok(()),
        }
    }
}
