//! Every metric: its name, how it moves, what it says. The page, the alert rules, the dashboard and `docs/metrics.md` are held
//! against this list by tests. Names and units as Prometheus asks: base units, `_total` for counters, `_info` for what is a text.
//!
//! No label ever holds a person's data: labels are names of mailboxes and folders from the configuration, and words of this program.

use super::text::{Kind, Metric};

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, help }
}

macro_rules! catalogue {
    ($($constant:ident = $kind:ident($name:literal, $help:literal);)*) => {
        $(#[doc = $help] pub const $constant: Metric = $kind($name, $help);)*
        /// All of them, in the order of the page.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

catalogue! {
    BUILD = gauge("send_triage_build_info", "Always 1; the label is the version of the program.");
    STARTED = gauge("process_start_time_seconds", "When this process started; every counter began at 0 then.");
    HEALTHY = gauge("send_triage_healthy", "1: mail is looked after, as `send-triage health` judges it. 0: something stands still.");
    RECORD_UP = gauge("send_triage_record_up", "1: the record could be read for this page. 0: it could not, and what is read from it is missing here.");
    RECORD_SIZE = gauge("send_triage_record_size_bytes", "The size of the record's file, with its log.");
    RULES = gauge("send_triage_rules_info", "Always 1; the label is the version of the rules in force.");
    RULES_REFUSED = gauge("send_triage_rules_refused", "1: changed rules were refused and the last good ones are in force.");
    CALENDAR_ENDS = gauge("send_triage_calendar_known_until_timestamp_seconds", "The end of the last day for which bank holidays are known.");
    CREDENTIAL_ENDS = gauge("send_triage_credential_expiry_timestamp_seconds", "When a secret or certificate ends, where that is known.");
    LAST_SEEN = gauge("send_triage_mailbox_last_seen_timestamp_seconds", "When the server of a watched folder last answered; 0: never.");
    LEDGER_GAPS = gauge("send_triage_ledger_gaps", "UIDs of a folder for which no outcome is on record; looked at every ten minutes. Anything but 0 is a fault of the program.");
    RECEIVED = counter("send_triage_messages_received_total", "Messages met in a folder, by what became of them: decided, copy, own-letter, set-aside, left-alone.");
    DECIDED = counter("send_triage_messages_decided_total", "Decisions, by kind of message, urgency and queue.");
    UNSURE = counter("send_triage_messages_unsure_total", "Decisions that a person should look at.");
    WITHHELD = counter("send_triage_acknowledgements_withheld_total", "Messages that got no acknowledgement, by the reason.");
    ATTEMPTS = counter("send_triage_effect_attempts_total", "Attempts at what is to be done (acknowledge, alert, notice, keep-copy, file), by how they ended.");
    ERRORS = counter("send_triage_errors_total", "Troubles with mail servers and the record; needs-a-person: waiting alone does not mend it.");
    RECORDED_AFTER = histogram("send_triage_message_recorded_seconds", "From receipt by the mail server until the message is on record.");
    ACKNOWLEDGED_AFTER = histogram("send_triage_acknowledgement_seconds", "From receipt by the mail server until the acknowledgement was taken by the next server.");
    DECIDING = histogram("send_triage_decide_seconds", "How long a decision took to make.");
    EFFECTS = gauge("send_triage_effects", "What is to be done, by how it stands: pending, sending, uncertain, adrift, stuck.");
    EFFECTS_DUE = gauge("send_triage_effects_due", "What should be done now: pending, and its time has come.");
    OLDEST_DUE = gauge("send_triage_effect_oldest_due_age_seconds", "For how long the oldest of them has been waiting since its time came; 0: there is none.");
    SET_ASIDE = gauge("send_triage_set_aside_messages", "Messages that could not be read or decided and wait for a person.");
    WAITING = gauge("send_triage_cases_waiting", "Cases in which an answer is owed.");
    OVERDUE = gauge("send_triage_cases_overdue", "Those of them whose day is over.");
    OLDEST_CASE = gauge("send_triage_case_oldest_waiting_timestamp_seconds", "When the longest waiting case was received; 0: none waits.");
    MISSING = gauge("send_triage_cases_missing", "Waiting cases whose message is found in none of our folders.");
    CANARY = gauge("send_triage_canary_last_met_timestamp_seconds", "When the last message to ourselves came round; 0: it has not yet. Only where one is sent.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_prometheus_asks() {
        for metric in ALL {
            let Metric { name, kind, help } = metric;
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(plain, "{name}");
            assert!(name.starts_with("send_triage_") || *name == "process_start_time_seconds", "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(*kind != Kind::Histogram || name.ends_with("_seconds"), "{name}");
            assert!(help.ends_with('.') && help.len() < 160, "{name}: {help}");
            assert_eq!(ALL.iter().filter(|other| other.name == *name).count(), 1, "{name} twice");
        }
    }
}
