//! Abuse, threats, harassment and unreasonable demands, referred to the leadership team.
//!
//! Policy, email h. Upset, angry and blunt is not enough; `leadership.yaml` holds the words.

use super::Finding;
use crate::rules::{Group, Reading};

/// Whether the message is referred.
pub fn leadership(reading: &Reading<'_>, trace: &mut Vec<Finding>) -> bool {
    let mut refer = false;
    for verdict in reading.group(Group::Leadership).filter(|verdict| verdict.holds) {
        trace.push(Finding::holds(verdict, format!("refer to leadership: {}", verdict.rule.title)));
        refer = true;
    }
    refer
}
