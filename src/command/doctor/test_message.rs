//! `doctor --send-test`: a message from an account to itself, and back. It says how long it took, whether the server announced it,
//! and whether the server keeps a copy in Sent; then the message is removed. A daemon that meets it knows it for our own.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::{Clock, SystemClock};
use crate::config::{Account, FilingMode};
use crate::daemon::{letters, parts};
use crate::letter::{self, CanaryFacts, Letter};
use crate::mailbox::{MailboxError, Outcome, ProbeStep, Provider, Trial};
use crate::outbox::{Courier, DeliveryError, SmtpCourier};

/// How long the message may take.
const LONGEST: Duration = Duration::from_secs(120);
/// How long a server may take to put its own copy into Sent.
const LONGEST_COPY: Duration = Duration::from_secs(10);
/// The same where it is known to do so sooner or later.
const LONGEST_COPY_KEPT: Duration = Duration::from_secs(60);

/// Sends it and waits for it.
pub(super) async fn round(account: &Account, shared: &parts::Shared, provider: Provider) -> Vec<ProbeStep> {
    let mut steps = Vec::new();
    if let Err((name, outcome)) = try_round(account, shared, provider, &mut steps).await {
        steps.push(ProbeStep { name: name.to_owned(), outcome });
    }
    steps
}

async fn try_round(
    account: &Account,
    shared: &parts::Shared,
    provider: Provider,
    steps: &mut Vec<ProbeStep>,
) -> Result<(), (&'static str, Outcome)> {
    let letter = write(account).map_err(|problem| ("sent", failed(problem, "Please report it.")))?;
    let imap = parts::imap(account, shared).map_err(|error| ("sent", failed(error.0, "See above.")))?;
    let smtp = parts::smtp(account, shared).map_err(|error| ("sent", failed(error.0, "See above.")))?;
    let inbox = account.watch.first().map_or("INBOX", String::as_str);
    let mut trial = Trial::begin(&imap, inbox).await.map_err(|error| ("sent", unreached(&error)))?;
    let mut courier = SmtpCourier::new(smtp);
    let begun = Instant::now();
    let found = {
        let mut commit = || true;
        let deliver = courier.deliver(&letter, &mut commit);
        let wait = trial.wait_for(&letter.message_id, LONGEST);
        tokio::pin!(deliver, wait);
        let mut taken_at = None;
        let found = loop {
            tokio::select! {
                delivered = &mut deliver, if taken_at.is_none() => {
                    delivered.map_err(|error| ("sent", refused(&error)))?;
                    taken_at = Some(Instant::now());
                }
                found = &mut wait => break found,
            }
        };
        if taken_at.is_none() {
            // It was back before the server had said that it took it.
            deliver.await.map_err(|error| ("sent", refused(&error)))?;
        }
        found
    };
    courier.close().await;
    steps.push(good("sent", format!("taken by the server for <{}>", account.address)));
    let arrival = found.map_err(|error| ("back", unreached(&error)))?;
    match arrival {
        Some(arrival) => {
            let seconds = (arrival.at - begun).as_secs_f32();
            let how = if arrival.announced { "the server announced it (IDLE)" } else { "found by looking" };
            steps.push(good("back", format!("in {inbox} after {seconds:.1} s; {how}")));
        }
        None => {
            let problem = format!("it did not come back to {inbox} within {} s", LONGEST.as_secs());
            let remedy =
                "Look in the junk folder and the server's message trace. Acknowledgements may fare the same.";
            return Err(("back", failed(problem, remedy)));
        }
    }
    steps.push(copy(account, provider, &mut trial, &letter.message_id).await);
    if account.filing == FilingMode::None {
        steps.push(ProbeStep {
            name: "removed".into(),
            outcome: Outcome::NotTried(
                "because `filing: none` forbids it: the message may be deleted by hand".into(),
            ),
        });
    } else {
        let removed =
            trial.remove(&letter.message_id).await.map_err(|error| ("removed", unreached(&error)))?;
        let words = if removed > 1 { "from the inbox and from Sent" } else { "from the inbox" };
        steps.push(good("removed", words.to_owned()));
    }
    trial.end().await;
    Ok(())
}

/// Who puts a copy into Sent, and whether the configuration knows it.
async fn copy(account: &Account, provider: Provider, trial: &mut Trial, message_id: &str) -> ProbeStep {
    let known_to_keep = account.smtp.as_ref().is_some_and(crate::config::Smtp::keeps_copies);
    let longest =
        if known_to_keep || provider.keeps_sent_copies() { LONGEST_COPY_KEPT } else { LONGEST_COPY };
    let outcome = match trial.kept_in_sent(message_id, longest).await {
        Err(error) => unreached(&error),
        Ok(Some(after)) if known_to_keep => Outcome::Good(format!(
            "the server put one into Sent after {:.0} s; none is added",
            after.as_secs_f32()
        )),
        Ok(Some(after)) => Outcome::Notice {
            found: format!("the server put one into Sent by itself, after {:.0} s", after.as_secs_f32()),
            remedy: "Set `keeps_copies: true` under `smtp`, or each acknowledgement may lie in Sent twice."
                .into(),
        },
        Ok(None) if known_to_keep => Outcome::Notice {
            found: format!("the server put none into Sent within {} s", longest.as_secs()),
            remedy: "Set `keeps_copies: false` under `smtp`, or no copy of an acknowledgement is kept."
                .into(),
        },
        Ok(None) => Outcome::Good("the server keeps none; the program puts its own into Sent".into()),
    };
    ProbeStep { name: "Sent copy".into(), outcome }
}

fn write(account: &Account) -> Result<Letter, String> {
    let now = SystemClock.now();
    let topic = format!("doctor/{}", now.format("%Y-%m-%dT%H:%M:%S%.6fZ"));
    let from = letters::sender(Some(account), &account.name);
    letter::canary(&CanaryFacts { from: &from, topic: &topic, sent_at: now })
        .map_err(|error| format!("the test message could not be written: {error}"))
}

fn good(name: &str, found: String) -> ProbeStep {
    ProbeStep { name: name.to_owned(), outcome: Outcome::Good(found) }
}

fn failed(problem: String, remedy: &str) -> Outcome {
    Outcome::Failed { problem, remedy: remedy.to_owned() }
}

fn unreached(error: &MailboxError) -> Outcome {
    let remedy = match error {
        MailboxError::NeedsAPerson { .. } => "",
        _ => "Try again; if it goes on, ask whoever runs the server.",
    };
    failed(error.to_string(), remedy)
}

fn refused(error: &DeliveryError) -> Outcome {
    let remedy = match error {
        DeliveryError::NeedsAPerson { .. } => "",
        _ => "Acknowledgements would fare the same: ask whoever runs the server why.",
    };
    failed(error.to_string(), remedy)
}
