//! send-triage looks after a council's SEND mailboxes: it acknowledges, decides urgent or standard by rules taken from
//! the policy, routes by area, and keeps the deadline of every message.
//!
//! # The journey of one message, and the modules in reading order
//!
//! 1. [`mailbox`] is where messages come from and where they are filed: IMAP, a Maildir, a folder of `.eml` files.
//! 2. [`message`] is what was said: bytes become a [`message::Message`], its new words cut from quotes and signature.
//! 3. [`triage`] decides, by [`rules`] that staff wrote and the [`calendar`]: a [`triage::Decision`] with its trace.
//! 4. [`record`] keeps message, case, trace and the [`effect`]s to be done, in one SQLite transaction.
//! 5. [`outbox`] sends the [`letter`]s; the [`mailbox`] files the message.
//!
//! [`memo`] explains a decision to a colleague, [`digest`] tells managers how it goes. [`daemon`] runs these steps for every mailbox; [`command`] holds the commands.
//!
//! # Layers
//!
//! A module imports from the rows above its own, and from its own row to its left (`tests/tidy.rs` checks this):
//!
//! | row | modules |
//! | --- | --- |
//! | words | `yaml`, `message`, `calendar` |
//! | judgement | `rules`, `triage`, `case` |
//! | what to do | `memo`, `digest`, `letter`, `effect` |
//! | outside | `clock`, `certificate`, `mailbox`, `record`, `outbox`, `oauth` |
//! | running | `config`, `daemon`, `command` |
//!
//! # Invariants
//!
//! - The first three rows know no clock, file, network or database; they cannot fail but on what staff wrote.
//! - A message is recorded once, in one transaction with its case, trace and effects.
//! - Nothing is sent or moved that is not first an [`effect::Effect`] on disk (but for the notice that changed rules were
//!   refused: it is about no message).
//! - An effect found half done after a crash is settled by looking, not by guessing.
//! - Every answer carries the findings that led to it. Rules that do not pass leave the last good ones in force.
//! - Nothing is spawned: tasks are joined and borrow (but for the one request of an access token, which waits on a thread of
//!   its own). Logs name messages by number, never people.

pub mod yaml;

pub mod message;

pub mod calendar;

pub mod rules;

pub mod triage;

pub mod case;

pub mod digest;

pub mod letter;

pub mod effect;

pub mod memo;

pub mod clock;

pub mod certificate;

pub mod mailbox;

pub mod record;

pub mod outbox;

pub mod oauth;

pub mod config;

pub mod daemon;

pub mod command;
