//! The ways in which the record is read and written: each a transaction. What is done in them is their callers' business.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{Fault, RecordError};
use super::{Moment, Records};

impl Records {
    /// Runs `work` in one transaction: all of it is on disk when this returns `Ok`, and nothing of it otherwise.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, RecordError> {
        // IMMEDIATE: a transaction that begins by reading and then wants to write fails at once, whatever the timeout.
        let attempt = || {
            self.ask_disk(Moment::Begin)?;
            self.let_go()?;
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            self.ask_disk(Moment::Commit)?;
            transaction.commit()?;
            let _ = self.ask_disk(Moment::Committed);
            Ok(answer)
        };
        attempt().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Runs `work` in one transaction and takes it all back: what would come of it.
    pub(super) fn rehearse<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, RecordError> {
        let attempt = || {
            self.let_go()?;
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.rollback()?;
            Ok(answer)
        };
        attempt().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Runs `work` on one consistent state of the file.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, RecordError> {
        let attempt = || {
            self.ask_disk(Moment::Read)?;
            if self.at_one_moment.get() {
                if self.connection.is_autocommit() {
                    self.connection.execute_batch("BEGIN DEFERRED")?;
                }
                return work(&self.connection);
            }
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
            let answer = work(&transaction)?;
            transaction.finish()?;
            Ok(answer)
        };
        attempt().map_err(|fault: Fault| fault.at(&self.path))
    }

    /// Whatever `work` reads, it reads from one state of the file, in one transaction instead of one for each question. A write
    /// in between ends that state: what is read after it is what was written.
    pub fn at_one_moment<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Held<'r>(&'r Records);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                // Nothing was written in it, so nothing can be lost with it.
                let _ = self.0.let_go();
                self.0.at_one_moment.set(false);
            }
        }
        self.at_one_moment.set(true);
        let _held = Held(self);
        work()
    }

    /// Ends the transaction in which several reads share one state, if there is one.
    fn let_go(&self) -> rusqlite::Result<()> {
        let shares = self.at_one_moment.get() && !self.connection.is_autocommit();
        if shares { self.connection.execute_batch("COMMIT") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{CaseFilter, Records};

    #[test]
    fn what_is_read_at_one_moment_does_not_see_what_others_write_meanwhile() {
        let sample = Sample::new();
        sample.enter_one(1);
        let cases = |records: &Records| records.cases(&CaseFilter::default()).unwrap().len();
        let another = Records::open(&sample.path()).unwrap();
        another.at_one_moment(|| {
            assert_eq!(cases(&another), 1);
            sample.enter_one(2);
            assert_eq!(cases(&another), 1);
        });
        assert_eq!(cases(&another), 2);
    }

    #[test]
    fn a_write_in_between_is_seen_by_the_next_read() {
        let sample = Sample::new();
        let cases = || sample.records.cases(&CaseFilter::default()).unwrap().len();
        sample.records.at_one_moment(|| {
            assert_eq!(cases(), 0);
            sample.enter_one(1);
            assert_eq!(cases(), 1);
        });
        assert_eq!(cases(), 1);
    }
}
