//! Where an older message begins, as mail clients write it: header blocks, dividers, and "On ..., X wrote:".
//!
//! English first, then the languages in which parents and schools here have been seen to run their mail programs.
//! Every function looks at a bounded number of lines from where it stands.

use super::lines::Line;
use crate::message::text::head;

/// Longer lines are looked at only so far: no header or attribution is longer.
const LINE_LOOKED_AT: usize = 400;

fn lower(text: &str) -> String {
    head(text.trim(), LINE_LOOKED_AT).to_lowercase()
}

/// What a divider announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Divider {
    Original,
    Forwarded,
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, `Begin forwarded message:` and the like.
pub(super) fn divider(text: &str) -> Option<Divider> {
    let text = text.trim().trim_start_matches(['>', ' ']);
    let ruled = text.starts_with("--") || text.starts_with("==") || text.starts_with("__");
    let first = text.chars().next()?;
    let may_be = ruled || "bBsSaA*".contains(first) && may_announce(text);
    if !may_be {
        return None;
    }
    let words = lower(text);
    let words = words.trim_matches(|c: char| "-=_*: ".contains(c));
    if !ruled {
        return matches!(
            words,
            "begin forwarded message"
                | "start of forwarded message"
                | "anfang der weitergeleiteten nachricht"
        )
        .then_some(Divider::Forwarded);
    }
    match words {
        "original message"
        | "original appointment"
        | "original e-mail"
        | "original email"
        | "reply message"
        | "original"
        | "ursprüngliche nachricht"
        | "originalnachricht"
        | "message d'origine"
        | "message d’origine"
        | "message original"
        | "mensaje original"
        | "mensagem original"
        | "messaggio originale"
        | "wiadomość oryginalna"
        | "oryginalna wiadomość"
        | "oorspronkelijk bericht"
        | "ursprungligt meddelande"
        | "oprindelig meddelelse"
        | "mesaj original"
        | "mesajul original"
        | "eredeti üzenet" => Some(Divider::Original),
        "forwarded message"
        | "forwarded by"
        | "forwarded email"
        | "weitergeleitete nachricht"
        | "message transféré"
        | "mensaje reenviado"
        | "mensagem encaminhada"
        | "messaggio inoltrato"
        | "wiadomość przekazana dalej"
        | "przekazana wiadomość"
        | "doorgestuurd bericht"
        | "mesaj redirecționat" => Some(Divider::Forwarded),
        words if words.starts_with("forwarded message from") => Some(Divider::Forwarded),
        _ => None,
    }
}

/// What the first letters of a line already rule out: see the three that `divider` knows without a rule around them.
fn may_announce(text: &str) -> bool {
    let words = text.trim_start_matches(|c: char| "-=_*: ".contains(c));
    words.as_bytes().first_chunk::<3>().is_some_and(|letters| {
        matches!(&letters.map(|letter| letter.to_ascii_lowercase()), b"beg" | b"sta" | b"anf")
    })
}

/// A line of underscores, as Outlook draws above a header block (and Teams above an invitation).
pub(super) fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 10 && text.chars().all(|c| matches!(c, '_' | '-' | '=' | '\u{2500}' | '\u{2014}'))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    From,
    Date,
    To,
    Cc,
    Subject,
    Other,
}

fn field(text: &str) -> Option<(Field, bool)> {
    let text = text.trim().trim_start_matches(['>', ' ', '*', '_']);
    // The longest name is "Date d'envoi"; anything further along is prose with a colon in it.
    let colon = head(text, 40).find(':')?;
    let name = lower(text.get(..colon)?);
    let has_value = !text.get(colon + 1..).unwrap_or_default().trim().trim_matches('*').is_empty();
    let field = match name.trim_matches(['*', ' ', '_', '\u{A0}']) {
        "from" | "de" | "von" | "da" | "od" | "van" | "fra" | "från" | "expéditeur" | "от" | "feladó"
        | "de la" | "oddi wrth" | "від" | "gan" => Field::From,
        "sent"
        | "date"
        | "envoyé"
        | "envoyé le"
        | "date d'envoi"
        | "gesendet"
        | "datum"
        | "enviado"
        | "enviado el"
        | "enviada em"
        | "fecha"
        | "data"
        | "inviato"
        | "wysłano"
        | "verzonden"
        | "sendt"
        | "skickat"
        | "trimis"
        | "sent on"
        | "when"
        | "дата"
        | "elküldve"
        | "dato"
        | "anfonwyd"
        | "надіслано"
        | "отправлено"
        | "dyddiad" => Field::Date,
        "to" | "à" | "an" | "para" | "a" | "do" | "aan" | "til" | "till" | "către" | "catre" | "кому"
        | "címzett" | "at" => Field::To,
        "cc" | "bcc" | "copie" | "kopia" | "kopie" | "dw" | "udw" | "copi" | "reply-to" => Field::Cc,
        "subject" | "objet" | "sujet" | "betreff" | "asunto" | "oggetto" | "assunto" | "temat"
        | "onderwerp" | "emne" | "ämne" | "subiect" | "тема" | "tárgy" | "pwnc" | "testun" => {
            Field::Subject
        }
        "importance" | "attachments" | "sensitivity" | "mailed-by" | "signed-by" | "pièces jointes"
        | "anlagen" | "resent-from" | "organization" | "where" | "required" | "optional" => Field::Other,
        _ => return None,
    };
    Some((field, has_value))
}

