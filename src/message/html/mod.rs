//! HTML to lines of text, each with what the markup said of it: quoted, signature, older message.
//!
//! Not a browser: pictures, links' addresses and style-sheet content are left out, hidden text as well. One pass,
//! linear in the input, with no recursion; nesting beyond `MOST_NESTED` is read flat. A general converter would not
//! do: it flattens the marks that tell quotations from new words, takes quadratic time on nested markup, and lets
//! style sheets (`content: "urgent"`) put words into the sender's mouth.

mod entity;
mod scan;
mod style;

use std::borrow::Cow;

use super::new_text::lines::Line;
use super::text;
use scan::{Scanner, Token};
use style::{HiddenClasses, Looks};

/// Elements inside elements beyond this are not told apart.
const MOST_NESTED: usize = 400;

/// The lines of a document.
pub(super) struct Read {
    pub lines: Vec<Line<'static>>,
    /// Nested deeper than is looked at.
    pub simplified: bool,
}

/// Reads a document.
pub(super) fn read(source: &str) -> Read {
    let mut page = Page::default();
    for token in Scanner::new(source) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Open { name, attributes, alone } => page.open(lower(name), attributes, alone),
            Token::Close { name } => page.close(&lower(name)),
            Token::Style(sheet) => page.hidden_classes.read(sheet),
        }
    }
    page.end_line();
    Read { lines: page.lines, simplified: page.overflow_seen }
}

/// Most programs write names in lower case already.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// What holds inside an open element, inherited from those around it.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    hidden: bool,
    no_size: bool,
    quote_depth: usize,
    older: bool,
    region: bool,
    signature: bool,
    attribution: bool,
    coloured: bool,
    bold: bool,
    small: bool,
    preformatted: bool,
    /// The number of the present item of an ordered list.
    item: Option<usize>,
}

struct Element<'a> {
    name: Cow<'a, str>,
    before: State,
    /// Space is wanted after the element.
    gap: bool,
}

#[derive(Default)]
struct Page<'a> {
    lines: Vec<Line<'static>>,
    line: String,
    /// Characters of the present line: all, set apart by colour or weight, small.
    counted: (usize, usize, usize),
    /// What was in force where the present line's first text stood.
    line_state: Option<State>,
    space: bool,
    gap: bool,
    /// The next line opens an older message.
    older_next: bool,
    state: State,
    stack: Vec<Element<'a>>,
    /// Open elements beyond the deepest that is kept.
    overflow: usize,
    overflow_seen: bool,
    hidden_classes: HiddenClasses,
}

impl<'a> Page<'a> {
    fn text(&mut self, source: &str) {
        if self.state.hidden || self.state.no_size {
            return;
        }
        let decoded = entity::decode(source);
        let state = self.state;
        let apart = state.coloured || state.bold;
        let mut ends = Vec::new();
        let mut rest = &*decoded;
        while !rest.is_empty() {
            let (run, after) = rest.split_at_checked(text::printable(rest.as_bytes())).unwrap_or((rest, ""));
            self.run(run, apart);
            let mut chars = after.chars();
            let Some(c) = chars.next() else { break };
            rest = chars.as_str();
            if matches!(c, '\n' | '\r' | '\t') {
                if state.preformatted && c == '\n' {
                    ends.push(std::mem::take(&mut self.line));
                    self.space = false;
                } else if c != '\r' {
                    self.space = true;
                }
                continue;
            }
            if text::is_invisible(c) && c != '\u{200D}' {
                continue;
            }
            self.begin();
            self.line.push(c);
            if !text::is_space(c) {
                self.count(1, apart);
            }
        }
        if !ends.is_empty() {
            let last = std::mem::take(&mut self.line);
            for end in ends {
                self.line = end;
                self.break_line();
            }
            self.line = last;
        }
    }

    /// Text of printable ASCII: words, with one space or more between.
    fn run(&mut self, run: &str, apart: bool) {
        let words = run.trim_start_matches(' ');
        self.space |= words.len() < run.len();
        let words = words.trim_end_matches(' ');
        if words.is_empty() {
            return;
        }
        self.begin();
        if words.contains("  ") {
            let mut between = "";
            for word in words.split(' ').filter(|word| !word.is_empty()) {
                self.line.push_str(between);
                self.line.push_str(word);
                between = " ";
            }
        } else {
            self.line.push_str(words);
        }
        self.space = run.ends_with(' ');
        self.count(words.bytes().filter(|b| *b != b' ').count(), apart);
    }

    /// Before a word: what is in force for its line, and the space that was wanted.
    fn begin(&mut self) {
        if self.line.is_empty() && self.line_state.is_none() {
            self.line_state = Some(self.state);
        }
        if self.space && !self.line.is_empty() {
            self.line.push(' ');
        }
        self.space = false;
    }

    fn count(&mut self, characters: usize, apart: bool) {
        let (all, set_apart, small) = &mut self.counted;
        *all += characters;
        *set_apart += if apart { characters } else { 0 };
        *small += if self.state.small { characters } else { 0 };
    }

