//! A mailbox like a council's, made from a seed: sizes, encodings and layouts as real mail has them, invented words.
//!
//! Median about 15 kB, 95th percentile about 300 kB, one in a hundred about 5 MB; plain and HTML as Outlook, Gmail, Apple Mail and
//! Yahoo write them, with quoted history below, base64 and quoted-printable, and attachments. The sentences are those
//! of `fixtures/labelled`, so that there is something in them to be found.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A small generator of numbers (xorshift64*), the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn one<'a>(&mut self, of: &'a [String]) -> &'a str {
        &of[self.below(of.len())]
    }
}

/// `count` messages; the same for the same seed and fixtures.
pub fn realistic(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let paragraphs = paragraphs();
    let mut dice = Dice(seed | 1);
    (0..count).map(|number| message(number, &mut dice, &paragraphs)).collect()
}

/// What people wrote in the labelled emails, paragraph by paragraph.
#[allow(dead_code)] // Not every benchmark looks at them.
pub fn paragraphs() -> Vec<String> {
    let labels = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/labelled/labels.jsonl");
    let text = fs::read_to_string(labels).unwrap_or_default();
    let mut all: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|label| label["new_text"].as_str().map(str::to_owned))
        .flat_map(|text| text.split("\n\n").map(|one| one.replace('\n', " ")).collect::<Vec<_>>())
        .filter(|one| one.len() > 60)
        .collect();
    if all.is_empty() {
        all.push(
            "He has been at home since June and there is no school place for him, please help us.".to_owned(),
        );
    }
    all
}

/// One written message: who, and paragraphs.
struct Said {
    name: String,
    address: String,
    paragraphs: Vec<String>,
    signature: Vec<String>,
}

fn said(dice: &mut Dice, all: &[String]) -> Said {
    const FIRST: [&str; 10] =
        ["Amy", "Tom", "Gwen", "Priya", "Zoë", "Emeka", "Nadine", "Kelly", "Marek", "Siân"];
    const LAST: [&str; 8] = ["Hill", "Ridley", "Foley", "Achebe", "Nowak", "Pugh", "Marsh", "Okafor"];
    let (first, last) = (FIRST[dice.below(10)], LAST[dice.below(8)]);
    let mut paragraphs = vec!["Good morning,".to_owned()];
    paragraphs.extend((0..1 + dice.below(6)).map(|_| dice.one(all).to_owned()));
    paragraphs.push("Kind regards".to_owned());
    paragraphs.push(first.to_owned());
    let signature = if dice.percent(60) {
        vec![
            format!("{first} {last} | SENCO | Broadhall Way Primary School"),
            "Tel: 01438 960001 | www.broadhallway.example".to_owned(),
            "This email and any attachments are confidential and intended solely for the use of the individual to whom it is addressed. If you are not the intended recipient please delete it.".to_owned(),
        ]
    } else {
        Vec::new()
    };
    // Some write more than once; most do not.
    let address = format!("{}.{}{}@post.example", plain(first), plain(last), dice.below(40));
    Said { name: format!("{first} {last}"), address, paragraphs, signature }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase()
}

