//! An instance of the program without mail servers: the daemon's own intake on its own record, with told time. Mail is made as
//! it goes: short emails by many families, some of whom ask again, and the team's answers to most of them.

use std::cell::Cell;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use send_triage::clock::Clock;
use send_triage::config::Config;
use send_triage::daemon::reading::Batch;
use send_triage::daemon::{Bells, InForce, World, in_force, intake};
use send_triage::mailbox::{Fetched, RawMessage, SENT};
use send_triage::message::MessageRef;
use send_triage::record::{Records, Which};
use tokio::sync::watch;

use crate::corpus;

const ACCOUNT: &str = "general";
/// As many as the daemon takes at a time.
const BATCH: usize = 50;
/// Staff answer what came so many batches ago.
const LATER: usize = 40;
/// Of ten questions so many are answered.
const ANSWERED: usize = 7;

/// How things stood after so many messages.
pub struct Grown {
    pub messages: usize,
    pub milliseconds: f64,
    pub megabytes: f64,
}

/// The time that is told.
pub struct Told(Cell<DateTime<Utc>>);

impl Clock for Told {
    fn now(&self) -> DateTime<Utc> {
        self.0.get()
    }
}

pub struct Instance {
    dir: tempfile::TempDir,
    config: Config,
    in_force: InForce,
    pub records: Records,
    clock: Told,
    stop: watch::Receiver<bool>,
    paragraphs: Vec<String>,
    seed: u64,
    uid: u32,
    sent_uid: u32,
}

