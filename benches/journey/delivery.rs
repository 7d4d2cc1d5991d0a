//! From delivery to the acknowledgement handed over, with the daemon idling; beside a bare client's IDLE that is only told of
//! a message on the same server at nearly the same time.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::place::{Place, Plan};
use crate::post::Sink;
use crate::report::{Report, Row, median, quantile};
use crate::{Asked, bare, catch_up};

/// Between the two deliveries of a round: more than an answer takes after it has been woken.
const APART: Duration = Duration::from_millis(250);

pub fn delivery(place: &Place, asked: &Asked, report: &mut Report) {
    let sink = Sink::start();
    let (ours, bare_user) = (place.mailbox(0..0), place.mailbox(0..0));
    let plan = Plan { acknowledge: true, smtp_port: Some(sink.port), ..Plan::default() };
    let team = place.team(std::slice::from_ref(&ours), &plan);
    let (program, _) = team.start_and_wait(1);
    let (told, woken) = mpsc::channel();
    let (port, user) = (place.servers.imap_port(), bare_user.clone());
    std::thread::spawn(move || {
        catch_up::runtime().block_on(async {
            let mut imap = bare::Imap::open(port, &user).await;
            while told.send(imap.woken().await).is_ok() {}
        });
    });
    let (mut answered, mut wakes) = (Vec::new(), Vec::new());
    for number in 0..asked.deliveries + 3 {
        std::thread::sleep(Duration::from_millis(400)); // Both idle again.
        let raw = question(number, &ours);
        let at = Instant::now();
        place.servers.deliver(&ours, &raw);
        std::thread::sleep(APART.saturating_sub(at.elapsed()));
        let bare_at = Instant::now();
        place.servers.deliver(&bare_user, &raw);
        let taken = sink.wait_for(number + 1, Duration::from_secs(30)).unwrap_or_else(|| {
            panic!("no answer to message {number}:\n{}", program.stderr());
        });
        let wake = woken.recv_timeout(Duration::from_secs(30)).unwrap();
        // The first ones connect and compile statements: they are looked at by nobody.
        if number >= 3 {
            answered.push((taken[number].taken_at - at).as_secs_f64() * 1000.0);
            wakes.push((wake - bare_at).as_secs_f64() * 1000.0);
        }
    }
    program.signal("TERM");
    program.finish();
    for (share, name, most, aim) in
        [(0.5, "median", 40.0, "at most 40 ms"), (0.99, "99th percentile", 150.0, "at most 150 ms")]
    {
        let (ours, theirs) = (quantile(&answered, share), quantile(&wakes, share));
        report.add(Row {
            what: format!("delivery to acknowledgement above a bare IDLE wake-up, {name}"),
            aim,
            measured: format!("{:.0} ms ({ours:.0} and {theirs:.0} ms)", ours - theirs),
            met: Some(ours - theirs <= most),
            figures: json!({ "deliveries": answered.len(), "median_ms": median(&answered), "answered_ms": answered, "woken_ms": wakes }),
        });
    }
}

fn question(number: usize, to: &str) -> Vec<u8> {
    format!(
        "From: Anna Parent <parent.{number}@inbox.example>\r\nTo: {to}@hertfordshire.example\r\nSubject: Our coordinator {number}\r\n\
         Message-ID: <delivery{number}@inbox.example>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nPlease can you tell me who our EHC coordinator is now? I have asked school, and they do not know.\r\n\r\nAnna\r\n"
    )
    .into_bytes()
}
