//! The table: what was aimed at, what was measured, on what kind of machine; as text, Markdown and JSON.

use std::path::Path;

use serde_json::{Value, json};

/// One line of the table.
pub struct Row {
    pub what: String,
    pub aim: &'static str,
    pub measured: String,
    /// Whether the aim is met; `None`: it is no aim, or only a reference.
    pub met: Option<bool>,
    /// The figures behind it.
    pub figures: Value,
}

/// Everything that was measured in one run.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a line, and says it at once.
    pub fn add(&mut self, row: Row) {
        println!("{:<62} {:<34} {}{}", row.what, row.measured, row.aim, mark(row.met));
        self.rows.push(row);
    }

    /// Writes `journey.md` and `journey.json`.
    pub fn write(&self, folder: &Path, command: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let machine = machine();
        let mut page = format!(
            "Measured by `{command}`. {machine}\n\n| what | aim | measured | |\n| --- | --- | --- | --- |\n"
        );
        for row in &self.rows {
            page +=
                &format!("| {} | {} | {} | {} |\n", row.what, row.aim, row.measured, mark(row.met).trim());
        }
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| json!({ "what": row.what, "aim": row.aim, "measured": row.measured, "met": row.met, "figures": row.figures }))
            .collect();
        let all = json!({ "command": command, "machine": machine, "rows": rows });
        std::fs::write(folder.join("journey.md"), page).unwrap();
        std::fs::write(folder.join("journey.json"), serde_json::to_string_pretty(&all).unwrap()).unwrap();
        println!("\n{}", folder.join("journey.md").display());
    }
}

fn mark(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "  met",
        Some(false) => "  NOT MET",
        None => "",
    }
}

/// Cores and load: a busy machine's absolute figures mean little, its ratios something.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores, load {load} at the end, servers on the same machine.")
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of them lies.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
