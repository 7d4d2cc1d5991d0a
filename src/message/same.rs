//! Whether a sender sends the same words again: a second Message-ID and date, but nothing new to read.
//!
//! Policy, email b: repeated emails. It is no identity of a message; that is its [`Fingerprint`].

use sha2::{Digest, Sha256};

use super::{Fingerprint, Message, text};

/// Fewer characters than these ("Any news?") say the same on different days and are no copy.
const FEWEST: usize = 40;

/// A hash of sender, subject and new words, white space collapsed; `None`: too few words to tell.
pub fn words(message: &Message) -> Option<Fingerprint> {
    let from = message.from.as_ref()?.address.to_lowercase();
    let new = text::collapse(&message.new_text.new);
    if from.is_empty() || new.chars().count() < FEWEST {
        return None;
    }
    let mut hash = Sha256::new();
    // What is adopted is said as well; and a different file attached is something new.
    let files = message.parts.iter().filter(|part| part.attachment);
    let files = files.map(|part| format!("{:?} {};", part.file_name, part.size_bytes)).collect::<String>();
    let subject = text::collapse(bare(&message.subject)).to_lowercase();
    // Behind one From there may be many people, each with a Reply-To of their own.
    let replies = message.reply_to.iter().map(|to| format!("{} ", to.address.to_lowercase()));
    let replies = replies.collect::<String>();
    for field in [&from, &replies, &subject, &new, &text::collapse(&message.new_text.adopted), &files] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field.as_bytes());
    }
    Some(Fingerprint(hash.finalize().into()))
}

/// The subject without `Re:`, `Fwd:` and the like.
fn bare(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((mark, after)) = rest.split_once(':') {
        if !matches!(mark.trim().to_ascii_lowercase().as_str(), "re" | "fw" | "fwd") {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: &str, subject: &str, text: &str) -> Option<Fingerprint> {
        let raw = format!("From: {from}\r\nTo: t@c.example\r\nSubject: {subject}\r\n\r\n{text}\r\n");
        words(&crate::message::parse(raw.as_bytes(), raw.len()))
    }

    #[test]
    fn the_same_words_are_known_again_and_others_are_not() {
        let text = "Please can you tell me who our EHC coordinator is now?";
        let first = of("a@home.example", "Coordinator", text);
        assert!(first.is_some());
        assert_eq!(
            first,
            of(
                "A@home.example",
                "Re: Coordinator",
                "Please can you tell me who our\r\nEHC coordinator is now?"
            )
        );
        assert_ne!(first, of("b@home.example", "Coordinator", text));
        assert_ne!(first, of("a@home.example", "Coordinator", &text.replace("our", "her")));
        assert_eq!(of("a@home.example", "Coordinator", "Any news?"), None);
    }
}
