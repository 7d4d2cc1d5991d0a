//! Text written as format=flowed (RFC 3676): soft line breaks joined, space-stuffing undone, quotes kept apart.

/// Joins the soft-broken lines of `text`; `del_sp` is the parameter DelSp=yes. Quoted lines come out as `> ...`.
pub(super) fn unflow(text: &str, del_sp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The depth of the paragraph that is still open, if the last line ended softly.
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let rest = line.get(depth..).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        // Section 4.3: the signature line is never soft.
        let soft = rest.ends_with(' ') && rest != "-- ";
        let goes_on = open == Some(depth) && rest != "-- ";
        if !goes_on {
            if !out.is_empty() || open.is_some() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        out.push_str(if soft && del_sp { rest.strip_suffix(' ').unwrap_or(rest) } else { rest });
        open = Some(if soft { depth } else { usize::MAX });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_breaks_are_joined_hard_ones_kept() {
        assert_eq!(
            unflow("He has been \r\nat home \r\nsince June.\r\n\r\nAmy", false),
            "He has been at home since June.\n\nAmy"
        );
    }

    #[test]
    fn delsp_takes_the_space_away() {
        assert_eq!(unflow("ex \ncluded", true), "excluded");
    }

    #[test]
    fn quotes_are_joined_only_with_their_own_depth() {
        assert_eq!(unflow("> one \n> two\nthree \n>> four", false), "> one two\nthree \n>> four");
    }

    #[test]
    fn stuffing_is_undone_and_the_signature_line_is_hard() {
        assert_eq!(unflow(" From here\n >not a quote\n-- \nAmy", false), "From here\n>not a quote\n-- \nAmy");
    }
}