/// The end of a header block that begins at `at`: the line after its last field. `sure` says that something else, such
/// as a divider, announces it, so that less will do.
pub(super) fn header_block(lines: &[Line], at: usize, sure: bool) -> Option<usize> {
    let first = lines.get(at)?;
    let (first_field, _) = field(&first.text)?;
    if first_field != Field::From && !sure {
        return None;
    }
    let quoted = first.is_quoted();
    let (mut from, mut date, mut to, mut subject) = (false, false, false, false);
    let mut end = at;
    let mut blanks = 0;
    let mut wrapped = 0;
    for (offset, line) in lines.iter().skip(at).take(24).enumerate() {
        if line.is_quoted() != quoted && !line.is_blank() {
            break;
        }
        if line.is_blank() || (quoted && line.unquoted().trim().is_empty()) {
            blanks += 1;
            // HTML paragraphs leave one blank line between fields; two end any block.
            if blanks > 1 || subject && (date || to) {
                break;
            }
            continue;
        }
        match field(&line.text) {
            Some((found, _)) => {
                let mut ignored = false;
                let seen = match found {
                    Field::From => &mut from,
                    Field::Date => &mut date,
                    Field::To => &mut to,
                    Field::Subject => &mut subject,
                    Field::Cc | Field::Other => &mut ignored,
                };
                // A second From or Subject belongs to a message inside this one.
                if *seen && found != Field::To {
                    break;
                }
                *seen = true;
                end = at + offset + 1;
                blanks = 0;
                wrapped = 0;
            }
            None => {
                // A long To list goes on for a few lines; after a blank line it is the message that begins.
                wrapped += 1;
                let all_seen = from && subject && (date || to);
                if blanks > 0 || wrapped > 4 || all_seen && !line.text.starts_with([' ', '\t']) {
                    break;
                }
            }
        }
    }
    let kinds = [from, date, to, subject].iter().filter(|seen| **seen).count();
    let enough = if sure { kinds >= 2 || from } else { from && kinds >= 3 };
    enough.then_some(end)
}

/// How a line such as "On Mon, 3 Nov 2026 at 10:02, Amy <amy@post.example> wrote:" was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribution {
    /// How many lines it takes.
    pub lines: usize,
    /// So much like one that what follows needs no quotation marks to be believed.
    pub sure: bool,
}

/// The attribution that begins at `at`, over at most four lines.
pub(super) fn attribution(lines: &[Line], at: usize) -> Option<Attribution> {
    let first = lines.get(at)?;
    if first.is_quoted() {
        return None;
    }
    let opening = first.text.trim_start();
    let word = opening.split([' ', '\u{A0}']).next().unwrap_or_default().trim_start_matches('*');
    let opener = matches!(
        word,
        "On" | "Le"
            | "Am"
            | "El"
            | "W"
            | "Il"
            | "Em"
            | "Op"
            | "Den"
            | "Dnia"
            | "La"
            | "Pe"
            | "Em:"
            | "On:"
            | "În"
            | "A"
            | "Dne"
            | "Dana"
            | "Mnamo"
            | "At"
            | "In"
            | "Από"
            | "Στις"
            | "V"
            | "Ar"
    );
    let dated = word.starts_with(|c: char| c.is_ascii_digit());
    let closes_here =
        head(opening, LINE_LOOKED_AT).len() == opening.len() && opening.trim_end().ends_with(':');
    if !(opener || dated || first.attribution || closes_here && opening.contains('@')) {
        return None;
    }
    if opener && runs_on(opening) {
        return Some(Attribution { lines: 1, sure: true });
    }
    let mut joined = String::new();
    for (count, line) in lines.iter().skip(at).take(4).enumerate() {
        if line.is_blank() || line.is_quoted() || joined.len() > LINE_LOOKED_AT {
            return None;
        }
        joined.push(' ');
        joined.push_str(head(line.text.trim(), LINE_LOOKED_AT + 1));
        let text = joined.trim_end().trim_end_matches('*');
        if !text.ends_with([':', '：']) {
            continue;
        }
        let text = text.to_lowercase();
        let says = SAYS.iter().any(|verb| text.contains(verb));
        let digits = text.bytes().any(|b| b.is_ascii_digit());
        // Old Gmail: "2026-10-08 9:31 GMT+01:00 Amy <amy@post.example>:"
        let bare = dated && text.contains('@') && has_time(&text);
        if !(says && (digits || text.contains('@')) || bare) {
            return None;
        }
        let sure = text.contains('@') || has_time(&text) || first.attribution;
        return Some(Attribution { lines: count + 1, sure });
    }
    None
}

