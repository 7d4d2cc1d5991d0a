//! What the tests stand on: real mail servers, a proxy that breaks the network, and the program as a process.
#![allow(dead_code)] // A harness offers more than the tests of one day use.

use std::time::{Duration, Instant};

pub mod another_imap;
pub mod desk;
pub mod exchange;
pub mod fake_imap;
pub mod fakes;
pub mod few_rules;
pub mod filed;
mod machine;
pub mod mailroom;
pub mod program;
pub mod proxy;
pub mod servers;
pub mod standin;
pub mod team;
pub mod token_endpoint;
pub mod wire;

/// How long anything may take before the test says that it never will.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `look` finds something; panics with `what` when [`PATIENCE`] is at an end. The only
/// place where tests let time pass.
#[track_caller]
pub fn wait_until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_at_most(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// The same with a limit of one's own, and no panic.
pub fn wait_at_most<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A server's times are whole seconds: what comes in the second in which a mailbox is taken into use counts as new. After
/// this, what is there already does not.
pub fn into_the_next_second() {
    std::thread::sleep(Duration::from_millis(1_050));
}

/// A folder in memory where the machine has such: told time does not wait for a disk, and neither should its tests.
pub fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