    fn open(&mut self, name: Cow<'a, str>, attributes: &str, alone: bool) {
        match &*name {
            "br" => return self.break_line(),
            "hr" => {
                self.end_line();
                self.gap = true;
                return;
            }
            "img" | "input" | "meta" | "link" | "area" | "base" | "col" | "embed" | "source" | "track"
            | "wbr" | "param" => return,
            _ => {}
        }
        let looks = style::looks(&name, attributes, &self.hidden_classes);
        let block = is_block(&name);
        if block {
            self.end_line();
        }
        if matches!(&*name, "td" | "th") {
            // Cells of a row share a line, never a word.
            self.space = true;
        }
        if looks.rest_is_older && !self.state.hidden {
            self.older_next = true;
        }
        let gap = has_margin(&name) && !looks.tight;
        self.gap |= gap;
        if alone {
            return;
        }
        if name == "p" && self.stack.last().is_some_and(|top| top.name == "p") {
            self.close("p");
        }
        if name == "li" {
            // An item ends where the next one of the same list begins.
            let last = self.stack.iter().rev().find(|open| matches!(&*open.name, "li" | "ul" | "ol"));
            if last.is_some_and(|open| open.name == "li") {
                self.close("li");
            }
        }
        if self.stack.len() >= MOST_NESTED {
            self.overflow += 1;
            self.overflow_seen = true;
            return;
        }
        let before = self.state;
        self.enter(&name, &looks);
        let item = name == "li";
        self.stack.push(Element { name, before, gap });
        if item && !self.state.hidden {
            let marker = match self.state.item {
                Some(number) if number > 0 => format!("{number}. "),
                _ => "* ".to_owned(),
            };
            self.line_state = Some(self.state);
            self.line = marker.trim_end().to_owned();
            self.space = true;
        }
    }

