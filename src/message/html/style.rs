//! What an element's attributes mean for a reader: hidden, quoted, a signature, set apart by colour or size.
//!
//! Names of classes and ids are those that mail clients are known to write. Nothing here looks at text.

use super::scan::attributes;

/// What is known of one element from its own tag.
#[derive(Debug, Default, Clone)]
pub(super) struct Looks {
    pub hidden: bool,
    /// A quotation of another message.
    pub quote: bool,
    /// From this element to the end of the document everything is an older message.
    pub rest_is_older: bool,
    /// The element holds an older message, header and all.
    pub older: bool,
    /// The element holds an older message and perhaps answers between its lines (Gmail).
    pub region: bool,
    pub signature: bool,
    /// The line "On ..., X wrote:".
    pub attribution: bool,
    /// Coloured; `None` says nothing.
    pub coloured: Option<bool>,
    pub bold: Option<bool>,
    /// Small print; `None` says nothing.
    pub small: Option<bool>,
    /// Font size nought, as used to hide text; `None` says nothing.
    pub no_size: Option<bool>,
    /// White space counts, as in `<pre>`.
    pub preformatted: Option<bool>,
    /// A paragraph without space around it (Word, and style="margin:0").
    pub tight: bool,
    /// A plain `<blockquote>` that nothing marks as a quotation.
    pub bare_blockquote: bool,
}

/// Classes that the document's own style sheet hides.
#[derive(Debug, Default)]
pub(super) struct HiddenClasses(Vec<String>);

impl HiddenClasses {
    /// Reads `.class { display: none }` rules; those inside `@media` are for some screens only and are left out.
    pub(super) fn read(&mut self, sheet: &str) {
        let mut depth = 0usize;
        let mut selector_start = 0;
        let mut rule_start = 0;
        for (at, byte) in sheet.bytes().enumerate() {
            match byte {
                b'{' => {
                    depth += 1;
                    rule_start = at + 1;
                }
                b'}' => {
                    let rule = sheet.get(rule_start..at).unwrap_or_default();
                    let selector =
                        sheet.get(selector_start..rule_start.saturating_sub(1)).unwrap_or_default();
                    if depth == 1 && hides(rule) {
                        self.0.extend(
                            selector
                                .split(',')
                                .filter_map(|one| one.trim().rsplit_once('.'))
                                .filter(|(before, name)| {
                                    before.chars().all(char::is_alphanumeric)
                                        && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
                                })
                                .map(|(_, name)| name.to_ascii_lowercase())
                                .take(50),
                        );
                    }
                    depth = depth.saturating_sub(1);
                    selector_start = at + 1;
                }
                _ => {}
            }
        }
        self.0.truncate(200);
    }
}

fn hides(style: &str) -> bool {
    declarations(style).any(|(name, value)| hides_by(name, value))
}

fn hides_by(name: &str, value: &str) -> bool {
    if is(name, "display") {
        starts(value, "none")
    } else if is(name, "visibility") {
        starts(value, "hidden")
    } else if is(name, "max-height") || is(name, "opacity") {
        value.starts_with('0') && !value.starts_with("0.")
    } else {
        false
    }
}

