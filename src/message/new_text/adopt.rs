//! Whether the sender makes an older message their own ("see below, please act on it").
//!
//! labelling.md: forwarded history that the sender does not adopt does not count; "see below" adopts it. Merely
//! mentioning it ("re the below", "I tried replying to Gwen (below)") does not, nor does setting it aside.

use std::sync::LazyLock;

use regex::Regex;

use crate::message::text::{collapse, head, unadorned};

/// How the older message came: a forward is sent to be read, a quotation is mostly there by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Older {
    Forwarded,
    Quoted,
}

fn pattern(source: &str) -> Option<Regex> {
    // The patterns are fixed and a test compiles them; without one, nothing is adopted.
    Regex::new(source).ok()
}

/// "please see below", "see mum's email below", "read the message underneath".
static POINTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(see|read|find|note|refer to|look at|view|consider|treat|accept|take|action|review|respond to|reply to|deal with|log|pick up)\b[^.?!]{0,60}\b(below|underneath|beneath|trailing)\b",
    )
});

/// "the email below", "below message", "trail below".
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(e-?mail|message|note|letter|request|enquiry|query|correspondence|trail|thread|chain|information|info|concern|concerns|details|text)s?\b[^.?!]{0,25}\b(below|underneath|forwarded)\b|\b(below|forwarded)\b[^.?!]{0,12}\b(e-?mail|message|note|letter|request|enquiry|query|correspondence|trail|chain|information|concern)s?\b|\b(as|per|from|the) below\b",
    )
});

/// A request that someone act.
static ASKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\bplease\b[^.?!]{0,40}\b(act|action|deal|log|look|take|treat|help|advise|respond|reply|contact|call|ring|pass|pick|consider|arrange|assist|accept|allocate|progress|investigate|follow|support)\b|\b(can|could|would|will) (you|someone|somebody|anyone|the team)\b[^.?!]{0,40}\b(act|action|deal|log|look|take|treat|help|advise|respond|reply|contact|call|ring|pass|pick|arrange|assist|allocate|progress|investigate|follow|support)\b|\bfor (your )?(attention|action|information|consideration|response)\b|\bone for you\b|\bover to you\b|\bf\.?y\.?[ia]\b|\bplease action\b|\b(is|one) for you\b|\bpassing (this|it) (on|to)\b|\bforwarding (this|it) (on )?(to you|for|as)\b",
    )
});

/// The words of which every match of [`POINTS`], [`NAMES`] and [`SETS_ASIDE`] has one.
const PLACES: [&str; 8] =
    ["below", "underneath", "beneath", "trailing", "forwarded", "in red", "in blue", "inline"];

/// What turns it round: the older message is set aside, or it is the comments in it that are meant.
static SETS_ASIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(disregard|ignore|delete|superseded?|supersedes|no longer|withdraw)\b[^.?!]{0,60}\bbelow\b|\bbelow\b[^.?!]{0,40}\b(no longer applies|is out of date|can be ignored|is now resolved|was resolved|has been resolved)\b|\b(my|our) (comments?|answers?|responses?|repl(y|ies)|notes|thoughts|points|amendments|changes)\b[^.?!]{0,30}\b(below|in red|in blue|inline)\b|\b(comments?|answers?|responses?|replies) (are )?(below|in red|in blue)\b|\b(my|our) (signature|details|address|number|contact details|contact)s?\b[^.?!]{0,20}\bbelow\b",
    )
});

fn holds(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// Whether `new`, the sender's own words, adopts the older message below it.
pub(super) fn adopts(new: &str, older: Older) -> bool {
    // Who says so says so early or late; a book in between is not searched.
    let text = collapse(&unadorned(head(new, 20_000))).to_lowercase();
    // All of the first three name a place; without one of these words none holds.
    let placed = PLACES.iter().any(|place| text.contains(place));
    if placed && holds(&SETS_ASIDE, &text) {
        return false;
    }
    if placed && holds(&POINTS, &text) {
        return true;
    }
    if !placed && older == Older::Quoted {
        return false;
    }
    let asks = holds(&ASKS, &text);
    if placed && holds(&NAMES, &text) && asks {
        return true;
    }
    // A forward with hardly a word is sent for what it carries.
    let words = text.split(' ').filter(|word| !word.is_empty()).count();
    older == Older::Forwarded && (words <= 6 || asks && words <= 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&POINTS, &NAMES, &ASKS, &SETS_ASIDE] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn who_adopts() {
        for (new, older) in [
            (
                "Hello, please see mum's email below, which I think is for you. Could you act on it please?",
                Older::Quoted,
            ),
            (
                "The email below arrived in our office at lunchtime. Please take it as our notification too.",
                Older::Quoted,
            ),
            ("FYI", Older::Forwarded),
            ("", Older::Forwarded),
            ("See below please.", Older::Quoted),
            ("Can you log this please and get it to whoever has Year 8.", Older::Forwarded),
            ("Passing this on from a parent as below.", Older::Forwarded),
        ] {
            assert!(adopts(new, older), "{new}");
        }
    }

    #[test]
    fn who_does_not() {
        for (new, older) in [
            ("Please disregard the date in my earlier message below.", Older::Quoted),
            ("Re the below, is it ok if it comes on Saturday 12th?", Older::Quoted),
            ("I tried replying to Gwen (below) and it bounced.", Older::Quoted),
            ("I've had nothing back to the below, which I sent on 10 December.", Older::Quoted),
            ("Thanks, please see my comments below in red.", Older::Quoted),
            ("I have below the email confirming that she would be here in person.", Older::Quoted),
            ("Thanks, that's helpful.", Older::Quoted),
            ("Forwarding mine from the 2nd of November as I've not heard anything.", Older::Forwarded),
        ] {
            assert!(!adopts(new, older), "{new}");
        }
    }
}