fn message(number: usize, dice: &mut Dice, all: &[String]) -> Vec<u8> {
    let now = said(dice, all);
    let history: Vec<Said> =
        if dice.percent(65) { (0..1 + dice.below(7)).map(|_| said(dice, all)).collect() } else { Vec::new() };
    let client = dice.below(4);
    let text = plain_body(&now, &history, client);
    let html = html_body(&now, &history, client);
    let mut head = String::new();
    for hop in 0..3 + dice.below(5) {
        let _ = write!(
            head,
            "Received: from mx{hop}.post.example (mx{hop}.post.example [192.0.2.{hop}])\r\n by in{hop}.hertfordshire.example (Postfix) with ESMTPS id 4X{:012X}\r\n (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384) for <send@hertfordshire.example>;\r\n Tue, 3 Nov 2026 10:{:02}:{:02} +0000 (GMT)\r\n",
            dice.next() >> 16,
            number % 60,
            50 - hop
        );
    }
    let _ = write!(
        head,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=post.example; s=s1;\r\n h=from:to:subject:date:message-id; bh={0}=;\r\n b={0}{0}\r\n {0}{0}=\r\nAuthentication-Results: mx.hertfordshire.example; dkim=pass header.d=post.example; spf=pass smtp.mailfrom=post.example; dmarc=pass\r\nX-MS-Exchange-AntiSpam-MessageData-0: {1}\r\n",
        letters(dice, 43),
        letters(dice, 400 + number % 7 * 100)
    );
    let subject = if history.is_empty() { "Sam's plan" } else { "RE: =?utf-8?Q?Sam=E2=80=99s_plan?=" };
    let _ = write!(
        head,
        "From: =?utf-8?B?{}?= <{}>\r\nTo: SEND <send@hertfordshire.example>, \"Marsh, Kelly\" <kelly.marsh@school.example>\r\nCc: head@school.example\r\nSubject: {subject}\r\nDate: Tue, 3 Nov 2026 10:14:22 +0000\r\nMessage-ID: <{number}.{:x}@post.example>\r\nMIME-Version: 1.0\r\n",
        base64(now.name.as_bytes()).trim(),
        now.address,
        dice.next()
    );
    let words = match dice.below(20) {
        0..4 => part("text/plain; charset=\"utf-8\"", &text, "base64"),
        4..6 => part("text/plain; charset=us-ascii", &ascii(&text), "7bit"),
        6..8 => part("text/html; charset=\"utf-8\"", &html, "base64"),
        8..14 => both(&text, &html, "quoted-printable"),
        14..18 => both(&text, &html, "base64"),
        _ => both(&text, &html, "8bit"),
    };
    // How large what is attached is: nothing, some tens of kilobytes, hundreds, megabytes.
    let attached = match dice.below(1000) {
        0..10 => 3_600_000,
        10..65 => 180_000 + dice.below(120_000),
        65..250 => 10_000 + dice.below(100_000),
        _ => 0,
    };
    let mut out = head;
    if attached == 0 {
        out.push_str(&words);
        return out.into_bytes();
    }
    let mut bytes = Vec::with_capacity(attached);
    while bytes.len() < attached {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    let _ = write!(
        out,
        "Content-Type: multipart/mixed; boundary=\"outer_{number}\"\r\n\r\nThis is a message in MIME.\r\n--outer_{number}\r\n{words}\r\n--outer_{number}\r\nContent-Type: application/pdf; name=\"EP report.pdf\"\r\nContent-Disposition: attachment; filename=\"EP report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--outer_{number}--\r\n",
        base64(&bytes)
    );
    out.into_bytes()
}

fn both(text: &str, html: &str, encoding: &str) -> String {
    format!(
        "Content-Type: multipart/alternative; boundary=\"inner_=_1\"\r\n\r\n--inner_=_1\r\n{}\r\n--inner_=_1\r\n{}\r\n--inner_=_1--\r\n",
        part("text/plain; charset=\"utf-8\"", text, encoding),
        part("text/html; charset=\"utf-8\"", html, encoding)
    )
}

fn part(kind: &str, text: &str, encoding: &str) -> String {
    let body = match encoding {
        "base64" => base64(text.as_bytes()),
        "quoted-printable" => quoted_printable(text),
        _ => text.replace('\n', "\r\n"),
    };
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n")
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '\'' }).collect()
}

/// Lines of about 72 characters.
fn wrapped(text: &str, mark: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length + word.len() > 72 {
            out.push('\n');
            length = 0;
        }
        if length == 0 {
            out.push_str(mark);
        } else {
            out.push(' ');
        }
        out.push_str(word);
        length += word.len() + 1;
    }
    out
}

