//! What is written in the simulated world, as its senders' mail programs write it, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// What a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Question,
    /// For the assessment team, whichever mailbox it comes to.
    Request,
    Urgent,
    /// The sender asks again.
    Chaser,
    /// A question without a Message-ID.
    Nameless,
    OutOfOffice,
    Newsletter,
    /// Our acknowledgement came back.
    Bounce,
    /// Staff answer from their mail program.
    Answer,
}

impl Kind {
    /// Whether its sender is owed an answer, and with it a case.
    pub fn is_asked(self) -> bool {
        matches!(self, Self::Question | Self::Request | Self::Urgent | Self::Chaser | Self::Nameless)
    }
}

/// One letter, and what the world knows of it.
pub struct Letter {
    pub kind: Kind,
    pub account: usize,
    pub bytes: Arc<[u8]>,
    pub sender: String,
    /// It lay there before the program was first started.
    pub old: bool,
    /// Staff have moved or deleted it.
    pub touched: bool,
    /// How often it was delivered.
    pub deliveries: u32,
    /// How often a mail server took an acknowledgement of it.
    pub acknowledged: u32,
}

/// All of them.
#[derive(Default)]
pub struct Letters {
    pub all: Vec<Letter>,
    /// For each case when it is due, and how many facts say so.
    pub due: BTreeMap<i64, (Option<String>, i64)>,
    /// For each mailbox up to where its ledger was looked at.
    pub ledger: BTreeMap<i64, (i64, i64)>,
    /// Our letters that were taken, by Message-ID.
    pub taken: BTreeMap<String, u32>,
    /// Letters that were refused for good, or lost without a word.
    pub given_up: u32,
    /// Copies that appear in Sent later.
    pub later: Vec<(DateTime<Utc>, usize, Arc<[u8]>)>,
}

/// The addresses of the accounts.
pub const ACCOUNTS: [&str; 2] = ["general", "assessment"];

impl Letters {
    /// Writes a letter; its number. `about` is the letter that it chases, answers or returns.
    pub fn write(&mut self, kind: Kind, account: usize, about: Option<usize>, now: DateTime<Utc>) -> usize {
        let number = self.all.len();
        let to = format!("send.{}@council.example", ACCOUNTS[account]);
        let sender = match (kind, about) {
            (Kind::Bounce, _) => "mailer-daemon@home.example".to_owned(),
            (Kind::Newsletter, _) => "news@charity.example".to_owned(),
            (Kind::Answer, _) => to.clone(),
            (_, Some(about)) => self.all[about].sender.clone(),
            _ => format!("parent.{number}@home.example"),
        };
        let to = match (kind, about) {
            (Kind::Answer, Some(about)) => self.all[about].sender.clone(),
            _ => to,
        };
        let words = match kind {
            Kind::Question | Kind::Nameless => "Please can you tell me who our EHC coordinator is now?",
            Kind::Request => "I would like to request an EHC needs assessment for my daughter.",
            Kind::Urgent => {
                "My son has been permanently excluded from his school this morning. What can we do?"
            }
            Kind::Chaser => "I have not had a reply to my email. Please can you tell me what is happening?",
            Kind::OutOfOffice => "I am out of the office until Monday.",
            Kind::Newsletter => "Our training days this term.",
            Kind::Bounce => "Your message could not be delivered.",
            Kind::Answer => "Your coordinator is now Mrs Brown. Her telephone number is 01632 960 330.",
        };
        let mut header = format!(
            "From: Somebody <{sender}>\r\nTo: {to}\r\nSubject: Letter {number}.\r\nX-Letter: {number}\r\nDate: {}\r\n",
            now.to_rfc2822()
        );
        if kind != Kind::Nameless {
            header.push_str(&format!("Message-ID: <letter.{number}@home.example>\r\n"));
        }
        if let Some(about) = about {
            header.push_str(&format!("In-Reply-To: <letter.{about}@home.example>\r\n"));
        }
        header.push_str(match kind {
            Kind::OutOfOffice => "Auto-Submitted: auto-replied\r\n",
            Kind::Newsletter => "List-Id: <news.charity.example>\r\nPrecedence: bulk\r\n",
            Kind::Bounce => {
                "Return-Path: <>\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; \
                 report-type=delivery-status; boundary=b\r\n"
            }
            _ => "",
        });
        let body = match kind {
            Kind::Bounce => format!(
                "--b\r\n\r\n{words}\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; \
                 mx.home.example\r\n\r\nFinal-Recipient: rfc822; x@home.example\r\nAction: failed\r\nStatus: \
                 5.1.1\r\n--b--\r\n"
            ),
            _ => format!("Hello,\r\n\r\n{words}\r\n\r\nKind regards\r\nAnna\r\n"),
        };
        let bytes = format!("{header}\r\n{body}").into_bytes().into();
        let letter = Letter {
            kind,
            account,
            bytes,
            sender,
            old: false,
            touched: false,
            deliveries: 0,
            acknowledged: 0,
        };
        self.all.push(letter);
        number
    }
}
