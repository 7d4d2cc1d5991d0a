//! Reading and deciding about one message, contained: on a thread of its own and with a time limit, so that neither a panic
//! nor work without end in it stops the mailbox. It decides nothing; who calls it sets the message aside. What ends the whole
//! process instead (no memory, no stack) is counted in `record/strikes.rs`.
//!
//! A thread cannot be ended from outside. One that was given up goes on until its work ends, and as long as any does,
//! systemd's watchdog is not told that all is well (`pulse.rs`): a restart then rids the machine of it, and by then the
//! message is on record as set aside and is not read again.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;

/// The longest that is waited. A message of the largest size that is read takes a tenth of a second.
const LONGEST: Duration = Duration::from_secs(10);

/// As deep as any bounded recursion goes, several times over; the system gives only what is used.
const STACK_BYTES: usize = 16 << 20;

/// Why nothing came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A fault of the program that this message brings out.
    Panicked,
    /// It did not end in time, and was given up.
    RanAway,
}

impl Failure {
    /// For staff: what failed, and that it is no fault of theirs.
    pub fn reason(self, what: &str) -> String {
        match self {
            Self::Panicked => {
                format!("{what} failed inside the program; please report this with the message.")
            }
            Self::RanAway => {
                format!("{what} did not end in time and was given up; please report this with the message.")
            }
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    /// The thread that works for this one.
    static HAND: RefCell<Option<Sender<Job>>> = const { RefCell::new(None) };
    static LIMIT: Cell<Duration> = const { Cell::new(LONGEST) };
    /// How many threads were given up and still work.
    static AWAY: Arc<AtomicUsize> = Arc::new(AtomicUsize::new(0));
}

/// Runs `work` on the other thread and waits for it, but not for ever.
///
/// Waiting holds up this thread, and so the other mailboxes: for ten seconds, once for each message that is set aside for it.
pub fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let Some(hand) = hand() else {
        // No thread is to be had: better without a limit than not at all.
        return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Failure::Panicked);
    };
    let away = AWAY.with(Arc::clone);
    // Without a place to wait in, so that an answer is either taken or refused: nothing falls between.
    let (tell, told) = sync_channel(0);
    let counted = away.clone();
    let job: Job = Box::new(move || {
        let answer = catch_unwind(AssertUnwindSafe(work));
        if tell.send(answer).is_err() {
            counted.fetch_sub(1, Ordering::SeqCst);
        }
    });
    if hand.send(job).is_err() {
        HAND.take();
        return Err(Failure::Panicked);
    }
    match told.recv_timeout(LIMIT.get()) {
        Ok(answer) => answer.map_err(|_| Failure::Panicked),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Panicked),
        Err(RecvTimeoutError::Timeout) => {
            // Counted before it can be counted off.
            away.fetch_add(1, Ordering::SeqCst);
            HAND.take();
            drop(told);
            Err(Failure::RanAway)
        }
    }
}

/// The thread that works for this one: the one that is there, or a new one.
fn hand() -> Option<Sender<Job>> {
    if let Some(hand) = HAND.with_borrow(Clone::clone) {
        return Some(hand);
    }
    let (hand, jobs) = channel::<Job>();
    let thread = std::thread::Builder::new().name("reading".to_owned()).stack_size(STACK_BYTES);
    match thread.spawn(move || jobs.into_iter().for_each(|job| job())) {
        Ok(_) => {
            HAND.set(Some(hand.clone()));
            Some(hand)
        }
        Err(error) => {
            tracing::error!(
                "No thread can be had for reading messages ({error}): they are read without a limit of time."
            );
            None
        }
    }
}

/// How many were given up and still work.
pub fn run_aways() -> usize {
    AWAY.with(|away| away.load(Ordering::SeqCst))
}

/// Another limit for what this thread asks for: for tests, which cannot wait so long.
pub fn allow(limit: Duration) {
    LIMIT.set(limit);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_panics_is_contained_and_the_next_is_done() {
        for _ in 0..3 {
            let nothing: Vec<u32> = Vec::new();
            assert_eq!(apart(move || nothing.into_iter().next().unwrap()), Err(Failure::Panicked));
            assert_eq!(apart(|| 7), Ok(7));
        }
        assert_eq!(run_aways(), 0);
    }

    #[test]
    fn what_does_not_end_is_given_up_and_counted_as_long_as_it_goes_on() {
        let (end, wait) = channel::<()>();
        allow(Duration::from_millis(50));
        let began = Instant::now();
        assert_eq!(apart(move || wait.recv().is_ok()), Err(Failure::RanAway));
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(run_aways(), 1);
        allow(LONGEST);
        assert_eq!(apart(|| 7), Ok(7), "the next has a thread of its own");
        end.send(()).unwrap();
        while run_aways() > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "its end was not seen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn deep_work_has_room() {
        fn deep(levels: u32) -> u32 {
            let room = [levels; 64];
            if levels == 0 { 0 } else { deep(levels - 1) + u32::from(std::hint::black_box(room)[3] > 0) }
        }
        assert_eq!(apart(|| deep(10_000)), Ok(10_000));
    }
}
