//! Catching up: a full INBOX is read, decided, recorded and filed, with and without acknowledgements, by turns with a bare
//! client, with Sieve and with imapfilter where these are installed.

use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::place::{Place, Plan};
use crate::post::{self, Sink};
use crate::report::{Report, Row, median};
use crate::{Asked, bare, peers, resting};

/// Takes in and files; nobody is answered.
pub fn filing(place: &Place, asked: &Asked, report: &mut Report) {
    let tools = peers::installed();
    let mut rates: Vec<(String, Vec<f64>)> = Vec::new();
    let mut busy = (Vec::new(), Vec::new());
    let mut note = |who: &str, took: Duration, messages: usize| {
        let rate = messages as f64 / took.as_secs_f64();
        match rates.iter_mut().find(|(name, _)| name == who) {
            Some((_, all)) => all.push(rate),
            None => rates.push((who.to_owned(), vec![rate])),
        }
    };
    for _ in 0..asked.rounds {
        let took = ours(place, asked.messages, &Plan::default());
        note("send-triage", took.wall, asked.messages);
        busy.0.push(took.busy.as_secs_f64() * 1000.0 / asked.messages as f64);
        let user = place.mailbox(0..asked.messages);
        let database = place.dir.path().join(format!("{user}.sqlite"));
        let before = thread_time();
        let (took, messages) =
            runtime().block_on(bare::catch_up(place.servers.imap_port(), &user, &database));
        assert_eq!((messages, place.left(&user)), (asked.messages, 0));
        busy.1.push((thread_time() - before).as_secs_f64() * 1000.0 / messages as f64);
        note("bare client", took, messages);
        for tool in &tools {
            // A share of the messages is enough for those that are much slower.
            let messages = asked.messages.min(tool.messages);
            let user = place.mailbox(0..messages);
            note(tool.name, (tool.run)(place, &user), messages);
        }
    }
    let of = |who: &str| rates.iter().find(|(name, _)| name == who).map(|(_, all)| all.clone());
    let ours = of("send-triage").unwrap_or_default();
    for (who, theirs) in &rates {
        report.add(Row {
            what: format!("catch-up, {who}"),
            aim: "",
            measured: format!("{:.0} messages a second", median(theirs)),
            met: None,
            figures: json!({ "messages_a_second": theirs }),
        });
    }
    report.add(Row {
        what: "catch-up: processor time a message, without the server's".into(),
        aim: "",
        measured: format!("{:.3} ms (the bare client {:.3} ms)", median(&busy.0), median(&busy.1)),
        met: None,
        figures: json!({ "send_triage_ms": busy.0, "bare_ms": busy.1 }),
    });
    for (who, least, aim) in [
        ("bare client", 0.6, "at least 0.6"),
        (peers::IMAPFILTER_BY_SEARCH, 10.0, "at least 10"),
        (peers::IMAPFILTER, 10.0, "at least 10"),
        ("Sieve, 200 phrases", 0.0, ""),
    ] {
        let Some(theirs) = of(who) else { continue };
        // Round by round: what slowed the machine down slowed both.
        let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        report.add(Row {
            what: format!("catch-up: send-triage beside {who}"),
            aim,
            measured: format!("{:.2} times as fast", median(&ratios)),
            met: (least > 0.0).then_some(median(&ratios) >= least),
            figures: json!({ "ratios": ratios }),
        });
    }
}

/// What catching up took.
pub struct Took {
    pub wall: Duration,
    /// Of the processor, without the server's share.
    pub busy: Duration,
}

/// What send-triage takes for a fresh INBOX of so many, from opening it to the last one leaving.
pub fn ours(place: &Place, messages: usize, plan: &Plan) -> Took {
    let user = place.mailbox(0..messages);
    let team = place.team(std::slice::from_ref(&user), plan);
    let (program, begun) = team.start_and_wait(1);
    let before = resting::processor_time(&program);
    let ended = place.wait_until_empty(&user);
    let busy = resting::processor_time(&program) - before;
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
    Took { wall: ended.duration_since(begun).unwrap(), busy }
}

/// Processor time of this thread so far.
fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// The same with acknowledgements handed to Postfix, beside a client that only sends the same letters.
pub fn letters(place: &Place, asked: &Asked, report: &mut Report) {
    // The letters themselves.
    let sink = Sink::start();
    let to_sink = Plan { acknowledge: true, smtp_port: Some(sink.port), ..Plan::default() };
    let (to_sink, wanted) = with_letters(place, asked.messages, &to_sink);
    let letters = sink.taken();
    assert_eq!(letters.len(), wanted);
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..asked.rounds {
        let (took, sent) =
            with_letters(place, asked.messages, &Plan { acknowledge: true, ..Plan::default() });
        assert_eq!(sent, letters.len(), "every run answers the same messages");
        let alone = post::only_send(place.servers.smtp_port(), &letters);
        ratios.push(took.as_secs_f64() / alone.as_secs_f64());
        ours.push(took.as_secs_f64());
        theirs.push(alone.as_secs_f64());
    }
    let count = letters.len() as f64;
    report.add(Row {
        what: format!("catch-up with {} acknowledgements handed to Postfix, beside only sending them", letters.len()),
        aim: "at most 1.3",
        measured: format!(
            "{:.2} times as long ({:.0} and {:.0} letters a second)",
            median(&ratios),
            count / median(&ours),
            count / median(&theirs)
        ),
        met: Some(median(&ratios) <= 1.3),
        figures: json!({ "ratios": ratios, "seconds": ours, "only_sending_seconds": theirs, "to_a_sink_seconds": to_sink.as_secs_f64() }),
    });
}

/// From opening the INBOX until every letter is handed over; and how many they were.
fn with_letters(place: &Place, messages: usize, plan: &Plan) -> (Duration, usize) {
    let user = place.mailbox(0..messages);
    let team = place.team(std::slice::from_ref(&user), plan);
    let (program, begun) = team.start_and_wait(1);
    let filed = place.wait_until_empty(&user);
    let record = rusqlite::Connection::open_with_flags(
        team.dir.join("record.sqlite"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    record.busy_timeout(Duration::from_secs(5)).unwrap();
    let count = |those: &str| -> usize {
        let sql = format!("SELECT count(*) FROM effects WHERE kind = 'acknowledge' {those}");
        record.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let end = Instant::now() + Duration::from_secs(300);
    let mut last = SystemTime::now();
    while count("AND state <> 'done'") > 0 {
        assert!(Instant::now() < end, "letters are left:\n{}", program.stderr());
        std::thread::sleep(Duration::from_millis(5));
        last = SystemTime::now();
    }
    program.signal("TERM");
    assert_eq!(program.finish().code, Some(0));
    (last.max(filed).duration_since(begun).unwrap(), count(""))
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
