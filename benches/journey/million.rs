//! Starting with a record of a million cases: from the program's start until it opens the first folder.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::place::{Place, Plan};
use crate::report::{Report, Row, median};
use crate::{Asked, record};

/// Makes the record beside other work, which takes a minute or two; one that was made before is taken again.
pub fn begin(asked: &Asked) -> JoinHandle<PathBuf> {
    let file = asked.out.join(format!("{}-cases.sqlite", asked.cases));
    let cases = i64::try_from(asked.cases).unwrap();
    std::fs::create_dir_all(&asked.out).unwrap();
    std::thread::spawn(move || {
        if !file.exists() {
            let part = file.with_extension("part");
            for name in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{name}", part.display()));
            }
            record::make(&part, cases);
            std::fs::rename(&part, &file).unwrap();
        }
        file
    })
}

/// Starts it some times.
pub fn start(place: &Place, file: &Path, asked: &Asked, report: &mut Report) {
    let size = std::fs::metadata(file).unwrap().len();
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..asked.rounds {
        for (database, seconds) in [None, Some(file.to_path_buf())].into_iter().zip(&mut seconds) {
            let user = place.mailbox(0..0);
            let plan = Plan { acknowledge: true, database, ..Plan::default() };
            let team = place.team(std::slice::from_ref(&user), &plan);
            let begun = SystemTime::now();
            let (program, polled) = team.start_and_wait(1);
            seconds.push(polled.duration_since(begun).unwrap_or(Duration::ZERO).as_secs_f64());
            program.signal("TERM");
            program.finish();
        }
    }
    let [empty, full] = seconds;
    report.add(Row {
        what: format!("start to first poll with {} cases ({} MB)", asked.cases, size / 1_000_000),
        aim: "under 1 s",
        measured: format!("{:.2} s (with an empty record {:.2} s)", median(&full), median(&empty)),
        met: Some(median(&full) < 1.0),
        figures: json!({ "seconds": full, "empty_seconds": empty, "bytes": size }),
    });
}