/// The declarations of a style, names and values as written but for the space around them.
fn declarations(style: &str) -> impl Iterator<Item = (&str, &str)> {
    style
        .split(';')
        .take(100)
        .filter_map(|one| one.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
}

fn is(text: &str, name: &str) -> bool {
    text.eq_ignore_ascii_case(name)
}

fn starts(text: &str, with: &str) -> bool {
    text.as_bytes().get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
}

/// Reads the attributes of an element.
pub(super) fn looks(name: &str, source: &str, hidden: &HiddenClasses) -> Looks {
    let mut looks = Looks::default();
    let blockquote = name == "blockquote";
    match name {
        "b" | "strong" => looks.bold = Some(true),
        "pre" | "textarea" => looks.preformatted = Some(true),
        "small" => looks.small = Some(true),
        _ => {}
    }
    for (name, value) in attributes(source).take(64) {
        // A picture inside the tag can be megabytes; no name or style that matters is.
        let value = crate::message::text::head(value, 4_096);
        if is(name, "class") {
            class(&mut looks, value, hidden);
        } else if is(name, "id") {
            id(&mut looks, value);
        } else if is(name, "style") {
            style(&mut looks, value, blockquote);
        } else if is(name, "data-smartmail") || is(name, "data-marker") {
            let value = value.to_ascii_lowercase();
            looks.signature |= value.contains("signature") || value.contains("__sig_");
        } else if is(name, "hidden") {
            looks.hidden = true;
        } else if blockquote && (is(name, "cite") || is(name, "type") && is(value, "cite")) {
            looks.quote = true;
        } else if is(name, "color") {
            looks.coloured = Some(!is_dark(&value.to_ascii_lowercase()));
        }
    }
    looks.bare_blockquote = blockquote && !looks.quote;
    looks
}

fn class(looks: &mut Looks, value: &str, hidden: &HiddenClasses) {
    let value = value.to_ascii_lowercase();
    for one in value.split_ascii_whitespace().take(50) {
        looks.hidden |= hidden.0.iter().any(|name| name == one);
        looks.signature |= one.contains("signature") || one == "moz-sig";
        if one.contains("disclaimer") {
            looks.small = Some(true);
        }
        looks.attribution |= matches!(one, "moz-cite-prefix" | "gmail_attr" | "moz-email-headers-table");
        looks.region |= one == "gmail_quote" || one == "gmail_quote_container" || one == "gmail_extra";
        looks.older |= one.contains("yahoo_quoted")
            || one.contains("yahoo-quoted")
            || matches!(one, "protonmail_quote" | "zmail_extra" | "tutanota_quote" | "moz-forward-container");
        looks.quote |= matches!(one, "gmail_quote" | "tutanota_quote" | "iosmail_quote");
        looks.tight |= one.starts_with("mso") || one.starts_with("xmso") || one.starts_with("x_mso");
    }
}

fn id(looks: &mut Looks, value: &str) {
    let value = value.to_ascii_lowercase();
    let bare = value.trim_start_matches("x_");
    looks.rest_is_older |= matches!(bare, "divrplyfwdmsg" | "appendonsend")
        || bare.starts_with("mail-editor-reference-message-container");
    looks.older |= bare.contains("yahoo_quoted")
        || matches!(bare, "olk_src_body_section" | "forwardbody1" | "replybody1" | "isreplycontent");
    looks.attribution |= bare == "reply-intro";
    looks.signature |= bare.contains("signature");
}

fn style(looks: &mut Looks, value: &str, blockquote: bool) {
    for (name, value) in declarations(value) {
        looks.hidden |= hides_by(name, value);
        if blockquote && is(name, "border-left") {
            looks.quote |= !starts(value, "none") && !value.starts_with('0');
        } else if is(name, "color") {
            looks.coloured = Some(!is_dark(&value.to_ascii_lowercase()));
        } else if is(name, "font-weight") {
            looks.bold = Some(starts(value, "bold") || value.starts_with(['6', '7', '8', '9']));
        } else if is(name, "font-size") {
            let size = points(&value.to_ascii_lowercase());
            looks.small = size.map(|points| points <= 8.0);
            looks.no_size = size.map(|points| points < 1.0);
        } else if is(name, "white-space") {
            looks.preformatted = Some(starts(value, "pre"));
        } else if is(name, "margin") {
            looks.tight |= value.split_ascii_whitespace().take(3).all(|side| side.starts_with('0'));
        }
    }
}

fn points(value: &str) -> Option<f32> {
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(digits)?;
    let number: f32 = number.parse().ok()?;
    match unit.trim().get(..2).unwrap_or_default() {
        "pt" => Some(number),
        "px" | "" => Some(number * 0.75),
        "em" | "re" => Some(number * 12.0),
        _ => None,
    }
}

/// Black, or so near that it is the colour of ordinary text.
fn is_dark(value: &str) -> bool {
    let value = value.trim();
    if let Some(digits) = value.strip_prefix('#') {
        let wide = digits.len() >= 6;
        let channel = |n: usize| {
            let part = if wide { digits.get(n * 2..n * 2 + 1) } else { digits.get(n..n + 1) };
            part.and_then(|c| u8::from_str_radix(c, 16).ok()).unwrap_or(0)
        };
        return (0..3).all(|n| channel(n) <= 3);
    }
    if let Some(list) = value.strip_prefix("rgb") {
        return list
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .take(3)
            .all(|part| part.parse::<u16>().is_ok_and(|n| n < 64));
    }
    matches!(value, "black" | "windowtext" | "inherit" | "initial" | "currentcolor" | "auto" | "")
        || value.starts_with("var(")
}
