//! The folders' part of the look at an account: can they be opened and changed, which ones are missing, which one is Sent.
//! Nothing is created here, and nothing loses its mark of being new.

use async_imap::imap_proto::Response;
use async_imap::imap_proto::rfc4314::AclRight;

use super::super::account::{Filing, ImapAccount};
use super::super::folders::{self, Listed};
use super::super::names::quoted;
use super::super::session::{Fault, Pace, Session};
use super::{Outcome, failed};

/// The rights of RFC 4314 that we need, their letter, and what cannot be done without them.
const LOOKING: [(char, &str); 2] = [('l', "see folders"), ('r', "read")];
const COPYING: [(char, &str); 1] = [('k', "create folders")];
const MOVING: [(char, &str); 3] = [('w', "flag"), ('t', "mark as deleted"), ('e', "remove")];

/// A watched folder: opened for looking; for writing as well where that changes nothing.
pub(super) async fn watched(session: &mut Session, account: &ImapAccount, folder: &str) -> Outcome {
    let wire = match folders::wire_name(session, folder).await {
        Ok(wire) => wire,
        Err(fault) => return failed(&fault.at(&account.account, "LIST")),
    };
    let mut open = match folders::open(session, &wire, false).await {
        Ok(open) => open,
        Err(Fault::Refused(refusal)) => return not_opened(session, account, refusal.text).await,
        Err(lost) => return failed(&lost.at(&account.account, "EXAMINE")),
    };
    if open.uid_validity == 0 {
        return Outcome::Failed {
            problem: "the server gives no UIDVALIDITY, so its messages cannot be told apart".into(),
            remedy: "Have the server's mail store mended, or watch another folder.".into(),
        };
    }
    let messages = format!("{} messages, UIDVALIDITY {}", session.exists, open.uid_validity);
    if account.filing == Filing::None {
        return Outcome::Good(format!("{messages}; only looked at (`filing: none`)"));
    }
    if open.recent > 0 {
        return Outcome::Good(format!(
            "{messages}; opened for looking, so that new mail stays marked as new"
        ));
    }
    open = match folders::open(session, &wire, true).await {
        Ok(open) => open,
        Err(Fault::Refused(refusal)) => return not_opened(session, account, refusal.text).await,
        Err(lost) => return failed(&lost.at(&account.account, "SELECT")),
    };
    if !open.writable {
        return Outcome::Failed {
            problem: format!("{} may read it and not change it", account.user),
            remedy: "Give the account the right to change the mailbox, or set `filing: none`.".into(),
        };
    }
    let keeps = match (open.permits_flagged, open.permits_keywords) {
        (true, true) => "keeps flags and keywords",
        (true, false) => "keeps flags, but no keywords (none is needed)",
        (false, _) => "keeps no flags: urgent mail is known by its folder only",
    };
    Outcome::Good(format!("{messages}; may be changed; {keeps}"))
}

async fn not_opened(session: &mut Session, account: &ImapAccount, said: String) -> Outcome {
    // What Exchange says to a stranger in the mailbox has a remedy of its own.
    if let known @ Outcome::Failed { .. } = failed(&refused(&said).at(&account.account, "SELECT"))
        && !matches!(&known, Outcome::Failed { remedy, .. } if remedy.starts_with("Try again"))
    {
        return known;
    }
    let names = folders::some_names(session).await;
    Outcome::Failed {
        problem: format!("it cannot be opened: {said}"),
        remedy: if names.is_empty() {
            "Try again; if it goes on, ask whoever runs the server.".into()
        } else {
            format!("Write its name in `watch` as the server has it. There are: {names}.")
        },
    }
}

fn refused(text: &str) -> Fault {
    Fault::Refused(super::super::session::Refusal { bad: false, try_create: false, text: text.to_owned() })
}

/// A further Sent folder that is looked into for answers.
pub(super) async fn answers(session: &mut Session, account: &ImapAccount, folder: &str) -> Outcome {
    let opened = match folders::wire_name(session, folder).await {
        Ok(wire) => folders::open(session, &wire, false).await,
        Err(fault) => Err(fault),
    };
    match opened {
        Ok(_) => Outcome::Good(format!("{} messages; looked into for answers", session.exists)),
        Err(Fault::Refused(refusal)) => not_opened(session, account, refusal.text).await,
        Err(lost) => failed(&lost.at(&account.account, "EXAMINE")),
    }
}

/// What this user may do in the folder that is open (RFC 4314 section 3.5), or in INBOX.
pub(super) async fn rights(session: &mut Session, account: &ImapAccount) -> Outcome {
    if !session.can("ACL") {
        let opened = session.selected.as_ref().map(|open| open.writable);
        return match (opened, account.filing) {
            (Some(true), _) => {
                Outcome::Good("the server does not tell them (no ACL); the folder opens for writing".into())
            }
            (Some(false), Filing::None) => Outcome::Good("only reading is wanted (`filing: none`)".into()),
            (Some(false), _) => Outcome::Good(
                "the server does not tell them (no ACL); not tried, so that new mail stays marked as new"
                    .into(),
            ),
            (None, _) => Outcome::NotTried("because no watched folder could be opened".into()),
        };
    }
    let folder = session.selected.as_ref().map_or_else(|| "INBOX".to_owned(), |open| open.wire_name.clone());
    let mut told = None;
    let asked = session
        .run(&format!("MYRIGHTS {}", quoted(&folder)), Pace::Prompt, |response| {
            if let Response::MyRights(mine) = response {
                told = Some(mine.rights.iter().map(letter).collect::<String>());
            }
        })
        .await;
    match (asked, told) {
        (Ok(()), Some(told)) => judge(&told, account.filing),
        (Err(Fault::Lost(why)), _) => failed(&Fault::Lost(why).at(&account.account, "MYRIGHTS")),
        (Ok(()), None) | (Err(Fault::Refused(_)), _) => {
            Outcome::Good("the server does not tell them, although it offers ACL".into())
        }
    }
}

