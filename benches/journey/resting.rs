//! What the program costs when nothing happens, and how large it grows when much does.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::Asked;
use crate::place::{Place, Plan};
use crate::report::{Report, Row};
use crate::support::program::Program;

/// As many as are watched when it idles.
const MAILBOXES: usize = 10;

/// What an idle daemon takes.
pub struct Rest {
    pub resident_mb: f64,
    pub highest_mb: f64,
    pub percent: f64,
    pub milliseconds: f64,
}

/// Leaves it alone with so many mailboxes on IDLE for so long.
pub fn rest(place: &Place, mailboxes: usize, how_long: Duration) -> Rest {
    let users: Vec<String> = (0..mailboxes).map(|_| place.mailbox(0..0)).collect();
    let team = place.team(&users, &Plan { acknowledge: true, ..Plan::default() });
    let (program, _) = team.start_and_wait(mailboxes);
    std::thread::sleep(Duration::from_secs(5)); // The first looks are over.
    let before = processor_time(&program);
    std::thread::sleep(how_long);
    let used = processor_time(&program) - before;
    let (resident, highest) = (memory(&program, "VmRSS:"), memory(&program, "VmHWM:"));
    program.signal("TERM");
    program.finish();
    Rest {
        resident_mb: mega(resident),
        highest_mb: mega(highest),
        percent: used.as_secs_f64() / how_long.as_secs_f64() * 100.0,
        milliseconds: used.as_secs_f64() * 1000.0,
    }
}

/// Memory and processor time with ten mailboxes on IDLE.
pub fn idle(place: &Place, asked: &Asked, report: &mut Report) {
    let rest = rest(place, MAILBOXES, Duration::from_secs(asked.seconds));
    report.add(Row {
        what: "memory, idle with 10 mailboxes".into(),
        aim: "under 40 MB",
        measured: format!("{:.1} MB resident (at its highest {:.1} MB)", rest.resident_mb, rest.highest_mb),
        met: Some(rest.resident_mb < 40.0),
        figures: json!({ "resident_mb": rest.resident_mb, "highest_mb": rest.highest_mb }),
    });
    report.add(Row {
        what: format!("processor over {} s, idle with 10 mailboxes on IDLE", asked.seconds),
        aim: "under 0.1 percent",
        measured: format!("{:.3} percent of a core ({:.1} ms)", rest.percent, rest.milliseconds),
        met: Some(rest.percent < 0.1),
        figures: json!({ "milliseconds": rest.milliseconds, "seconds": asked.seconds }),
    });
}

/// Memory at its highest while catching up, a message of 25 MB among them.
pub fn memory_catching_up(place: &Place, asked: &Asked, report: &mut Report) {
    let user = place.mailbox(0..asked.backlog);
    place.put(&user, &large(25_000_000));
    let team = place.team(std::slice::from_ref(&user), &Plan::default());
    let (program, begun) = team.start_and_wait(1);
    let ended = place.wait_until_empty(&user);
    let highest = memory(&program, "VmHWM:");
    let resident = memory(&program, "VmRSS:");
    program.signal("TERM");
    program.finish();
    let seconds = ended.duration_since(begun).unwrap().as_secs_f64();
    report.add(Row {
        what: format!("memory, catching up {} messages, one of 25 MB", asked.backlog),
        aim: "under 120 MB",
        measured: format!("{:.1} MB at its highest, {:.1} MB afterwards", mega(highest), mega(resident)),
        met: Some(mega(highest) < 120.0),
        figures: json!({ "highest_kb": highest, "resident_kb": resident, "seconds": seconds,
            "messages_a_second": asked.backlog as f64 / seconds }),
    });
}

/// A message with an attachment of so many bytes.
fn large(bytes: usize) -> Vec<u8> {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    let mut raw = String::from(
        "From: Anna Parent <anna.large@inbox.example>\r\nTo: send@hertfordshire.example\r\nSubject: The report\r\n\
         Message-ID: <large@inbox.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nPlease find the report. When is the annual review?\r\n\
         --b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    while raw.len() < bytes {
        raw.push_str(line);
    }
    raw.push_str("--b--\r\n");
    raw.into_bytes()
}

/// Processor time of all its threads, in nanoseconds as the scheduler counts them.
pub fn processor_time(program: &Program) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{}/task", program.id())).unwrap();
    let of = |task: fs::DirEntry| -> u64 {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(tasks.map_while(Result::ok).map(of).sum())
}

/// A line of proc(5)'s status, in kB.
fn memory(program: &Program, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn mega(kilobytes: u64) -> f64 {
    kilobytes as f64 * 1024.0 / 1e6
}