/// Yahoo's telephones put the quotation on the same line: "On Tue, 3 Nov 2026 at 10:14, Amy<a@b> wrote:   Dear ...".
fn runs_on(line: &str) -> bool {
    let line = head(line, LINE_LOOKED_AT);
    line.find(" wrote: ").and_then(|at| line.get(..at)).is_some_and(|front| {
        front.len() < 200 && has_time(front) && front.trim_end().ends_with('>') && front.contains('@')
    })
}

const SAYS: &[&str] = &[
    "wrote:",
    "writes:",
    "a écrit",
    "schrieb",
    "escribió",
    "ha scritto",
    "escreveu",
    "schreef",
    "skrev",
    "napisał",
    "pisze:",
    "a scris",
    "написал",
    "пишет",
    "пише:",
    "írta:",
    "έγραψε",
    "rašė:",
    "rakstīja",
    "napsal",
    "yazdı",
    "ysgrifennodd",
    "wedi ysgrifennu",
];

/// A time of day, as 10:02 or 10h02. With a full stop it could as well be a date.
fn has_time(text: &str) -> bool {
    text.as_bytes().windows(4).any(|window| {
        matches!(window, [a, b':' | b'h', b, c] if [a, b, c].iter().all(|digit| digit.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::lines::of_text;
    use super::*;

    fn attributed(text: &str) -> Option<(usize, bool)> {
        attribution(&of_text(text), 0).map(|found| (found.lines, found.sure))
    }

    #[test]
    fn attributions_of_many_clients() {
        for text in [
            "On Thu, 8 Oct 2026 at 09:31, SEND <send@hertfordshire.example> wrote:",
            "On 17 Feb 2027, at 03:12, Nadine Foley <n@inbox.example> wrote:",
            "On 08/10/2026 09:31, SEND Team wrote:",
            "On Thursday, 8 October 2026 at 09:31:22 BST, SEND <s@h.example> wrote: ",
            "Le jeu. 8 oct. 2026 à 09:31, SEND <s@h.example> a écrit :",
            "Am 08.10.2026 um 09:31 schrieb SEND <s@h.example>:",
            "El jue, 8 oct 2026 a las 9:31, SEND (<s@h.example>) escribió:",
            "W dniu 8.10.2026 o 09:31, SEND pisze:",
            "czw., 8 paź 2026 o 09:31 SEND <s@h.example> napisał(a):",
            "2026-10-08 9:31 GMT+01:00 SEND <s@h.example>:",
        ] {
            assert_eq!(attributed(text), Some((1, true)), "{text}");
        }
        assert_eq!(
            attributed("On Thu, 8 Oct 2026 at 09:31, SEND Annual Review\n<s@h.example>\nwrote:"),
            Some((3, true))
        );
    }

    #[test]
    fn a_story_is_not_an_attribution() {
        assert_eq!(attributed("On Monday the head wrote to say he cannot stay."), None);
        assert_eq!(attributed("On 12 March 2026 the school wrote:"), Some((1, false)));
        assert_eq!(attributed("On the bus he is fine.\nThe driver wrote:\nnothing"), None);
    }

    #[test]
    fn header_blocks() {
        let block = |text: &str| header_block(&of_text(text), 0, false);
        assert_eq!(block("From: A\nSent: 1 May 2026 10:00\nTo: B\nSubject: C\n\nHello"), Some(4));
        assert_eq!(block("*From:* A\n*Date:* 1 May\n*To:* B\n*Cc:* D\n*Subject:* C\nHello"), Some(5));
        assert_eq!(block("Von: A\nGesendet: Freitag\nAn: B\nBetreff: C\n\nHallo"), Some(4));
        assert_eq!(block("From: A\n\nSent: 1 May\n\nTo: B;\n c; d\n\nSubject: C\n\nHello"), Some(8));
        assert_eq!(block("From: 3 March\nhe will be at home"), None);
        assert_eq!(block("To: all\nSubject: x\nDate: y"), None);
    }

    #[test]
    fn dividers() {
        assert_eq!(divider("-----Original Message-----"), Some(Divider::Original));
        assert_eq!(divider("---------- Forwarded message ---------"), Some(Divider::Forwarded));
        assert_eq!(divider("Begin forwarded message:"), Some(Divider::Forwarded));
        assert_eq!(divider("------ This is a copy of the message, including all the headers. ------"), None);
        assert_eq!(divider("Original message"), None);
    }
}
