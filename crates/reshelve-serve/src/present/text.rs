//! Text as `JSON.stringify` writes it, and the other forms of text that values become.

use reshelve_core::raw::push_hex;

/// Appends a JSON string. The text is UTF-8.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Appends what stands between the quotes of a JSON string: everything but quotes, backslashes
/// and control characters as it is.
///
/// Nearly all bytes of an answer pass here: eight are looked at together in a register, and what
/// lies between two escapes is copied in one piece.
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut copied = 0;
    let mut escape = |at: usize| {
        out.extend_from_slice(&text[copied..at]);
        push_escape(out, text[at]);
        copied = at + 1;
    };
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let mut bits = escaped_bytes(u64::from_le_bytes(*word));
        while bits != 0 {
            escape(number * 8 + usize::try_from(bits.trailing_zeros() / 8).unwrap_or(0));
            bits &= bits - 1;
        }
    }
    for (at, byte) in rest.iter().enumerate() {
        if *byte < 0x20 || matches!(byte, b'"' | b'\\') {
            escape(words.len() * 8 + at);
        }
    }
    out.extend_from_slice(&text[copied..]);
}

/// The highest bit of each of eight bytes that must be escaped.
#[inline]
fn escaped_bytes(word: u64) -> u64 {
    /// The lowest bit of each byte.
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const LOW_SEVEN: u64 = LOW_BITS * 0x7F;
    // A byte is 0 where none of its bits is set, and none of the lower seven carries into the
    // highest one when 127 is added.
    let not_zero = |word: u64| ((word & LOW_SEVEN) + LOW_SEVEN) | word;
    let quotes = not_zero(word ^ (LOW_BITS * 0x22));
    let backslashes = not_zero(word ^ (LOW_BITS * 0x5C));
    let controls = not_zero(word & (LOW_BITS * 0xE0));
    !(quotes & backslashes & controls) & (LOW_BITS * 0x80)
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            return push_hex(out, &[byte]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// The digits of base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes in base64, padded.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |bits: u32| DIGITS[usize::from(bits.to_le_bytes()[0] & 63)];
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let mut quad = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
        quad[group.len() + 1..].fill(b'=');
        out.extend_from_slice(&quad);
    }
}

/// Appends the 16 bytes of a UUID in its usual form.
pub(super) fn push_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        push_hex(out, &[*byte]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_quotes_backslashes_and_controls_are_escaped() {
        assert_eq!(json("\u{8}\t\n\u{c}\r\"\\"), r#""\b\t\n\f\r\"\\""#);
        assert_eq!(json("\0\u{1}\u{b}\u{1f}\u{1b}"), r#""\u0000\u0001\u000b\u001f\u001b""#);
        assert_eq!(
            json("/é日😀\u{7f}\u{2028}\u{2029}\u{feff}"),
            "\"/é日😀\u{7f}\u{2028}\u{2029}\u{feff}\""
        );
        assert_eq!(json(""), "\"\"");
    }

    #[test]
    fn escapes_are_found_at_every_place() {
        for length in 0..100 {
            for at in 0..length {
                for byte in ['"', '\\', '\n', '\u{1f}'] {
                    let mut letters: Vec<char> = "é ".chars().cycle().take(length).collect();
                    letters[at] = byte;
                    let text: String = letters.iter().collect();
                    assert_eq!(json(&text), serde_json::to_string(&text).unwrap());
                }
            }
        }
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
            (&[0xFB, 0xFF, 0xFE], "+//+"),
        ] {
            let mut out = Vec::new();
            push_base64(&mut out, bytes);
            assert_eq!(out, expected.as_bytes());
        }
    }

    #[test]
    fn a_uuid_has_its_hyphens() {
        let mut out = Vec::new();
        let bytes: Vec<u8> = (0..16).collect();
        push_uuid(&mut out, &bytes);
        assert_eq!(out, b"00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
