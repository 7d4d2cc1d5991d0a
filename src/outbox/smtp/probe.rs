//! A careful look at a submission server for `doctor`: up to a letter's envelope, which is taken back at once (RSET), so that
//! nothing is ever sent. RFC 5321, RFC 6409.

use lettre::transport::smtp::commands::{Mail, Rcpt, Rset};

use super::failure::sorted;
use super::{Connection, Security, SmtpCourier, SmtpLogin, Stage, Stop, say};
use crate::letter::usable_address;
use crate::mailbox::{Outcome, ProbeStep, Provider, reach_server};
use crate::outbox::DeliveryError;

impl SmtpCourier {
    /// Tries everything but a letter. `from` and `to` are the envelope that is tried; `from` `None` is `<>`.
    pub async fn probe(&mut self, from: Option<&str>, to: &str) -> (Vec<ProbeStep>, Provider) {
        let host = self.config.host.clone();
        let mut provider = Provider::of_host(&host);
        let mut steps = reach_server(&host, self.config.port, self.config.timeouts.connect).await;
        let mut broken = steps.iter().any(|step| matches!(step.outcome, Outcome::Failed { .. }));
        if !broken {
            match self.open(&mut steps).await {
                Ok(mut connection) => {
                    provider = provider.or(self.met);
                    steps.push(self.envelope(&mut connection, from, to).await);
                    self.kept = Some(connection);
                    self.close().await;
                }
                Err(error) => {
                    broken = true;
                    provider = provider.or(self.met);
                    let name = self.expected().into_iter().find(|name| !has(&steps, name)).unwrap_or("login");
                    steps.push(ProbeStep { name: name.to_owned(), outcome: self.failed(&error) });
                }
            }
        }
        let stopped_by = steps.last().filter(|_| broken).map(|step| step.name.clone());
        if let Some(stopped_by) = stopped_by {
            for name in self.expected().into_iter().chain(["envelope"]) {
                if !has(&steps, name) {
                    let outcome = Outcome::NotTried(format!("because `{stopped_by}` failed"));
                    steps.push(ProbeStep { name: name.to_owned(), outcome });
                }
            }
        }
        (steps, provider)
    }

    /// The steps of opening a connection, in order.
    fn expected(&self) -> Vec<&'static str> {
        let mut names = vec!["name", "connect"];
        names.extend(match self.config.security {
            Security::Tls => vec!["encryption"],
            Security::StartTls => vec!["greeting", "encryption"],
            Security::Plain => vec!["greeting"],
        });
        names.push("abilities");
        if matches!(self.config.login, SmtpLogin::Kept { .. }) {
            names.push("token");
        }
        names.push("login");
        names
    }

    /// MAIL, RCPT and RSET: whether a letter from us would be taken, as far as that can be known without one.
    async fn envelope(&self, connection: &mut Connection, from: Option<&str>, to: &str) -> ProbeStep {
        let path = |address: &str| {
            let (local, domain) = usable_address(address)?;
            Some(lettre::Address::new_dangerous(local, domain))
        };
        let name = "envelope".to_owned();
        let Some(recipient) = path(to) else {
            let outcome =
                Outcome::NotTried("because the account's address is not one that can be written to".into());
            return ProbeStep { name, outcome };
        };
        let times = &self.config.timeouts;
        let mail = Mail::new(from.and_then(path), Vec::new());
        let smtp = &mut connection.smtp;
        let tried = async {
            say(smtp, Stage::Mail, times.mail, mail, &[250]).await?;
            let recipient = Rcpt::new(recipient, Vec::new());
            say(smtp, Stage::Recipient, times.recipient, recipient, &[250, 251]).await?;
            say(smtp, Stage::Reuse, times.login, Rset, &[250]).await
        };
        let outcome = match tried.await {
            Ok(_) => {
                let sender = from.map_or_else(|| "<>".to_owned(), |from| format!("<{from}>"));
                Outcome::Good(format!("{sender} to <{to}> is taken (and was taken back: nothing is sent)"))
            }
            Err(Stop::Failed(stage, failure)) => {
                self.failed(&sorted(stage, &failure, &self.config.server(), self.config.logs_in()))
            }
            Err(Stop::Unfit(why)) => self.failed(&DeliveryError::Permanent { server_said: why }),
            Err(Stop::NotCommitted) => self.failed(&DeliveryError::NotCommitted),
        };
        ProbeStep { name, outcome }
    }

    /// What is wrong, and what to do, without the server's name, which stands above.
    fn failed(&self, error: &DeliveryError) -> Outcome {
        let (problem, remedy) = match error {
            DeliveryError::NeedsAPerson { problem, remedy } => (problem.clone(), sentence(remedy)),
            DeliveryError::Transient { server_said } => {
                (server_said.clone(), "Try again; if it goes on, ask whoever runs the server.".to_owned())
            }
            other => (other.to_string(), "Ask whoever runs the server why.".to_owned()),
        };
        let server = self.config.server();
        let problem = match problem.strip_prefix(&server).map(|rest| (rest.starts_with(','), rest)) {
            Some((true, rest)) => rest.split_once(": ").map_or(rest, |(_, what)| what).to_owned(),
            Some((false, rest)) => format!("the server{rest}"),
            None => problem,
        };
        Outcome::Failed { problem, remedy }
    }
}

fn has(steps: &[ProbeStep], name: &str) -> bool {
    steps.iter().any(|step| step.name == name)
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if words.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
