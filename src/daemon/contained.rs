//! Reading and deciding about messages, contained: on a thread beside and with a time limit, so that neither a panic nor work
//! without end in one of them stops the mailbox; and begun before it is wanted, so that the machine's other processor has
//! something to do while this thread waits for servers and disks. It decides nothing; who calls it sets the message aside.
//! What ends the whole process instead (no memory, no stack) is counted in `record/strikes.rs`.
//!
//! A thread cannot be ended from outside. One that was given up goes on until its work ends, and as long as any does,
//! systemd's watchdog is not told that all is well (`pulse.rs`): a restart then rids the machine of it, and by then the
//! message is on record as set aside and is not read again.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Result as Caught;
use std::time::{Duration, Instant};

/// The longest that is waited for one piece of work. A message of the largest size that is read takes a tenth of a second.
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
    /// It was not begun, because other work before it did not end. It may be asked for anew.
    NotBegun,
}

impl Failure {
    /// For staff: what failed, and that it is no fault of theirs.
    pub fn reason(self, what: &str) -> String {
        match self {
            Self::Panicked => {
                format!("{what} failed inside the program; please report this with the message.")
            }
            Self::RanAway | Self::NotBegun => {
                format!("{what} did not end in time and was given up; please report this with the message.")
            }
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that works for this one.
#[derive(Clone)]
struct Hand {
    jobs: Sender<Job>,
    /// It is at work that does not end: nothing that it was given after that will be done.
    given_up: Arc<AtomicBool>,
}

/// How many threads work ahead; one more does what is waited for at once.
const AHEAD: usize = 2;

thread_local! {
    /// The threads that work for this one; the first is for what is waited for at once, so that it never waits for the others.
    static HANDS: RefCell<[Option<Hand>; AHEAD + 1]> = const { RefCell::new([const { None }; AHEAD + 1]) };
    static LIMIT: Cell<Duration> = const { Cell::new(LONGEST) };
    /// How many threads were given up and still work.
    static AWAY: Arc<AtomicUsize> = Arc::new(AtomicUsize::new(0));
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Working(Instant),
    Done,
    /// Nobody wants it any more; if it was begun, its end is counted.
    GivenUp,
}

/// Work that was handed over.
pub struct Begun<T> {
    answer: Receiver<Caught<T>>,
    stage: Arc<Mutex<Stage>>,
    /// Who does it; `None`: it is done already.
    hand: Option<Hand>,
}

/// Runs `work` on the other thread and waits for it, but not for ever.
///
/// Waiting holds up this thread, and so the other mailboxes: for ten seconds, once for each message that is set aside for it.
pub fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    hand_over(0, work).end()
}

/// Begins `work` ahead of its being waited for. Of what has the same `turn`, what is handed over first is begun first.
pub fn begin<T: Send + 'static>(turn: usize, work: impl FnOnce() -> T + Send + 'static) -> Begun<T> {
    hand_over(1 + turn % AHEAD, work)
}

fn hand_over<T: Send + 'static>(place: usize, work: impl FnOnce() -> T + Send + 'static) -> Begun<T> {
    let stage = Arc::new(Mutex::new(Stage::Waiting));
    let (tell, answer) = sync_channel(1);
    let (own, away) = (stage.clone(), AWAY.with(Arc::clone));
    let job = move || {
        {
            let mut stage = locked(&own);
            if *stage == Stage::GivenUp {
                return;
            }
            *stage = Stage::Working(Instant::now());
        }
        let done = catch_unwind(AssertUnwindSafe(work));
        let mut stage = locked(&own);
        if *stage == Stage::GivenUp {
            away.fetch_sub(1, Ordering::SeqCst);
        } else {
            *stage = Stage::Done;
            // There is room for one, and whoever waits is there as long as it is not given up.
            let _ = tell.try_send(done);
        }
    };
    let Some(hand) = hand(place) else {
        // No thread is to be had: better without a limit than not at all.
        job();
        return Begun { answer, stage, hand: None };
    };
    let is_lost = hand.jobs.send(Box::new(job)).is_err();
    let begun = Begun { answer, stage, hand: Some(hand) };
    if is_lost {
        begun.leave();
    }
    begun
}