    fn enter(&mut self, name: &str, looks: &Looks) {
        let quoted = looks.quote && name == "blockquote"
            || looks.bare_blockquote
                && self.lines.iter().rev().find(|l| !l.text.is_empty()).is_some_and(follows);
        let state = &mut self.state;
        state.hidden |= looks.hidden || matches!(name, "select" | "object" | "template");
        state.no_size = looks.no_size.unwrap_or(state.no_size);
        state.quote_depth += usize::from(quoted);
        state.older |= looks.older;
        state.region |= looks.region;
        state.signature |= looks.signature;
        state.attribution |= looks.attribution;
        state.coloured = looks.coloured.unwrap_or(state.coloured);
        state.bold = looks.bold.unwrap_or(state.bold);
        state.small = looks.small.unwrap_or(state.small);
        state.preformatted = looks.preformatted.unwrap_or(state.preformatted);
        match name {
            "ol" => state.item = Some(0),
            "ul" => state.item = None,
            "li" => state.item = state.item.map(|number| number + 1),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if name == "br" {
            return self.break_line();
        }
        if self.overflow > 0 && !matches!(name, "body" | "html") {
            self.overflow -= 1;
            if is_block(name) {
                self.end_line();
            }
            return;
        }
        let Some(at) = self.stack.iter().rposition(|open| open.name == name) else { return };
        if is_block(name) {
            self.end_line();
        }
        let item = self.state.item;
        let mut gap = false;
        let mut before = None;
        for element in self.stack.drain(at..).rev() {
            gap |= element.gap;
            before = Some(element.before);
        }
        if let Some(before) = before {
            self.state = before;
        }
        if name == "li" && self.stack.last().is_some_and(|top| top.name == "ol") {
            self.state.item = item;
        }
        self.gap |= gap;
        if matches!(name, "td" | "th") {
            self.space = true;
        }
    }

    /// `<br>`: ends the line, or makes an empty one.
    fn break_line(&mut self) {
        if self.state.hidden {
            return;
        }
        if self.line.is_empty() {
            self.push_blank();
        } else {
            self.end_line();
        }
        self.space = false;
    }

    fn end_line(&mut self) {
        self.space = false;
        if self.line.is_empty() {
            return;
        }
        let state = self.line_state.take().unwrap_or(self.state);
        let counted = std::mem::take(&mut self.counted);
        // The text of most lines needs nothing but to be copied out of where it was put together.
        let plain = text::printable(self.line.as_bytes()) == self.line.len();
        let text = if plain { None } else { Some(text::normalise(&self.line).replace('\n', " ")) };
        let text = text.as_deref().unwrap_or(&self.line).trim();
        let text = match state.quote_depth {
            _ if text.is_empty() => String::new(),
            0 => text.to_owned(),
            depth => format!("{} {text}", ">".repeat(depth.min(20))),
        };
        self.line.clear();
        if text.is_empty() {
            // A paragraph of a hard space is how Word writes an empty line.
            self.gap = false;
            return self.push_blank();
        }
        if self.gap && self.lines.last().is_some_and(|last| !last.text.is_empty()) {
            self.push_blank();
        }
        self.gap = false;
        let mut line = Line::plain(text);
        line.older = state.older;
        line.rest_is_older = std::mem::take(&mut self.older_next);
        line.region = state.region;
        line.signature = state.signature;
        line.attribution = state.attribution;
        line.apart = counted.0 > 0 && counted.1 == counted.0;
        line.small = counted.0 > 0 && counted.2 == counted.0;
        self.lines.push(line);
    }

    fn push_blank(&mut self) {
        let last_two_blank = self.lines.iter().rev().take(2).filter(|line| line.text.is_empty()).count() == 2;
        if self.lines.is_empty() || last_two_blank {
            return;
        }
        let State { older, region, signature, .. } = self.state;
        let blank = Line { older, region, signature, ..Line::default() };
        self.lines.push(blank);
    }
}

/// An indented block is a quotation where the line before it introduces one.
fn follows(line: &Line<'_>) -> bool {
    line.attribution || line.text.trim_end().ends_with("wrote:")
}

fn is_block(name: &str) -> bool {
    // By length first: this is asked of every tag.
    match name.len() {
        1 => name == "p",
        2 => matches!(
            name,
            "tr" | "ul" | "ol" | "li" | "dl" | "dt" | "dd" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
        ),
        3 => matches!(name, "div" | "pre" | "nav"),
        4 => matches!(name, "form" | "main" | "body" | "html" | "head"),
        5 => matches!(name, "table" | "aside" | "thead" | "tbody" | "tfoot" | "title"),
        6 => matches!(name, "header" | "footer" | "center" | "figure" | "option" | "select"),
        7 => matches!(name, "section" | "article" | "address" | "caption"),
        8 => matches!(name, "fieldset" | "textarea"),
        10 => matches!(name, "blockquote" | "figcaption"),
        _ => false,
    }
}

fn has_margin(name: &str) -> bool {
    matches!(
        name,
        "p" | "ul" | "ol" | "blockquote" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        read(source).lines.iter().map(|line| &*line.text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn words_are_never_glued() {
        assert_eq!(text("<ul><li>Kitchen<li>Bedroom</ul>"), "* Kitchen\n* Bedroom");
        assert_eq!(text("<ol><li>One</li><li>Two</li></ol>"), "1. One\n2. Two");
        assert_eq!(
            text("<table><tr><td>Child</td><td>Sam</td></tr><tr><td>Year</td><td>4</td></tr></table>"),
            "Child Sam\nYear 4"
        );
        assert_eq!(text("<p>One<p>Two<div>Three</div>Four"), "One\n\nTwo\nThree\nFour");
        assert_eq!(text("ex<b>clu</b>ded"), "excluded");
    }

    #[test]
    fn what_a_reader_does_not_see_is_left_out() {
        assert_eq!(text("<style>.p{display:none}</style><div class=p>urgent</div>seen"), "seen");
        assert_eq!(text("<style>.x:before{content:\"urgent\"}</style><p class=x>seen</p>"), "seen");
        assert_eq!(text("<div style=\"DISPLAY: none; max-height:0px\">preheader</div><p>seen</p>"), "seen");
        assert_eq!(text("<div style='font-size:0'>a<div style='font-size:14px'>seen</div></div>"), "seen");
        assert_eq!(
            text("<head><title>t</title></head>ex\u{AD}clu&shy;ded&zwnj;&nbsp;&amp; &lt;b&gt;&#8217;&#x41;"),
            "excluded & <b>’A"
        );
    }

    #[test]
    fn word_paragraphs_are_lines_and_others_have_space() {
        assert_eq!(
            text("<p class=MsoNormal>Thanks<o:p></o:p></p>\n<p class=MsoNormal>Tom</p>"),
            "Thanks\nTom"
        );
        assert_eq!(
            text("<p class=MsoNormal>A</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>B</p>"),
            "A\n\nB"
        );
        assert_eq!(text("<div>A</div><div><br></div><div>B<br></div><div>C</div>"), "A\n\nB\nC");
        assert_eq!(text("<pre>a\nb</pre>"), "a\nb");
    }

    #[test]
    fn quotations_are_told_from_indentation() {
        assert_eq!(
            text("a<blockquote type=cite>b<blockquote type=cite>c</blockquote></blockquote>d"),
            "a\n\n> b\n\n>> c\n\nd"
        );
        assert_eq!(text("<blockquote style='margin:0 0 0 40px;border:none'>mine</blockquote>"), "mine");
        assert_eq!(text("X wrote:<blockquote>theirs</blockquote>"), "X wrote:\n\n> theirs");
    }

    #[test]
    fn deep_or_broken_markup_is_read_quickly() {
        for source in ["<div>", "<b><p>", "</div>", "<blockquote type=cite>x", "<table><tr><td>y", "<ul><li>"]
        {
            let many = source.repeat(100_000);
            let started = std::time::Instant::now();
            let read = read(&many);
            assert!(started.elapsed().as_secs() < 4, "{source} took {:?}", started.elapsed());
            assert!(source.starts_with("</") || read.simplified);
        }
    }
}
