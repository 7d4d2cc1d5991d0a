//! Takes letters to the next server, or writes them as files. What is to be sent, and whether again, is the record's to
//! say; here is only how, and what came of it (RFC 5321).

use std::time::Duration;

use crate::letter::Letter;

pub mod file;
mod pace;
pub mod retry;
pub mod smtp;

pub use file::FileCourier;
pub use pace::Pace;
pub use smtp::{SmtpConfig, SmtpCourier};

/// Whoever takes a letter to the next server.
#[allow(async_fn_in_trait)] // One thread, joined tasks: no `Send` is wanted.
pub trait Courier {
    /// `Ok` means that the next server has taken responsibility (RFC 5321 section 6.1).
    ///
    /// `commit` is called once, just before the point of no return (the letter's bytes are about to be handed over): the
    /// caller writes down that the outcome may become uncertain. When it returns false nothing is sent.
    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError>;

    /// How long to wait before the next letter, so that the server is not handed more than it takes in a minute.
    fn ready_in(&self) -> Duration {
        Duration::ZERO
    }

    /// Takes leave of the server when there has been no letter for a while. To be called between rounds.
    async fn close_if_idle(&mut self) {}

    /// Opens a connection if there has been none for a day: so it is known in time that a login is refused, or that a certificate
    /// runs out, and not only when a letter is to go. To be called between rounds.
    async fn keep_acquainted(&mut self) {}

    /// Takes leave of the server.
    async fn close(&mut self) {}
}

/// Why a letter was not delivered, sorted by who acts next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// 4xx, or no answer before the point of no return: the same letter may be taken later.
    #[error("{server_said}; trying again")]
    Transient {
        /// What the server said, or what went wrong, with the step.
        server_said: String,
    },
    /// 5xx: this letter will never be taken as it is.
    #[error("refused for good: {server_said}")]
    Permanent {
        /// What the server said.
        server_said: String,
    },
    /// The login or the configuration is at fault: every letter would fail.
    #[error("{problem}; {remedy}")]
    NeedsAPerson {
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// Handed over, but the answer never came: it may have been sent.
    #[error("no answer after the letter was handed over: {detail}")]
    Uncertain {
        /// What happened.
        detail: String,
    },
    /// `commit` said no.
    #[error("not sent: its attempt could not be recorded")]
    NotCommitted,
}

/// One of the couriers, as the configuration names it.
#[derive(Debug)]
pub enum AnyCourier {
    /// Over SMTP.
    Smtp(Box<SmtpCourier>),
    /// Into a folder.
    File(FileCourier),
}

impl Courier for AnyCourier {
    async fn deliver(
        &mut self,
        letter: &Letter,
        commit: &mut dyn FnMut() -> bool,
    ) -> Result<(), DeliveryError> {
        match self {
            Self::Smtp(courier) => courier.deliver(letter, commit).await,
            Self::File(courier) => courier.deliver(letter, commit).await,
        }
    }

    fn ready_in(&self) -> Duration {
        match self {
            Self::Smtp(courier) => courier.ready_in(),
            Self::File(courier) => courier.ready_in(),
        }
    }

    async fn close_if_idle(&mut self) {
        if let Self::Smtp(courier) = self {
            courier.close_if_idle().await;
        }
    }

    async fn keep_acquainted(&mut self) {
        if let Self::Smtp(courier) = self {
            courier.keep_acquainted().await;
        }
    }

    async fn close(&mut self) {
        if let Self::Smtp(courier) = self {
            courier.close().await;
        }
    }
}
