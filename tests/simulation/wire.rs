//! The network between the program's own IMAP client and a simulated server: bytes that take their time, come in pieces, and
//! stop at any of them, in either direction. There is no task behind it: the server answers while it is written to.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::sim::Sim;
use super::talk::Talk;

/// One connection.
pub struct Wire {
    sim: Sim,
    account: usize,
    generation: u64,
    talk: Talk,
    /// What the client has written and the server has not understood yet.
    heard: Vec<u8>,
    /// What the server has said, with when it arrives.
    said: VecDeque<(Instant, Vec<u8>)>,
    timer: Option<Pin<Box<Sleep>>>,
    fate: Fate,
    /// Bytes that may still pass before the fate is met.
    left: usize,
    met: bool,
}

/// How a connection ends, if not by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    None,
    /// The server's bytes end here, and the connection with them.
    CutFromServer,
    /// The client's bytes end here: what comes after never reaches the server.
    CutToServer,
    /// Nothing comes any more, and nobody says so.
    Silence,
}

impl Wire {
    /// Connects.
    pub fn dial(sim: &Sim, account: usize) -> io::Result<Self> {
        sim.step(|| format!("connect to {account}"));
        let mut state = sim.lock();
        if state.goes_wrong(14) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let fate = match state.chance.below(10) {
            _ if !state.stormy => Fate::None,
            0 | 1 => Fate::CutFromServer,
            2 | 3 => Fate::CutToServer,
            4 => Fate::Silence,
            _ => Fate::None,
        };
        let reach = if state.chance.one_in(3) { 600 } else { 6_000 };
        let left = usize::try_from(state.chance.below(reach)).unwrap();
        let generation = state.stores[account].generation;
        let mut talk = Talk::new(account);
        let greeting = talk.greet(&mut state);
        let at = Instant::now() + state.delay();
        drop(state);
        Ok(Self {
            sim: sim.clone(),
            account,
            generation,
            talk,
            heard: Vec::new(),
            said: VecDeque::from([(at, greeting)]),
            timer: None,
            fate,
            left,
            met: false,
        })
    }

    /// The server takes what it has heard so far, line by line.
    fn work(&mut self) {
        loop {
            let end = match self.talk.wants() {
                Some(wanted) if wanted > 0 => {
                    let taken = wanted.min(self.heard.len());
                    if taken == 0 {
                        return;
                    }
                    let bytes: Vec<u8> = self.heard.drain(..taken).collect();
                    self.talk.take_literal(&bytes);
                    continue;
                }
                _ => match self.heard.windows(2).position(|window| window == b"\r\n") {
                    Some(end) => end,
                    None => return,
                },
            };
            let line: Vec<u8> = self.heard.drain(..end + 2).take(end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            let account = self.account;
            self.sim.step(|| format!("{account} <- {line}"));
            let mut state = self.sim.lock();
            let answer = self.talk.hear(&mut state, &line);
            state.note(|| format!("{account} -> {}", shown(&answer)));
            let after = self.said.back().map_or(Instant::now(), |(at, _)| (*at).max(Instant::now()));
            let at = after + state.delay();
            drop(state);
            self.say(at, answer);
            // What was done is done, whether or not it is ever told.
            self.sim.step(String::new);
        }
    }

    fn say(&mut self, at: Instant, answer: Vec<u8>) {
        if !answer.is_empty() {
            self.said.push_back((at, answer));
        }
    }

    fn is_dead(&self) -> bool {
        self.sim.lock().stores[self.account].generation != self.generation
    }

    /// How much of `wanted` bytes still passes before the fate is met.
    fn passes(&mut self, wanted: usize, fates: &[Fate]) -> usize {
        if !fates.contains(&self.fate) {
            return wanted;
        }
        let passes = wanted.min(self.left);
        self.left -= passes;
        if passes < wanted && !self.met {
            self.met = true;
            let (account, fate) = (self.account, self.fate);
            self.sim.lock().note(|| format!("{account} {fate:?}"));
        }
        passes
    }
}

/// The beginning of each line, for the trace.
fn shown(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let lines = text.lines().map(|line| line.chars().take(90).collect::<String>());
    lines.take(6).collect::<Vec<_>>().join(" | ")
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.is_dead() || this.talk.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // What is written into a broken connection seems to go out all the same.
        let passing = this.passes(bytes.len(), &[Fate::CutToServer]);
        this.heard.extend_from_slice(&bytes[..passing]);
        this.work();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.is_dead() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if this.met {
                if this.fate == Fate::Silence {
                    this.sim.lock().stores[this.account].waiting.push(context.waker().clone());
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(())); // Closed.
            }
            let Some((at, _)) = this.said.front() else {
                if this.talk.ended {
                    return Poll::Ready(Ok(()));
                }
                let mut state = this.sim.lock();
                let news = this.talk.while_idling(&mut state);
                if news.is_empty() {
                    state.stores[this.account].waiting.push(context.waker().clone());
                    return Poll::Pending;
                }
                let (account, at) = (this.account, Instant::now() + state.delay());
                state.note(|| format!("{account} -> {}", shown(&news)));
                drop(state);
                this.say(at, news);
                continue;
            };
            let at = *at;
            if at > Instant::now() {
                let timer = this.timer.insert(Box::pin(sleep_until(at)));
                match timer.as_mut().poll(context) {
                    Poll::Ready(()) => continue,
                    Poll::Pending => {
                        // A restart breaks the connection in the meantime.
                        this.sim.lock().stores[this.account].waiting.push(context.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
            let Some((_, mut bytes)) = this.said.pop_front() else { continue };
            let mut piece = bytes.len().min(into.remaining());
            if piece > 1 {
                let mut state = this.sim.lock();
                if state.goes_wrong(6) {
                    piece = usize::try_from(state.chance.between(1, piece as u64)).unwrap();
                }
            }
            let passing = this.passes(piece, &[Fate::CutFromServer, Fate::Silence]);
            if passing == 0 {
                continue;
            }
            into.put_slice(&bytes[..passing]);
            if passing == piece && piece < bytes.len() {
                let rest = bytes.split_off(piece);
                this.said.push_front((at, rest));
            }
            this.sim.step(String::new);
            return Poll::Ready(Ok(()));
        }
    }
}
