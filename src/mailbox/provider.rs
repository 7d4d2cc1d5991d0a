//! Mail services that have ways of their own, known by their host's name or by how they greet: Exchange Online and Gmail.
//! Only what is documented of them; what a server says of itself (capabilities) always comes first.

/// Whose service it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// Exchange, Microsoft 365.
    Exchange,
    /// Gmail, Google Workspace.
    Gmail,
    /// Any other, or not known.
    #[default]
    Other,
}

impl Provider {
    /// By the host's name, as it is configured or as the server calls itself.
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_of =
            |domain: &&str| host == **domain || host.strip_suffix(*domain).is_some_and(|h| h.ends_with('.'));
        if ["office365.com", "outlook.com", "office.com", "office365.us", "partner.outlook.cn"]
            .iter()
            .any(&is_of)
        {
            Self::Exchange
        } else if ["gmail.com", "googlemail.com"].iter().any(is_of) {
            Self::Gmail
        } else {
            Self::Other
        }
    }

    /// By the words with which a server greets.
    pub fn of_greeting(greeting: &str) -> Self {
        let greeting = greeting.to_ascii_lowercase();
        if greeting.contains("microsoft exchange") || greeting.contains("microsoft esmtp") {
            Self::Exchange
        } else if greeting.starts_with("gimap ready") {
            Self::Gmail
        } else {
            Self::Other
        }
    }

    /// This one, or the other where this one is not known.
    pub fn or(self, other: Self) -> Self {
        if self == Self::Other { other } else { self }
    }

    /// Whether what is submitted is put into Sent by the server itself: a copy of ours would be a second one.
    pub fn keeps_sent_copies(self) -> bool {
        self != Self::Other
    }

    /// How many letters it takes from one mailbox in a minute, with some room for the staff who send from the same one. Exchange
    /// Online delays what goes beyond 30.
    pub fn letters_a_minute(self) -> Option<u32> {
        (self == Self::Exchange).then_some(20)
    }
}

#[cfg(test)]
mod tests {
    use super::Provider;

    #[test]
    fn a_service_is_known_by_its_host_or_its_greeting() {
        for host in ["outlook.office365.com", "SMTP.Office365.com.", "LO4P123MB0001.GBRP123.PROD.OUTLOOK.COM"]
        {
            assert_eq!(Provider::of_host(host), Provider::Exchange, "{host}");
        }
        for host in ["imap.council.example", "notoutlook.com", "outlook.com.example", ""] {
            assert_eq!(Provider::of_host(host), Provider::Other, "{host}");
        }
        assert_eq!(Provider::of_host("imap.gmail.com"), Provider::Gmail);
        let greeting = "The Microsoft Exchange IMAP4 service is ready. [TABPADQAUAAxADIA]";
        assert_eq!(Provider::of_greeting(greeting), Provider::Exchange);
        assert_eq!(Provider::of_greeting("Dovecot ready."), Provider::Other);
    }
}
