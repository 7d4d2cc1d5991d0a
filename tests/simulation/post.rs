//! The submission servers, at the program's `Courier`: they take a letter, refuse it for now or for good, or say nothing, and
//! the program may be killed before, between and after. What they took is counted here, from their side.

use std::sync::Arc;

use chrono::TimeDelta;
use send_triage::letter::Letter;
use send_triage::outbox::{Courier, DeliveryError};
use tokio::time::sleep;

use super::sim::{Sim, State};

/// One account's.
pub struct Post {
    pub sim: Sim,
    pub account: usize,
}

impl Post {
    async fn takes_its_time(&self, what: &'static str) {
        self.sim.step(|| format!("{} smtp: {what}", self.account));
        let delay = self.sim.lock().delay();
        sleep(delay).await;
        self.sim.step(String::new);
    }
}

impl Courier for Post {
    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError> {
        self.takes_its_time("connect, MAIL, RCPT").await;
        {
            let mut state = self.sim.lock();
            let fate = if state.stormy { state.chance.below(40) } else { 40 };
            match fate {
                0..=5 => return Err(DeliveryError::Transient { server_said: "450 4.2.0 greylisted".into() }),
                6 => {
                    state.letters.given_up += 1;
                    return Err(DeliveryError::Permanent { server_said: "550 5.1.1 no such user".into() });
                }
                7 => {
                    let (problem, remedy) = ("535 5.7.8 refused".into(), "Check the password".into());
                    return Err(DeliveryError::NeedsAPerson { problem, remedy });
                }
                _ => {}
            }
        }
        if !commit() {
            return Err(DeliveryError::NotCommitted);
        }
        self.takes_its_time("DATA").await;
        let silent = {
            let mut state = self.sim.lock();
            let fate = if state.stormy { state.chance.below(20) } else { 20 };
            match fate {
                0 => {
                    state.letters.given_up += 1;
                    return Err(DeliveryError::Uncertain { detail: "the connection broke".into() });
                }
                // After DATA a server may still say no, for now or for good.
                1 => return Err(DeliveryError::Transient { server_said: "451 4.3.0 later".into() }),
                _ => {}
            }
            state.take(self.account, letter);
            fate < 5
        };
        // The server has it now, whatever the program comes to know of that.
        self.takes_its_time("250, or nothing").await;
        if silent {
            return Err(DeliveryError::Uncertain { detail: "no answer after the final dot".into() });
        }
        Ok(())
    }
}

impl State {
    fn take(&mut self, account: usize, letter: &Letter) {
        let id = &letter.message_id;
        self.note(|| format!("{account} smtp took <{id}> to {}", letter.envelope_to));
        let sending = self.witness(
            "SELECT effects.state FROM effects JOIN letters ON letters.id = effects.letter_id
             WHERE letters.message_id = ?1 AND effects.kind <> 'keep-copy'",
            &[id],
        );
        self.expect(sending.as_deref() == Some("sending"), || {
            format!("a letter was handed over that the record has as {sending:?}, not as being sent")
        });
        let answered = self.witness(
            "SELECT messages.subject FROM letters JOIN messages ON messages.id = letters.answers
             WHERE letters.message_id = ?1 AND letters.kind = 'acknowledge'",
            &[id],
        );
        let taken = self.letters.taken.entry(id.clone()).or_default();
        *taken += 1;
        if let Some(number) = answered.as_deref().and_then(number_of) {
            let of = &mut self.letters.all[number];
            of.acknowledged += 1;
            let (times, kind, old, sender) =
                (of.acknowledged, of.kind, of.old && of.deliveries == 1, of.sender.clone());
            self.expect(times <= 1, || format!("letter {number} was acknowledged {times} times"));
            self.expect(!old, || format!("letter {number} was there before us and was acknowledged"));
            self.expect(kind.is_asked(), || format!("letter {number}, {kind:?}, was acknowledged"));
            self.expect(sender == letter.envelope_to, || {
                format!("letter {number} was acknowledged to a stranger")
            });
        }
        if self.stores[account].abilities.keeps_copies {
            let bytes: Arc<[u8]> = letter.raw.clone().into();
            let seconds = if self.chance.one_in(3) { self.chance.below(300) } else { 0 };
            let at = self.now() + TimeDelta::seconds(i64::try_from(seconds).unwrap());
            self.letters.later.push((at, account, bytes));
            self.keep_what_is_due();
        }
    }

    /// Copies that servers keep by themselves appear, some of them late.
    pub fn keep_what_is_due(&mut self) {
        let now = self.now();
        let (due, later) =
            std::mem::take(&mut self.letters.later).into_iter().partition(|(at, ..)| *at <= now);
        self.letters.later = later;
        let due: Vec<(_, usize, Arc<[u8]>)> = due;
        for (at, account, bytes) in due {
            self.stores[account].put("Sent", bytes, at);
        }
    }
}

/// `Letter 12.` is number 12.
pub fn number_of(subject: &str) -> Option<usize> {
    subject.strip_prefix("Letter ")?.strip_suffix('.')?.parse().ok()
}
