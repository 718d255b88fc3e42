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
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = first_escaped(rest) {
        let (clean, from) = rest.split_at(at);
        out.extend_from_slice(clean);
        let Some((byte, after)) = from.split_first() else { return };
        push_escape(out, *byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// How many bytes are looked at together: enough for a compiler to use wide registers.
const CHUNK_BYTES: usize = 32;

/// The position of the first byte that cannot stand in a JSON string as it is.
#[inline]
fn first_escaped(text: &[u8]) -> Option<usize> {
    let (chunks, rest) = text.as_chunks::<CHUNK_BYTES>();
    for (number, chunk) in chunks.iter().enumerate() {
        let found = chunk.iter().fold(false, |found, byte| found | is_escaped(*byte));
        if found {
            let at = chunk.iter().position(|byte| is_escaped(*byte))?;
            return Some(number * CHUNK_BYTES + at);
        }
    }
    let at = rest.iter().position(|byte| is_escaped(*byte))?;
    Some(chunks.len() * CHUNK_BYTES + at)
}

#[inline]
const fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
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
