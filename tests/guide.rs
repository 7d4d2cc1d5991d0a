//! The officer's guide is true: every edit in it is carried out on a copy of the shipped rules, and every command gives the answer
//! that is printed there.
//!
//! A fenced block says on its first line what it is: `eml FILE` is a message; `yaml FILE below="..." under="..."` is added after the
//! first line `under` that follows `below`; `text FILE find` and `replace` are a pair; `text FILE copy` names what is copied over it;
//! `text FOLDER contains` stands in a file there; `console` is a command and lines of its answer, in order, `...` standing
//! for anything.

use std::fs;
use std::path::Path;

use crate::support::filed::copy;
use crate::support::program::Program;

const GUIDE: &str = include_str!("../docs/officers-guide.md");

/// A fenced block: its first line without the fence, and what is in it.
struct Block<'g> {
    info: &'g str,
    text: String,
    line: usize,
}

/// The blocks of one edit.
fn edit(number: usize) -> Vec<Block<'static>> {
    let heading = format!("## Edit {number}: ");
    let start = GUIDE.lines().position(|line| line.starts_with(&heading)).expect("a heading for each edit");
    let mut blocks: Vec<Block<'static>> = Vec::new();
    let mut open = false;
    for (line, text) in GUIDE.lines().enumerate().skip(start + 1) {
        match text.strip_prefix("```") {
            Some(info) if !open => {
                blocks.push(Block { info, text: String::new(), line: line + 1 });
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(text);
                block.text.push('\n');
            }
            None if text.starts_with("## ") => break,
            None => {}
        }
    }
    blocks
}

/// Carries out one edit in a folder of its own.
fn carry_out(number: usize) {
    let (blocks, root) = (edit(number), Path::new(env!("CARGO_MANIFEST_DIR")));
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["rules", "rules-new"] {
        copy(&root.join("rules"), &at(name));
    }
    fs::create_dir(at("mail")).unwrap();
    fs::copy(root.join("config/working-days.yaml"), at("working-days.yaml")).unwrap();
    let config = fs::read_to_string(root.join("config/send-triage.yaml")).unwrap();
    fs::write(at("practice.yaml"), format!("{config}\nrules: rules-new\nworking_days: working-days.yaml\n"))
        .unwrap();
    let mut find = String::new();
    let mut commands = 0;
    for block in &blocks {
        let words: Vec<&str> = block.info.split(' ').collect();
        let place = format!("docs/officers-guide.md:{}", block.line);
        let change = |name: &str, from: &str, to: &str| {
            let text = fs::read_to_string(at(name)).unwrap();
            assert_eq!(text.matches(from).count(), 1, "{place}: in {name} there should be one {from:?}");
            fs::write(at(name), text.replacen(from, to, 1)).unwrap();
        };
        match words.as_slice() {
            ["eml", file] => fs::write(at(file), &block.text).unwrap(),
            ["yaml", file, ..] => {
                let text = fs::read_to_string(at(file)).unwrap();
                let after = add(&text, quoted(block.info, "below"), quoted(block.info, "under"), &block.text);
                fs::write(at(file), after.unwrap_or_else(|| panic!("{place}: {file} has no such line")))
                    .unwrap();
            }
            ["text", _, "find"] => find = block.text.clone(),
            ["text", file, "replace"] => change(file, &find, &block.text),
            ["text", file, "copy"] => {
                fs::copy(at(block.text.trim()), at(file)).unwrap();
            }
            ["text", folder, "contains"] => {
                let files = fs::read_dir(at(folder)).unwrap().map(|entry| entry.unwrap().path());
                let found = files.filter(|file| {
                    fs::read_to_string(file).is_ok_and(|text| text.contains(block.text.trim()))
                });
                assert!(found.count() > 0, "{place}: no file of {folder} has it");
            }
            ["console"] => {
                answers(dir.path(), block, &place);
                commands += 1;
            }
            other => panic!("{place}: what is a block {other:?}?"),
        }
    }
    assert!(commands > 0, "edit {number} shows no command");
}

/// `name="value"` of a block's first line.
fn quoted<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    let (_, rest) = info.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

/// The text with `lines` after the first line `under` that follows the line `below`.
fn add(text: &str, below: Option<&str>, under: Option<&str>, lines: &str) -> Option<String> {
    let same = |line: &str, wanted: &str| line.split('#').next().unwrap_or_default().trim() == wanted;
    let mut at = 0;
    let mut wanted: Vec<&str> = below.into_iter().chain(under).collect();
    for line in text.split_inclusive('\n') {
        at += line.len();
        if wanted.first().is_some_and(|wanted| same(line, wanted)) {
            wanted.remove(0);
            if wanted.is_empty() {
                return Some(format!("{}{lines}{}", &text[..at], &text[at..]));
            }
        }
    }
    None
}

/// Runs the command of a block and compares.
fn answers(dir: &Path, block: &Block<'_>, place: &str) {
    let mut lines = block.text.lines();
    let command = lines.next().and_then(|line| line.strip_prefix("$ send-triage ")).expect("a command first");
    let done = Program::run(dir, &command.split(' ').collect::<Vec<_>>());
    let said = format!("{}{}", done.stdout, done.stderr);
    let mut heard = said.lines();
    for line in lines.map(str::trim).filter(|line| *line != "...") {
        let found = heard.by_ref().any(|heard| is_like(heard.trim(), line));
        assert!(found, "{place}: no {line:?}, in this order, in\n{said}");
    }
}

/// Whether a line is as printed in the guide; `...` in it stands for anything.
fn is_like(line: &str, printed: &str) -> bool {
    let pieces: Vec<&str> = printed.split("...").map(str::trim).collect();
    if pieces.len() == 1 {
        return line == printed;
    }
    let mut rest = line;
    pieces.iter().enumerate().all(|(number, piece)| match rest.find(piece) {
        Some(at) if number > 0 || at == 0 => {
            rest = &rest[at + piece.len()..];
            true
        }
        _ => piece.is_empty(),
    })
}

#[test]
fn edit_1_teaches_a_ground_a_phrase() {
    carry_out(1);
}

#[test]
fn edit_2_stops_a_false_alarm() {
    carry_out(2);
}

#[test]
fn edit_3_adds_a_place() {
    carry_out(3);
}

#[test]
fn edit_4_adds_to_a_list() {
    carry_out(4);
}

#[test]
fn edit_5_adds_a_word_for_a_school() {
    carry_out(5);
}

#[test]
fn edit_6_knows_another_automatic_sender() {
    carry_out(6);
}

#[test]
fn edit_7_changes_the_acknowledgement() {
    carry_out(7);
}

#[test]
fn edit_8_adds_a_closure() {
    carry_out(8);
}

#[test]
fn edit_9_sends_a_subject_to_another_team() {
    carry_out(9);
}

#[test]
fn edit_10_finds_a_mistake_and_undoes_it() {
    carry_out(10);
}

#[test]
fn every_edit_of_the_guide_is_among_these_tests() {
    let headings = GUIDE.lines().filter(|line| line.starts_with("## Edit ")).count();
    assert_eq!(headings, 10);
    for number in 1..=10 {
        assert!(!edit(number).is_empty());
    }
}

#[test]
fn a_printed_line_may_leave_things_out() {
    assert!(
        is_like("4 |     wen:", "... |     wen:")
            && is_like("due Tuesday 5 January 2027", "... 5 January 2027")
    );
    assert!(!is_like("due 15 February 2027", "... 5 January 2027") && !is_like("1 message", "2 messages"));
}