fn plain_body(now: &Said, history: &[Said], client: usize) -> String {
    let mut out = String::new();
    let write_out = |out: &mut String, said: &Said, mark: &str| {
        for paragraph in &said.paragraphs {
            let _ = write!(out, "{}\n{mark}\n", wrapped(paragraph, mark));
        }
        for line in &said.signature {
            let _ = writeln!(out, "{}", wrapped(line, mark));
        }
    };
    write_out(&mut out, now, "");
    for (depth, older) in history.iter().enumerate() {
        if client.is_multiple_of(2) {
            let _ = write!(
                out,
                "\n________________________________\nFrom: {} <{}>\nSent: 2 November 2026 10:14\nTo: SEND <send@hertfordshire.example>\nSubject: Sam's plan\n\n",
                older.name, older.address
            );
            write_out(&mut out, older, "");
        } else {
            let before = "> ".repeat(depth);
            let mark = "> ".repeat(depth + 1);
            let _ = write!(
                out,
                "\n{before}On Mon, 2 Nov 2026 at 10:14, {} <{}> wrote:\n{mark}\n",
                older.name, older.address
            );
            write_out(&mut out, older, &mark);
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\u{2019}', "&#8217;")
        .replace('\u{A3}', "&pound;")
}

fn html_body(now: &Said, history: &[Said], client: usize) -> String {
    let mut out = String::new();
    if client < 2 {
        out.push_str(WORD_HEAD);
        html_said(&mut out, now, client);
        for older in history {
            let _ = write!(
                out,
                "<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b><span lang=EN-US style='mso-fareast-language:EN-GB'>From:</span></b><span lang=EN-US style='mso-fareast-language:EN-GB'> {} &lt;{}&gt; <br><b>Sent:</b> 02 November 2026 10:14<br><b>To:</b> SEND &lt;send@hertfordshire.example&gt;<br><b>Subject:</b> Sam's plan<o:p></o:p></span></p></div></div>\r\n",
                older.name, older.address
            );
            html_said(&mut out, older, client);
        }
        out.push_str("</div></body></html>\r\n");
        return out;
    }
    out.push_str("<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body dir=\"auto\">");
    html_said(&mut out, now, client);
    for older in history {
        let _ = write!(
            out,
            "<div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon, 2 Nov 2026 at 10:14, {} &lt;<a href=\"mailto:{1}\">{1}</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">",
            older.name, older.address
        );
        html_said(&mut out, older, client);
    }
    for _ in history {
        out.push_str("</blockquote></div>");
    }
    out.push_str("</body></html>\r\n");
    out
}

fn html_said(out: &mut String, said: &Said, client: usize) {
    for paragraph in &said.paragraphs {
        let text = escaped(paragraph);
        let _ = match client {
            0 | 1 => write!(
                out,
                "<p class=MsoNormal><span style='font-size:11.0pt;font-family:\"Calibri\",sans-serif;mso-fareast-language:EN-US'>{text}<o:p></o:p></span></p>\r\n<p class=MsoNormal><span style='mso-fareast-language:EN-US'><o:p>&nbsp;</o:p></span></p>\r\n"
            ),
            2 => write!(out, "<div>{text}</div><div><br></div>"),
            _ => write!(
                out,
                "<div style=\"font-family: Helvetica; font-size: 12px; caret-color: rgb(0, 0, 0); color: rgb(0, 0, 0);\" dir=\"ltr\">{text}</div><div style=\"font-size: 12px;\"><br></div>\r\n"
            ),
        };
    }
    for line in &said.signature {
        let _ = write!(
            out,
            "<p class=MsoNormal><b><span style='font-size:8.0pt;color:#1F497D'>{}<o:p></o:p></span></b></p>\r\n<img width=624 height=2 src=\"cid:image001.png@01DB2DDE.AB\" alt=\"\">",
            escaped(line)
        );
    }
}

const WORD_HEAD: &str = "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns:w=\"urn:schemas-microsoft-com:office:word\" xmlns=\"http://www.w3.org/TR/REC-html40\"><head><meta http-equiv=Content-Type content=\"text/html; charset=utf-8\"><meta name=Generator content=\"Microsoft Word 15 (filtered medium)\"><style><!--\r\n/* Font Definitions */\r\n@font-face\r\n\t{font-family:\"Cambria Math\";\r\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}\r\n@font-face\r\n\t{font-family:Calibri;\r\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}\r\n@font-face\r\n\t{font-family:Aptos;}\r\n/* Style Definitions */\r\np.MsoNormal, li.MsoNormal, div.MsoNormal\r\n\t{margin:0cm;\r\n\tfont-size:11.0pt;\r\n\tfont-family:\"Calibri\",sans-serif;\r\n\tmso-fareast-language:EN-US;}\r\na:link, span.MsoHyperlink\r\n\t{mso-style-priority:99;\r\n\tcolor:#0563C1;\r\n\ttext-decoration:underline;}\r\nspan.EmailStyle18\r\n\t{mso-style-type:personal-compose;\r\n\tfont-family:\"Calibri\",sans-serif;\r\n\tcolor:windowtext;}\r\n.MsoChpDefault\r\n\t{mso-style-type:export-only;\r\n\tfont-family:\"Calibri\",sans-serif;}\r\n@page WordSection1\r\n\t{size:612.0pt 792.0pt;\r\n\tmargin:72.0pt 72.0pt 72.0pt 72.0pt;}\r\ndiv.WordSection1\r\n\t{page:WordSection1;}\r\n--></style><!--[if gte mso 9]><xml>\r\n<o:shapedefaults v:ext=\"edit\" spidmax=\"1026\" />\r\n</xml><![endif]--></head><body lang=EN-GB link=\"#0563C1\" vlink=\"#954F72\" style='word-wrap:break-word'><div class=WordSection1>\r\n";

fn letters(dice: &mut Dice, count: usize) -> String {
    const OF: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..count).map(|_| OF[dice.below(OF.len())] as char).collect()
}

fn base64(bytes: &[u8]) -> String {
    const OF: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 28);
    for (at, three) in bytes.chunks(3).enumerate() {
        if at > 0 && at % 19 == 0 {
            out.push_str("\r\n");
        }
        let held =
            three.iter().fold(0u32, |held, byte| held << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = OF[(held >> (18 - 6 * place)) as usize & 63] as char;
            out.push(if place > three.len() { '=' } else { letter });
        }
    }
    out
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::new();
    for line in text.split('\n') {
        let mut length = 0;
        for byte in line.trim_end_matches('\r').bytes() {
            if length >= 73 {
                out.push_str("=\r\n");
                length = 0;
            }
            if matches!(byte, b' '..=b'~' | b'\t') && byte != b'=' {
                out.push(byte as char);
                length += 1;
            } else {
                let _ = write!(out, "={byte:02X}");
                length += 3;
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// The demo's inbox and the labelled emails, in order: short, and each with something to decide.
#[allow(dead_code)] // Not every benchmark measures them.
pub fn fixtures() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![root.join("inbox"), root.join("labelled")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|end| end == "eml" || end == "council") => {
                    files.push(path)
                }
                _ => {}
            }
        }
    }
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// How many bytes all of these have.
#[allow(dead_code)] // As above.
pub fn bytes(corpus: &[Vec<u8>]) -> usize {
    corpus.iter().map(Vec::len).sum()
}
