//! Text in quotes, escaped the way the Go driver and so `mongoexport` escape it.

use super::scalar::escape_control;

/// Appends text in quotes. Line and paragraph separators (U+2028 and U+2029), which JavaScript once
/// took for line ends, are escaped too.
pub(super) fn push(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if text.len() < 32 && text.is_ascii() || simdutf8::basic::from_utf8(text).is_ok() {
        push_escaped(out, text);
    } else {
        push_escaped(out, String::from_utf8_lossy(text).as_bytes());
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut copied = 0;
    let mut at = 0;
    while let Some(step) = text[at..].iter().position(|&byte| SPECIAL[usize::from(byte)]) {
        at += step;
        let byte = text[at];
        let mut width = 1;
        let separator;
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0C => b"\\f",
            0xE2 => match text.get(at + 1..at + 3) {
                Some([0x80, last @ (0xA8 | 0xA9)]) => {
                    width = 3;
                    if *last == 0xA8 { b"\\u2028" } else { b"\\u2029" }
                }
                _ => {
                    at += 1;
                    continue;
                }
            },
            _ => {
                separator = escape_control(byte);
                &separator
            }
        };
        out.extend_from_slice(&text[copied..at]);
        out.extend_from_slice(escape);
        at += width;
        copied = at;
    }
    out.extend_from_slice(&text[copied..]);
}

/// Bytes that may need an escape.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[0x22] = true;
    table[0x5C] = true;
    table[0xE2] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_the_driver_does() {
        let mut out = Vec::new();
        push(&mut out, "a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{2028}“\u{2029}é<&>/\0".as_bytes());
        let expected = "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}\\u2028“\\u2029é<&>/\\u0000\"";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
