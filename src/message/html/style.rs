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
    declarations(style).any(|(name, value)| match name.as_str() {
        "display" => value.starts_with("none"),
        "visibility" => value.starts_with("hidden"),
        "max-height" | "opacity" => value.starts_with('0') && !value.starts_with("0."),
        _ => false,
    })
}

fn declarations(style: &str) -> impl Iterator<Item = (String, String)> {
    style.split(';').take(100).filter_map(|one| one.split_once(':')).map(|(name, value)| {
        let value = value.trim().to_ascii_lowercase();
        (name.trim().to_ascii_lowercase(), value)
    })
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
        match name.to_ascii_lowercase().as_str() {
            "class" => class(&mut looks, value, hidden),
            "id" => id(&mut looks, value),
            "data-smartmail" | "data-marker" => {
                let value = value.to_ascii_lowercase();
                looks.signature |= value.contains("signature") || value.contains("__sig_");
            }
            "style" => style(&mut looks, value, blockquote),
            "hidden" => looks.hidden = true,
            "type" if blockquote && value.eq_ignore_ascii_case("cite") => looks.quote = true,
            "cite" if blockquote => looks.quote = true,
            "color" => looks.coloured = Some(!is_dark(&value.to_ascii_lowercase())),
            _ => {}
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
    looks.hidden |= hides(value);
    for (name, value) in declarations(value) {
        match name.as_str() {
            "border-left" if blockquote && !value.starts_with("none") && !value.starts_with('0') => {
                looks.quote = true;
            }
            "color" => looks.coloured = Some(!is_dark(&value)),
            "font-weight" => {
                looks.bold = Some(value.starts_with("bold") || value.starts_with(['6', '7', '8', '9']))
            }
            "font-size" => {
                let size = points(&value);
                looks.small = size.map(|points| points <= 8.0);
                looks.no_size = size.map(|points| points < 1.0);
            }
            "white-space" => looks.preformatted = Some(value.starts_with("pre")),
            "margin" if value.split_ascii_whitespace().take(3).all(|side| side.starts_with('0')) => {
                looks.tight = true;
            }
            _ => {}
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