fn judge(told: &str, filing: Filing) -> Outcome {
    let needed = match filing {
        Filing::None => LOOKING.to_vec(),
        Filing::Copy => [&LOOKING[..], &COPYING].concat(),
        Filing::Move => [&LOOKING[..], &COPYING, &MOVING].concat(),
    };
    // RFC 4314 section 2.1.1: older servers have `c` for creating, and `d` for all of deleting.
    let has = |right: char| {
        told.contains(right)
            || (right == 'k' && told.contains('c'))
            || (matches!(right, 't' | 'e') && told.contains('d'))
    };
    let lacking: Vec<String> = needed
        .iter()
        .filter(|(right, _)| !has(*right))
        .map(|(right, deed)| format!("{right} ({deed})"))
        .collect();
    if lacking.is_empty() {
        return Outcome::Good(format!("{told}: all that is needed"));
    }
    Outcome::Failed {
        problem: format!("{told}; lacking: {}", lacking.join(", ")),
        remedy: "Have these rights given to the account; or set `filing: none`, which only reads.".into(),
    }
}

fn letter(right: &AclRight) -> char {
    match right {
        AclRight::Lookup => 'l',
        AclRight::Read => 'r',
        AclRight::Seen => 's',
        AclRight::Write => 'w',
        AclRight::Insert => 'i',
        AclRight::Post => 'p',
        AclRight::CreateMailbox => 'k',
        AclRight::DeleteMailbox => 'x',
        AclRight::DeleteMessage => 't',
        AclRight::Expunge => 'e',
        AclRight::Administer => 'a',
        AclRight::Annotation => 'n',
        AclRight::OldCreate => 'c',
        AclRight::OldDelete => 'd',
        AclRight::Custom(other) => *other,
    }
}

/// The folders that messages are filed into: there, or to be created.
pub(super) async fn filed_into(
    session: &mut Session,
    account: &ImapAccount,
    wanted: &[String],
) -> Result<Outcome, Fault> {
    if account.filing == Filing::None {
        return Ok(Outcome::Good("none is needed (`filing: none`)".into()));
    }
    let naming = folders::naming(session).await?;
    let listed = folders::every(session).await?;
    let is_there = |folder: &&String| {
        let wire = naming.wire(folder);
        listed.iter().any(|there| there.selectable && there.wire_name == wire)
    };
    let (there, missing): (Vec<&String>, Vec<&String>) = wanted.iter().partition(is_there);
    let some = |of: &[&String]| {
        let names: Vec<&str> = of.iter().take(3).map(|name| name.as_str()).collect();
        let more = of.len().saturating_sub(names.len());
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    Ok(Outcome::Good(match (there.len(), missing.len()) {
        (all, 0) => format!("all {all} are there"),
        (0, all) => {
            format!("none of {all} is there yet; each is created when first needed ({})", some(&missing))
        }
        (some_are, _) => format!("{some_are} there; created when first needed: {}", some(&missing)),
    }))
}

/// The account's own Sent folder, and who puts copies into it.
pub(super) async fn sent(session: &mut Session, account: &ImapAccount, server_keeps: bool) -> Outcome {
    let found = match folders::sent_folder(session, account, false).await {
        Ok(found) => found,
        Err(error) => return failed(&error),
    };
    let copies = match (server_keeps, account.filing) {
        (true, _) => "the server keeps a copy of what is sent, and none is added",
        (false, Filing::None) => "no copy is added (`filing: none`)",
        (false, _) => "a copy of each acknowledgement is put there, unless the server has done so",
    };
    let Some(wire) = found else {
        return match (account.filing, &account.sent_folder) {
            (_, Some(configured)) => Outcome::Failed {
                problem: format!("`{configured}` (`own_sent_folder`) is not there"),
                remedy: format!(
                    "Write its name as the server has it. There are: {}.",
                    folders::some_names(session).await
                ),
            },
            (Filing::None, None) => Outcome::Notice {
                found: "none is marked as such, and none has a usual name".into(),
                remedy: "Name it in `own_sent_folder`, so that staff's answers are noticed.".into(),
            },
            (_, None) => {
                Outcome::Good(format!("none yet: `Sent` is created with the first letter; {copies}"))
            }
        };
    };
    let name = folders::naming(session).await.map_or_else(|_| wire.clone(), |naming| naming.ours(&wire));
    let marked = |listed: &[Listed]| listed.iter().any(|folder| folder.sent && folder.wire_name == wire);
    let how = if account.sent_folder.is_some() {
        "as configured"
    } else if folders::every(session).await.is_ok_and(|listed| marked(&listed)) {
        "marked \\Sent"
    } else {
        "known by its name"
    };
    Outcome::Good(format!("{name} ({how}); {copies}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_that_are_lacking_are_named() {
        let lacking = |told: &str, filing| match judge(told, filing) {
            Outcome::Failed { problem, .. } => problem,
            _ => String::new(),
        };
        assert_eq!(lacking("lrswipkxtea", Filing::Move), "");
        assert_eq!(lacking("lrswicda", Filing::Move), "", "as older servers say it");
        assert_eq!(lacking("lr", Filing::None), "");
        assert_eq!(lacking("lrsw", Filing::Copy), "lrsw; lacking: k (create folders)");
        assert!(lacking("lrswk", Filing::Move).ends_with("t (mark as deleted), e (remove)"));
    }
}
