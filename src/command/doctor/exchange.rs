//! What the administrator of a Microsoft 365 tenant types when a step fails there: Exchange Online PowerShell, with the
//! mailbox's own address filled in. Sources: Microsoft's own pages, named in deploy/MICROSOFT-365.md. Nothing is run here.

use super::Side;
use crate::mailbox::{Outcome, ProbeStep};

/// Where the application's own names must be filled in.
const PRINCIPAL: &str = "<object id from Enterprise applications>";

/// The commands that mend this step; none where it works, or where no command would help.
pub(super) fn commands(side: Side, step: &ProbeStep, address: &str) -> Vec<String> {
    if side == Side::Tenant {
        return settings(address);
    }
    let Outcome::Failed { problem, .. } = &step.outcome else { return Vec::new() };
    if !is_plain(address) {
        return Vec::new();
    }
    let said = problem.to_ascii_lowercase();
    let full_access =
        format!("Add-MailboxPermission -Identity {address} -User \"{PRINCIPAL}\" -AccessRights FullAccess");
    let send_as =
        format!("Add-RecipientPermission -Identity {address} -Trustee \"{PRINCIPAL}\" -AccessRights SendAs");
    let principal = format!("New-ServicePrincipal -AppId \"<application id>\" -ObjectId \"{PRINCIPAL}\"");
    match side {
        Side::Receiving if said.contains("not connected") => {
            vec![format!("Get-MailboxPermission -Identity {address}"), full_access]
        }
        Side::Receiving if step.name == "login" => {
            vec![principal, full_access, format!("Set-CASMailbox -Identity {address} -ImapEnabled $true")]
        }
        Side::Sending if said.contains("smtpclientauthentication is disabled") => {
            let tenant = said.contains("for the tenant");
            let mailbox =
                format!("Set-CASMailbox -Identity {address} -SmtpClientAuthenticationDisabled $false");
            let look =
                format!("Get-CASMailbox -Identity {address} | Format-List SmtpClientAuthenticationDisabled");
            if tenant {
                vec!["Get-TransportConfig | Format-List SmtpClientAuthenticationDisabled".into(), mailbox]
            } else {
                vec![look, mailbox]
            }
        }
        Side::Sending | Side::Test if said.contains("sendasdenied") || said.contains("5.7.60") => {
            vec![send_as]
        }
        Side::Sending if step.name == "login" => vec![
            send_as,
            format!("Set-CASMailbox -Identity {address} -SmtpClientAuthenticationDisabled $false"),
        ],
        Side::Sending | Side::Test if said.contains("5.2.2") => vec![format!(
            "Get-MailboxStatistics -Identity {address} | Format-List TotalItemSize,StorageLimitStatus"
        )],
        _ => Vec::new(),
    }
}

/// The step that lists what cannot be seen from outside.
pub(super) fn by_hand() -> ProbeStep {
    ProbeStep {
        name: "settings".into(),
        outcome: Outcome::Notice {
            found: "reading must send the parent no read receipt; staff's answers from their own accounts must be kept here"
                .into(),
            remedy: "Once for this mailbox, in Exchange Online PowerShell (deploy/MICROSOFT-365.md says why):".into(),
        },
    }
}

fn settings(address: &str) -> Vec<String> {
    if !is_plain(address) {
        return Vec::new();
    }
    vec![
        format!(
            "Set-CASMailbox -Identity {address} -ImapUseProtocolDefaults $false -ImapSuppressReadReceipt $true"
        ),
        format!("Set-Mailbox -Identity {address} -MessageCopyForSentAsEnabled $true"),
        format!("Set-Mailbox -Identity {address} -MessageCopyForSendOnBehalfEnabled $true"),
    ]
}

/// An address that stands in a command as it is; any other would have to be quoted, and is left to the administrator.
fn is_plain(address: &str) -> bool {
    address.chars().all(|c| c.is_ascii_alphanumeric() || "@.-_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "send.general@council.example";

    fn mending(side: Side, name: &str, problem: &str) -> String {
        let outcome = Outcome::Failed { problem: problem.into(), remedy: String::new() };
        commands(side, &ProbeStep { name: name.into(), outcome }, ADDRESS).join("\n")
    }

    #[test]
    fn each_refusal_of_exchange_has_its_command_with_the_address_filled_in() {
        for (side, step, said, command) in [
            (Side::Receiving, "login", "AUTHENTICATE failed", "New-ServicePrincipal"),
            (
                Side::Receiving,
                "folder INBOX",
                "User is authenticated but not connected",
                "Add-MailboxPermission",
            ),
            (
                Side::Sending,
                "login",
                "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant",
                "Get-TransportConfig",
            ),
            (
                Side::Sending,
                "login",
                "535 5.7.139 SmtpClientAuthentication is disabled for the Mailbox",
                "Set-CASMailbox",
            ),
            (Side::Sending, "login", "535 5.7.3 Authentication unsuccessful", "Add-RecipientPermission"),
            (Side::Test, "sent", "554 5.2.252 SendAsDenied", "Add-RecipientPermission"),
            (Side::Test, "sent", "554 5.2.2 mailbox full", "Get-MailboxStatistics"),
        ] {
            let mending = mending(side, step, said);
            assert!(mending.contains(command) && mending.contains(ADDRESS), "{said}: {mending}");
            assert!(mending.lines().all(|line| line.len() <= 150), "{mending}");
        }
        assert_eq!(mending(Side::Receiving, "name", "not known"), "");
    }

    #[test]
    fn an_address_that_could_end_a_command_is_not_written_into_one() {
        let outcome = Outcome::Failed { problem: "AUTHENTICATE failed".into(), remedy: String::new() };
        let step = ProbeStep { name: "login".into(), outcome };
        assert!(commands(Side::Receiving, &step, "x; Remove-Mailbox y@council.example").is_empty());
        assert!(settings("$(x)@council.example").is_empty());
    }
}