impl<T> Begun<T> {
    /// Waits for its end, for as long as it may take from its beginning.
    pub fn end(self) -> Result<T, Failure> {
        let (asked, limit) = (Instant::now(), LIMIT.get());
        loop {
            let stage = *locked(&self.stage);
            let is_lost = || self.hand.as_ref().is_some_and(|hand| hand.given_up.load(Ordering::SeqCst));
            if stage == Stage::Waiting && is_lost() {
                return Err(Failure::NotBegun);
            }
            let since = if let Stage::Working(since) = stage { since } else { asked };
            match self.answer.recv_timeout(limit.saturating_sub(since.elapsed())) {
                Ok(answer) => return answer.map_err(|_| Failure::Panicked),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Panicked),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let mut stage = locked(&self.stage);
            match *stage {
                Stage::Working(since) if since.elapsed() >= limit => {
                    self.give_up(&mut stage);
                    return Err(Failure::RanAway);
                }
                // Something else keeps the thread.
                Stage::Waiting if asked.elapsed() >= limit => {
                    *stage = Stage::GivenUp;
                    self.leave();
                    return Err(Failure::NotBegun);
                }
                _ => {}
            }
        }
    }

    fn give_up(&self, stage: &mut Stage) {
        // Counted before it can be counted off.
        AWAY.with(|away| away.fetch_add(1, Ordering::SeqCst));
        *stage = Stage::GivenUp;
        self.leave();
    }

    /// Nothing more is handed to this thread.
    fn leave(&self) {
        let Some(own) = &self.hand else { return };
        own.given_up.store(true, Ordering::SeqCst);
        HANDS.with_borrow_mut(|hands| {
            let is_own = |hand: &&mut Option<Hand>| {
                hand.as_ref().is_some_and(|hand| Arc::ptr_eq(&hand.given_up, &own.given_up))
            };
            hands.iter_mut().filter(is_own).for_each(|hand| *hand = None);
        });
    }
}

impl<T> Drop for Begun<T> {
    /// What nobody waits for is not begun any more.
    fn drop(&mut self) {
        let mut stage = locked(&self.stage);
        match *stage {
            Stage::Waiting => *stage = Stage::GivenUp,
            // It ends, or it is counted until the watchdog sees to it.
            Stage::Working(_) => {
                AWAY.with(|away| away.fetch_add(1, Ordering::SeqCst));
                *stage = Stage::GivenUp;
            }
            Stage::Done | Stage::GivenUp => {}
        }
    }
}

fn locked(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of the threads that work for this one: the one that is there, or a new one.
fn hand(place: usize) -> Option<Hand> {
    if let Some(hand) = HANDS.with_borrow(|hands| hands.get(place).cloned().flatten()) {
        return Some(hand);
    }
    let (jobs, given) = channel::<Job>();
    let thread = std::thread::Builder::new().name("reading".to_owned()).stack_size(STACK_BYTES);
    match thread.spawn(move || given.into_iter().for_each(|job| job())) {
        Ok(_) => {
            let hand = Hand { jobs, given_up: Arc::default() };
            HANDS.with_borrow_mut(|hands| {
                if let Some(there) = hands.get_mut(place) {
                    *there = Some(hand.clone());
                }
            });
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
    fn what_was_begun_behind_work_that_does_not_end_is_told_as_not_begun_and_nobodys_fault() {
        let (end, wait) = channel::<()>();
        allow(Duration::from_millis(50));
        let stuck = begin(0, move || wait.recv().is_ok());
        let behind: Vec<Begun<u32>> = (0..3).map(|_| begin(0, || 7)).collect();
        let beside = begin(1, || 8);
        assert_eq!(beside.end(), Ok(8), "another thread goes on");
        let told: Vec<_> = behind.into_iter().map(Begun::end).collect();
        assert_eq!(told, [Err(Failure::NotBegun); 3], "whoever asks first");
        assert_eq!(begin(0, || 9).end(), Ok(9), "what is begun now has a thread of its own");
        assert_eq!(stuck.end(), Err(Failure::RanAway), "and he at fault is found");
        assert_eq!(run_aways(), 1);
        end.send(()).unwrap();
        while run_aways() > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_nobody_waits_for_is_not_begun() {
        let (end, wait) = channel::<()>();
        let (tell, told) = channel::<u32>();
        let first = begin(0, move || wait.recv().is_ok());
        let another = tell.clone();
        drop(begin(0, move || another.send(1)));
        let last = begin(0, move || tell.send(2));
        end.send(()).unwrap();
        assert_eq!(first.end(), Ok(true));
        last.end().unwrap().unwrap();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [2]);
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
