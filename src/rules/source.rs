//! Rule files from bytes to text: what is no text, or was saved in another encoding, is told with its remedy.

use std::ops::Range;

use super::SourceFile;
use super::diagnostic::{Diagnostic, Severity};
use super::workshop::File;

/// How large one file may be.
const MAX_BYTES: usize = 4 << 20;

/// Turns bytes into texts; files that are no text or too large become complaints.
pub(super) fn decode(files: &[SourceFile]) -> (Vec<File>, Vec<Diagnostic>) {
    let (mut texts, mut complaints) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| !super::schema::is_learned(file)) {
        match text(&file.bytes) {
            Ok(text) => texts.push(File { name: file.name.clone(), text }),
            Err(bad) => complaints.push(bad.diagnostic(&file.name)),
        }
    }
    (texts, complaints)
}

/// Why bytes are no text that staff can have meant.
#[derive(Debug)]
pub struct NoText {
    /// Where in `source`; empty at 0 when the whole file is meant.
    pub range: Range<usize>,
    /// What can be read of it.
    pub source: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

impl NoText {
    /// The complaint about the file of this name.
    pub fn diagnostic(self, file: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: file.to_owned(),
            range: self.range,
            source: self.source,
            problem: self.problem,
            remedy: Some(self.remedy.to_owned()),
        }
    }
}

/// The text of a file that staff wrote.
pub fn text(bytes: &[u8]) -> Result<String, NoText> {
    let whole = |problem: &str, remedy| {
        Err(NoText { range: 0..0, source: String::new(), problem: problem.to_owned(), remedy })
    };
    if bytes.len() > MAX_BYTES {
        return whole(
            &format!("the file is larger than {} MB", MAX_BYTES >> 20),
            "Divide it, or check that it is the right file.",
        );
    }
    // Windows calls UTF-16 "Unicode"; every second byte of English text is then zero.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return whole(
            "the file is saved as \"Unicode\" (UTF-16), not as UTF-8",
            "Open it in Notepad and save it again: Save as, Encoding: UTF-8.",
        );
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return whole(
            "this is a Word or Excel document, not a text file",
            "Write rules in a plain editor, such as Notepad or VS Code.",
        );
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            // What can be read is shown; the bad byte becomes U+FFFD.
            let at = error.valid_up_to();
            return Err(NoText {
                range: at..at + '\u{fffd}'.len_utf8(),
                source: String::from_utf8_lossy(bytes).into_owned(),
                problem: "the file is not UTF-8: this character cannot be read".to_owned(),
                remedy: "Save the file as UTF-8 (in Notepad: Save as, Encoding: UTF-8) and write the character anew, often a pound sign or a curly quote.",
            });
        }
    };
    if let Some(at) = text.find('\0') {
        // A file that is still being copied to a network share is filled with zeros to its full length.
        return Err(NoText {
            range: at..at + 1,
            source: text,
            problem: "the file holds zero bytes: it is damaged, or only half of it has been copied"
                .to_owned(),
            remedy: "Save or copy it again.",
        });
    }
    Ok(text)
}
