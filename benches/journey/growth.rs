//! How cost grows: with the backlog, with the cases on record, with the mailboxes that are watched. Only on request: it takes
//! some minutes.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::place::{Place, Plan};
use crate::report::{Report, Row};
use crate::{Asked, bare, catch_up, plot, resting};

/// Messages that wait when the program starts.
const BACKLOGS: [usize; 4] = [500, 2_000, 8_000, 20_000];
/// Mailboxes on IDLE.
const MAILBOXES: [usize; 4] = [1, 10, 25, 50];

/// Time a message against the backlog, beside the bare client.
pub fn backlog(place: &Place, asked: &Asked, report: &mut Report) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for messages in BACKLOGS {
        let took = catch_up::ours(place, messages, &Plan::default()).wall;
        ours.push((messages as f64, took.as_secs_f64() * 1000.0 / messages as f64));
        let user = place.mailbox(0..messages);
        let database = place.dir.path().join(format!("{user}.sqlite"));
        let (took, _) =
            catch_up::runtime().block_on(bare::catch_up(place.servers.imap_port(), &user, &database));
        theirs.push((messages as f64, took.as_secs_f64() * 1000.0 / messages as f64));
    }
    let say =
        |points: &[(f64, f64)]| points.iter().map(|p| format!("{:.2}", p.1)).collect::<Vec<_>>().join(", ");
    report.add(Row {
        what: format!("ms a message with {BACKLOGS:?} messages waiting"),
        aim: "no growth",
        measured: format!("{}; the bare client {}", say(&ours), say(&theirs)),
        met: None,
        figures: json!({ "send_triage": ours, "bare": theirs }),
    });
    let lines = [
        plot::Line { name: "send-triage", points: ours },
        plot::Line { name: "bare client", points: theirs },
    ];
    draw(asked, "backlog.svg", "Catching up: time a message", "messages waiting", "ms a message", &lines);
}

/// Time a message with an empty record and with a large one.
pub fn cases(place: &Place, record: &Path, asked: &Asked, report: &mut Report) {
    let mut rounds = Vec::new();
    for _ in 0..asked.rounds {
        let copy = place.dir.path().join("large.sqlite");
        std::fs::copy(record, &copy).unwrap();
        let of = |database| {
            catch_up::ours(place, asked.messages, &Plan { database, ..Plan::default() }).wall.as_secs_f64()
        };
        rounds.push((of(None), of(Some(copy.clone()))));
        for name in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(format!("{}{name}", copy.display()));
        }
    }
    let ratios: Vec<f64> = rounds.iter().map(|(empty, large)| large / empty).collect();
    report.add(Row {
        what: format!("catch-up with {} cases on record, beside an empty record", asked.cases),
        aim: "no growth",
        measured: format!("{:.2} times as long", crate::report::median(&ratios)),
        met: None,
        figures: json!({ "ratios": ratios, "seconds": rounds }),
    });
}

/// Memory and processor time of an idle daemon against the mailboxes that it watches.
pub fn mailboxes(place: &Place, asked: &Asked, report: &mut Report) {
    let (mut memory, mut busy) = (Vec::new(), Vec::new());
    for mailboxes in MAILBOXES {
        let rest = resting::rest(place, mailboxes, Duration::from_secs(20));
        memory.push((mailboxes as f64, rest.resident_mb));
        busy.push((mailboxes as f64, rest.percent));
    }
    report.add(Row {
        what: format!("idle with {MAILBOXES:?} mailboxes"),
        aim: "",
        measured: memory
            .iter()
            .zip(&busy)
            .map(|(memory, busy)| format!("{:.0} MB and {:.3} percent", memory.1, busy.1))
            .collect::<Vec<_>>()
            .join(", "),
        met: None,
        figures: json!({ "resident_mb": memory, "percent_of_a_core": busy }),
    });
    let line = plot::Line { name: "resident", points: memory };
    draw(asked, "mailboxes.svg", "Memory of an idle daemon", "mailboxes watched", "MB", &[line]);
}

fn draw(asked: &Asked, file: &str, title: &str, across: &str, up: &str, lines: &[plot::Line<'_>]) {
    std::fs::write(asked.out.join(file), plot::svg(title, across, up, lines)).unwrap();
}