impl Instance {
    pub fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("mail")).unwrap();
        let queues: String =
            ["resolution", "assessment", "annual-review-east", "annual-review-west", "general"]
                .map(|queue| format!("  {queue}: {{account: {ACCOUNT}, folder: Triage/{queue}}}\n"))
                .concat();
        let text = format!(
            "council: {{domain: hertfordshire.example}}\ndatabase: record.sqlite\naccounts:\n  - {{name: {ACCOUNT}, address: send.general@hertfordshire.example, outbox: letters, folder: {{path: mail, kind: eml}}, existing: treat-as-new}}\nqueues:\n{queues}acknowledgements: {{per_sender_a_day: 1000000, per_domain_an_hour: 1000000, in_all_an_hour: 1000000}}\n"
        );
        let config = Config::parse(&text, "year.yaml", dir.path()).unwrap();
        let in_force = InForce::new(in_force::load(&config).unwrap());
        let records = Records::open(&dir.path().join("record.sqlite")).unwrap();
        let begin: DateTime<Utc> = "2026-01-05T09:00:00Z".parse().unwrap();
        for folder in ["INBOX", SENT] {
            records.take_into_use(ACCOUNT, folder, 1, 0, begin - TimeDelta::days(1)).unwrap();
        }
        let paragraphs = corpus::paragraphs();
        let stop = watch::channel(false).1;
        Self {
            dir,
            config,
            in_force,
            records,
            clock: Told(Cell::new(begin)),
            stop,
            paragraphs,
            seed,
            uid: 0,
            sent_uid: 0,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// So many messages in a year's time; how it went, some twenty times on the way.
    pub fn live_through(&mut self, messages: usize) -> Vec<Grown> {
        let batches = messages / BATCH;
        let every = (batches / 20).max(1);
        let step = TimeDelta::milliseconds(365 * 86_400_000 / batches.max(1) as i64);
        let mut grown = Vec::new();
        let mut since = (Instant::now(), 0);
        for batch in 0..batches {
            self.clock.0.set(self.clock.now() + step);
            let questions = self.questions(batch);
            self.take_in("INBOX", questions);
            if let Some(before) = batch.checked_sub(LATER) {
                let answers = self.answers(before);
                self.take_in(SENT, answers);
            }
            if (batch + 1) % every == 0 {
                let done = (batch + 1) * BATCH;
                let milliseconds = since.0.elapsed().as_secs_f64() * 1000.0 / (done - since.1) as f64;
                let megabytes = self.database_bytes() as f64 / 1e6;
                println!("  {done}: {milliseconds:.3} ms a message, {megabytes:.0} MB");
                grown.push(Grown { messages: done, milliseconds, megabytes });
                since = (Instant::now(), done);
                self.records.tidy().unwrap(); // As once a day.
            }
        }
        grown
    }

    /// Everything that came, recorded; what followed from it, done.
    fn take_in(&mut self, folder: &str, messages: Vec<RawMessage>) {
        let up_to = messages.iter().map(|raw| raw.at.uid).max().unwrap_or(0);
        if messages.is_empty() {
            return;
        }
        let fetched = Fetched { uid_validity: 1, messages, up_to, ..Fetched::default() };
        let world = World {
            config: &self.config,
            records: &self.records,
            clock: &self.clock,
            in_force: &self.in_force,
            bells: Bells::new([ACCOUNT].into_iter()),
            stop: self.stop.clone(),
        };
        intake::take_in(&Batch::begin(fetched, &world), ACCOUNT, folder, &world).unwrap();
        let account = ACCOUNT.to_owned();
        for which in [
            Which::Mailbox { account: account.clone(), folder: folder.to_owned() },
            Which::Letters { account },
        ] {
            let due = self.records.due_effects(which, self.clock.now(), 1000).unwrap();
            let ids: Vec<i64> = due.iter().map(|due| due.id).collect();
            self.records.done_together(&ids, self.clock.now()).unwrap();
        }
    }

    fn dice(&self, number: usize, salt: u64) -> usize {
        let mut x = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ self.seed.wrapping_mul(0xD1B5_4A32_D192_ED03)
            ^ salt;
        for _ in 0..2 {
            x = (x ^ (x >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
        }
        (x >> 33) as usize
    }

    fn questions(&mut self, batch: usize) -> Vec<RawMessage> {
        (batch * BATCH..(batch + 1) * BATCH).map(|number| self.question(number)).collect()
    }

    /// One in ten refers to an earlier one of the same sender.
    fn question(&mut self, number: usize) -> RawMessage {
        let earlier = (number > 2_000 && self.dice(number, 1).is_multiple_of(10))
            .then(|| number - 200 - self.dice(number, 2) % 1_500);
        let family = self.family(earlier.unwrap_or(number));
        let refers =
            earlier.map_or(String::new(), |earlier| format!("In-Reply-To: <q{earlier}@inbox.example>\r\n"));
        let body: Vec<String> = (0..1 + self.dice(number, 3) % 3)
            .map(|at| self.paragraphs[self.dice(number, 10 + at as u64) % self.paragraphs.len()].clone())
            .collect();
        self.uid += 1;
        let raw = format!(
            "From: Family {family} <family.{family}@inbox.example>\r\nTo: send.general@hertfordshire.example\r\nSubject: Question {number}\r\n\
             Message-ID: <q{number}@inbox.example>\r\n{refers}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Hello,\r\n\r\n{}\r\n\r\nFamily {family}\r\n",
            body.join("\r\n\r\n")
        );
        self.raw("INBOX", self.uid, raw)
    }

    /// A family writes some ten times a year.
    fn family(&self, number: usize) -> usize {
        self.dice(number, 4) % (number / 10 + 500)
    }

    fn answers(&mut self, batch: usize) -> Vec<RawMessage> {
        let mut answers = Vec::new();
        for number in batch * BATCH..(batch + 1) * BATCH {
            if self.dice(number, 5) % 10 >= ANSWERED {
                continue;
            }
            let family = self.family(number);
            self.sent_uid += 1;
            let raw = format!(
                "From: SEND team <send.general@hertfordshire.example>\r\nTo: family.{family}@inbox.example\r\nSubject: RE: Question {number}\r\n\
                 Message-ID: <a{number}@hertfordshire.example>\r\nIn-Reply-To: <q{number}@inbox.example>\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nThe plan has been amended as you asked, and the school has been told.\r\n\r\nSam, SEND team\r\n"
            );
            answers.push(self.raw(SENT, self.sent_uid, raw));
        }
        answers
    }

    fn raw(&self, folder: &str, uid: u32, raw: String) -> RawMessage {
        let at = MessageRef { account: ACCOUNT.to_owned(), folder: folder.to_owned(), uid_validity: 1, uid };
        RawMessage { at, received_at: self.clock.now(), size_bytes: raw.len(), bytes: raw.into_bytes() }
    }

    pub fn database_bytes(&self) -> u64 {
        ["", "-wal"]
            .iter()
            .filter_map(|end| std::fs::metadata(self.dir.path().join(format!("record.sqlite{end}"))).ok())
            .map(|metadata| metadata.len())
            .sum()
    }
}
