//! Doubles as text, the way the Go driver and so `mongoexport` write them.

use std::fmt::Write;

use super::scalar::push_integer;

/// A few bytes of text, without an allocation.
#[derive(Default)]
struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Appends the shortest digits that read back as the same number, in the layout of Go's `%G`; the
/// driver adds `.0` where that has neither point nor exponent.
pub(super) fn push_double(out: &mut Vec<u8>, number: f64) {
    let mut buffer = ShortText::default();
    // 17 digits, a sign, a point and an exponent fit: the write cannot fail.
    if write!(buffer, "{number:e}").is_err() {
        return;
    }
    let text = &buffer.bytes[..buffer.length];
    let (sign, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let e = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    let exponent = text
        .get(e + 1..)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .unwrap_or(0i64);
    let mut digits = Vec::with_capacity(20);
    digits.extend(text[..e].iter().filter(|byte| byte.is_ascii_digit()));
    if sign {
        out.push(b'-');
    }
    if (-4..6).contains(&exponent) {
        return positional(out, &mut digits, exponent);
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"E-" } else { b"E+" });
    if exponent.abs() < 10 {
        out.push(b'0');
    }
    push_integer(out, exponent.abs());
}

/// Digits without an exponent; `exponent` is that of the first digit, -4 to 5.
fn positional(out: &mut Vec<u8>, digits: &mut Vec<u8>, exponent: i64) {
    let Ok(before) = usize::try_from(exponent + 1) else {
        out.extend_from_slice(b"0.");
        (exponent + 1..0).for_each(|_| out.push(b'0'));
        return out.extend_from_slice(digits);
    };
    if before == 0 {
        out.push(b'0');
    }
    while digits.len() <= before {
        digits.push(b'0');
    }
    out.extend_from_slice(&digits[..before]);
    out.push(b'.');
    out.extend_from_slice(&digits[before..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double_text(number: f64) -> String {
        let mut out = Vec::new();
        push_double(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_look_as_go_writes_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (123_456.0, "123456.0"),
            (1_234_567.0, "1.234567E+06"),
            (1e20, "1E+20"),
            (1e100, "1E+100"),
            (0.5, "0.5"),
            (0.012, "0.012"),
            (0.00012, "0.00012"),
            (0.000012, "1.2E-05"),
            (100_000.0, "100000.0"),
            (1_000_000.0, "1E+06"),
            (5e-324, "5E-324"),
            (f64::MAX, "1.7976931348623157E+308"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(double_text(number), text);
        }
    }
}
