//! What two values have in common, and what not.

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether the other value has it too.
    pub(super) is_common: bool,
}

/// Both values in pieces. They are as long as a value that is shown, so this is bounded.
pub(super) fn pieces(expected: &str, found: &str) -> [Vec<Piece>; 2] {
    let (old, new) = (tokens(expected), tokens(found));
    let mut pieces = [Vec::new(), Vec::new()];
    for change in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let is_common = change.tag() == DiffTag::Equal;
        push(&mut pieces[0], &old[change.old_range()], is_common);
        push(&mut pieces[1], &new[change.new_range()], is_common);
    }
    pieces
}

fn push(pieces: &mut Vec<Piece>, tokens: &[&str], is_common: bool) {
    if tokens.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last) if last.is_common == is_common => last.text.push_str(&tokens.concat()),
        _ => pieces.push(Piece { text: tokens.concat(), is_common }),
    }
}

/// Words, and what is between them. Letters of other scripts are not told from their marks, so
/// that nothing is torn apart that is drawn as one.
fn tokens(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(pieces: &[Piece]) -> String {
        let mark = |piece: &Piece| match piece.is_common {
            true => piece.text.clone(),
            false => format!("[{}]", piece.text),
        };
        pieces.iter().map(mark).collect()
    }

    #[test]
    fn what_is_common_stays_plain() {
        let [expected, found] = pieces("{\"$numberInt\":\"5\"}", "{\"$numberInt\":\"17\"}");
        assert_eq!(marked(&expected), "{\"$numberInt\":\"[5]\"}");
        assert_eq!(marked(&found), "{\"$numberInt\":\"[17]\"}");
        let [expected, found] = pieces("the old house", "the house");
        assert_eq!(
            (marked(&expected), marked(&found)),
            ("the [old ]house".into(), "the house".into())
        );
    }

    #[test]
    fn nothing_is_lost_and_letters_keep_their_marks() {
        for (expected, found) in [("", "x"), ("שלום ‏עולם", "שלום"), ("e\u{301}a", "e\u{300}a")]
        {
            let both = pieces(expected, found);
            let whole = both.map(|pieces| pieces.into_iter().map(|it| it.text).collect::<String>());
            assert_eq!(whole, [expected, found]);
        }
        let [expected, _] = pieces("é e\u{301}", "é e\u{300}");
        assert_eq!(marked(&expected), "é [e\u{301}]");
    }
}
