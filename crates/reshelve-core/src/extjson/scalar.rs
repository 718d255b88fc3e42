//! The small texts inside Extended JSON: integers, hexadecimal digits, base64.

use crate::raw::hex_pair;

/// Appends an integer in decimal.
pub(super) fn push_integer(out: &mut Vec<u8>, number: i64) {
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&buffer[at..]);
}

/// An integer in decimal: an optional minus and digits, nothing else.
pub(super) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Counted downwards, so that the smallest number fits too.
    let mut number = 0i64;
    for digit in digits {
        number = number.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(number) } else { number.checked_neg() }
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Exactly `N` bytes from twice as many hexadecimal digits.
pub(super) fn parse_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

/// A UUID in its usual form, or as bare digits, which PyMongo wrote.
pub(super) fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return parse_hex(text);
    }
    if [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'-').collect();
    parse_hex(&digits)
}

/// A control character as a JSON escape of six bytes.
pub(super) fn escape_control(byte: u8) -> [u8; 6] {
    let [high, low] = hex_pair(byte);
    [b'\\', b'u', b'0', b'0', high, low]
}

/// The digits of base64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a byte stands for in base64; 255 for none.
static BASE64_VALUE: [u8; 256] = {
    let mut table = [255u8; 256];
    let mut value = 0u8;
    let mut at = 0;
    while at < BASE64.len() {
        let [index] = [BASE64[at]];
        // A const context has no conversions but this one; it widens.
        table[index as usize] = value;
        value += 1;
        at += 1;
    }
    table
};

/// Appends bytes in base64, padded.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| chunk.get(at).copied().unwrap_or(0));
        let digits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        let text = digits.map(|digit| BASE64[usize::from(digit)]);
        out.extend_from_slice(&text[..=chunk.len()]);
        out.extend_from_slice(&b"=="[..3 - chunk.len()]);
    }
}

/// Appends the bytes that a padded base64 text stands for. On `None`, the caller drops what was
/// appended.
pub(super) fn parse_base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let Some((whole, last)) = text.split_last_chunk::<4>() else {
        return Some(());
    };
    out.reserve(text.len() / 4 * 3);
    for quad in whole.as_chunks::<4>().0 {
        out.extend_from_slice(&base64_quad(*quad)?);
    }
    let pads = if last[2] == b'=' { 2 } else { usize::from(last[3] == b'=') };
    if pads == 2 && last[3] != b'=' {
        return None;
    }
    let mut filled: [u8; 4] = *last;
    filled[4 - pads..].fill(b'A');
    let bytes = base64_quad(filled)?;
    // Bits after the last byte must be zero: otherwise the text is not what was written.
    if bytes[3 - pads..].iter().any(|&byte| byte != 0) {
        return None;
    }
    out.extend_from_slice(&bytes[..3 - pads]);
    Some(())
}

fn base64_quad(quad: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = quad.map(|byte| BASE64_VALUE[usize::from(byte)]);
    if (a | b | c | d) & 0xC0 != 0 {
        return None;
    }
    Some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for number in [0, 1, -1, 10, i64::MAX, i64::MIN, 1_000_000_007] {
            let mut out = Vec::new();
            push_integer(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
            assert_eq!(parse_integer(&out), Some(number));
        }
        for text in ["", "-", "+1", "1 ", "9223372036854775808", "-9223372036854775809", "1.0"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn base64_there_and_back() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("//8=", &[0xFF, 0xFF]),
        ] {
            let mut out = Vec::new();
            push_base64(&mut out, bytes);
            assert_eq!(out, text.as_bytes());
            let mut back = Vec::new();
            assert_eq!(parse_base64(text.as_bytes(), &mut back), Some(()));
            assert_eq!(back, bytes);
        }
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm=v", "Z g=", "-_8="] {
            assert_eq!(parse_base64(text.as_bytes(), &mut Vec::new()), None, "{text}");
        }
    }

    #[test]
    fn uuids() {
        let bytes = parse_uuid(b"c8edabc3-f738-4ca3-b68d-ab92a91478a3");
        assert!(bytes.is_some());
        assert_eq!(bytes, parse_uuid(b"C8EDABC3F7384CA3B68DAB92A91478A3"));
        assert_eq!(parse_uuid(b"c8edabc3-f738-4ca3-b68d-ab92a91478a"), None);
        assert_eq!(parse_uuid(b"c8edabc-3f738-4ca3-b68d-ab92a91478a3"), None);
    }
}
