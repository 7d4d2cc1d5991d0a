//! The disk beneath the record: full, slow to be had, failing, or gone with the power between any two transactions. Full and
//! busy are SQLite's own (its page limit, another connection's lock); a failed read or write is said in its place.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::Connection;
use send_triage::record::{Disk, Moment, RecordError};

use super::sim::Sim;

/// More pages than any record of this world has.
const NO_LIMIT: i64 = 1 << 30;

/// A disk for the record in this file.
pub fn disk(sim: &Sim, path: &Path) -> Disk {
    let (sim, path) = (sim.clone(), path.to_owned());
    let other = Connection::open(&path).unwrap();
    let ready = std::cell::Cell::new(false);
    let full = std::cell::Cell::new(false);
    let held = std::cell::Cell::new(false);
    Rc::new(move |moment, connection| {
        if !ready.replace(true) {
            connection.busy_timeout(Duration::ZERO).unwrap();
        }
        if held.replace(false) {
            other.execute_batch("ROLLBACK").unwrap();
        }
        if matches!(moment, Moment::Begin | Moment::Read) && full.replace(false) {
            limit(connection, NO_LIMIT);
        }
        let io = || RecordError::Io { path: path.clone(), detail: "disk I/O error".to_owned() };
        match moment {
            Moment::Read => match sim.lock().goes_wrong(150) {
                true => Err(io()),
                false => Ok(()),
            },
            Moment::Begin => {
                let mut state = sim.lock();
                if !state.goes_wrong(40) {
                    return Ok(());
                }
                match state.chance.below(3) {
                    0 => {
                        state.note(|| "disk: an error at the beginning".to_owned());
                        Err(io())
                    }
                    1 => {
                        state.note(|| "disk: busy".to_owned());
                        other.execute_batch("BEGIN IMMEDIATE").unwrap();
                        held.set(true);
                        Ok(())
                    }
                    _ => {
                        state.note(|| "disk: full".to_owned());
                        limit(connection, 1); // SQLite takes the present size for it.
                        full.set(true);
                        Ok(())
                    }
                }
            }
            Moment::Commit => {
                sim.step(String::new);
                let mut state = sim.lock();
                if state.goes_wrong(80) {
                    state.note(|| "disk: an error at the commit".to_owned());
                    return Err(io());
                }
                Ok(())
            }
            Moment::Committed => {
                sim.lock().look_at_the_record(connection);
                sim.step(|| "committed".to_owned());
                Ok(())
            }
        }
    })
}

fn limit(connection: &Connection, pages: i64) {
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
}
