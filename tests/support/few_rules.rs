//! A rules folder of a few lines, so that the program starts in a moment: for tests that start it hundreds of times, or
//! read thousands of messages, and are not about rules.

use std::fs;
use std::path::Path;

/// A word of each that the few rules know; anything else is a standard question for the general queue.
pub const URGENT: &str = "He has no school place since September.";
pub const FOR_ASSESSMENT: &str = "I would like to request an EHC needs assessment for my daughter.";
pub const QUESTION: &str = "Please can you tell me who our coordinator is now?";

/// Writes them into this folder.
pub fn write(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let urgent =
        "grounds:\n  - id: U1\n    title: Out of school\n    policy: p\n    when: [no school place]\n";
    fs::write(dir.join("urgent.yaml"), urgent).unwrap();
    let topics = "queues:\n  - {id: queue-assessment, title: t, policy: p, queue: assessment, when: [needs assessment]}\n";
    fs::write(dir.join("topics.yaml"), topics).unwrap();
}
