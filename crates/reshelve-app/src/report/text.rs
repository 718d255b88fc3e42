//! Text that other people wrote, made fit to be shown: it may be anything.

pub(super) use crate::text::decimal;

/// How many characters of a value are shown.
const SHOWN_CHARS_MAX: usize = 160;

/// Text with what cannot be seen, or would change how its neighbours are seen, made visible; and
/// cut if it is long.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    for c in chars.by_ref().take(SHOWN_CHARS_MAX) {
        if is_hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// An ObjectId in Extended JSON as its hex digits, as ids are shown everywhere else; any other text
/// as it is.
pub(super) fn plain_id(text: &str) -> &str {
    let digits = text.strip_prefix("{\"$oid\":\"").and_then(|rest| rest.strip_suffix("\"}"));
    digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit())).unwrap_or(text)
}

/// Control characters, and those that turn the direction of text or have no width of their own.
/// The joiners of scripts and emoji stay.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_and_nothing_is_endless() {
        assert_eq!(shown("a\u{202e}b\nc\u{0}"), "a\\u{202e}b\\u{a}c\\u{0}");
        assert_eq!(shown("שלום 👩‍🚀"), "שלום 👩‍🚀");
        assert_eq!(shown(&"x".repeat(1_000)).chars().count(), SHOWN_CHARS_MAX + 1);
    }

    #[test]
    fn an_object_id_is_its_digits() {
        assert_eq!(plain_id("{\"$oid\":\"687f22696249a18dd8533d4a\"}"), "687f22696249a18dd8533d4a");
        for other in ["{\"$oid\":\"x\"}", "{\"$oid\":\"", "5", ""] {
            assert_eq!(plain_id(other), other);
        }
    }
}
