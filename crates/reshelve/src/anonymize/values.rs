//! Values that are neither text nor ids nor dates, where they are not what the table keeps: other
//! ones of the same type and size.

use super::dates::Shift;
use reshelve_core::raw::{DATE_MAX, Value, kind};
use reshelve_words::Draw;

/// How often a number is drawn that turns out to be of another kind.
const TRIES: usize = 32;
/// The subtype whose content begins with a length.
const SUBTYPE_OLD: u8 = 2;

/// Another number of the same type, sign and size: zero stays zero, and what is no number stays
/// none.
pub(super) fn number(value: Value<'_>, draw: &mut Draw) -> Vec<u8> {
    match value.kind {
        kind::INT32 => {
            let number = value.int32().unwrap_or_default();
            let size = same_size(number.unsigned_abs().into(), draw);
            let size = i32::try_from(size).unwrap_or(number.saturating_abs());
            let number = if number == i32::MIN { number } else { size * number.signum() };
            number.to_le_bytes().to_vec()
        }
        kind::INT64 => {
            let number = value.int64().unwrap_or_default();
            let size = same_size(number.unsigned_abs(), draw);
            let size = i64::try_from(size).unwrap_or(number.saturating_abs());
            let number = if number == i64::MIN { number } else { size * number.signum() };
            number.to_le_bytes().to_vec()
        }
        kind::DOUBLE => {
            let number = value.double().unwrap_or_default();
            let drawn = if number.is_finite() && number != 0.0 {
                /// The bits below sign and exponent.
                const FRACTION: u64 = (1 << 52) - 1;
                let fraction = u64::from_le_bytes(draw.bytes()) & FRACTION;
                let bits = (number.to_bits() & !FRACTION) | fraction;
                let drawn = f64::from_bits(bits);
                if number.fract() == 0.0 && drawn.trunc() != 0.0 { drawn.trunc() } else { drawn }
            } else {
                number
            };
            drawn.to_le_bytes().to_vec()
        }
        kind::DECIMAL128 => decimal(value.bytes, draw),
        _ => value.bytes.to_vec(),
    }
}

/// Another number with as many bits.
fn same_size(number: u64, draw: &mut Draw) -> u64 {
    let Some(top) = number.checked_ilog2() else { return 0 };
    let below = (1 << top) - 1;
    (1 << top) | (u64::from_le_bytes(draw.bytes()) & below)
}

/// The lower 64 bits of the coefficient are replaced by as many; sign and exponent stay.
fn decimal(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut drawn = bytes.to_vec();
    if let Some(low) = drawn.first_chunk_mut() {
        *low = same_size(u64::from_le_bytes(*low), draw).to_le_bytes();
    }
    drawn
}

/// A number that may be read as a date: shifted where it is one, else another number that is read
/// alike.
pub(super) fn date_number(value: Value<'_>, shift: Shift, draw: &mut Draw) -> Vec<u8> {
    let shifted = match value.kind {
        kind::INT64 => {
            value.int64().and_then(|number| shift.epoch_ms(number)).map(i64::to_le_bytes)
        }
        kind::DOUBLE => {
            value.double().and_then(|number| shifted_double(number, shift)).map(f64::to_le_bytes)
        }
        _ => None,
    };
    if let Some(shifted) = shifted {
        return shifted.to_vec();
    }
    for _ in 0..TRIES {
        let drawn = number(value, draw);
        if is_date(Value { kind: value.kind, bytes: &drawn }) == is_date(value) {
            return drawn;
        }
    }
    value.bytes.to_vec()
}

fn is_date(value: Value<'_>) -> bool {
    value.numeric().is_some_and(|number| (0.0..=date_max()).contains(&number))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
fn date_max() -> f64 {
    DATE_MAX as f64
}

/// The same for milliseconds with a fraction.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53, as tested")]
fn shifted_double(number: f64, shift: Shift) -> Option<f64> {
    if !(0.0..=date_max()).contains(&number) {
        return None;
    }
    let whole = number as i64;
    shift.epoch_ms(whole).map(|shifted| shifted as f64 + number.fract())
}

/// The content of a binary, of the same length; a length that it states inside stays. The bytes are
/// drawn from those that cannot be part of a letter, so that no word comes about by chance.
pub(super) fn binary(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let states_length = bytes.get(4) == Some(&SUBTYPE_OLD) && bytes.len() >= 9;
    let kept = if states_length { 9 } else { bytes.len().min(5) };
    let mut drawn = bytes[..kept].to_vec();
    drawn.extend((kept..bytes.len()).map(|_| {
        loop {
            let byte = draw.byte();
            let may_lead = matches!(byte, 0xC0..=0xF7);
            if !byte.is_ascii_alphanumeric() && !may_lead {
                break byte;
            }
        }
    }));
    drawn
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    fn draw() -> Draw {
        Key::parse(&"3".repeat(64)).unwrap().draw("test", &[])
    }

    #[test]
    fn numbers_keep_type_sign_and_size() {
        let mut draw = draw();
        for number in [0, 1, -1, 7, -1_000, i32::MAX, i32::MIN] {
            let bytes = number.to_le_bytes();
            let drawn = super::number(Value { kind: kind::INT32, bytes: &bytes }, &mut draw);
            let drawn = i32::from_le_bytes(drawn.try_into().unwrap());
            assert_eq!(drawn.signum(), number.signum());
            assert_eq!(drawn.unsigned_abs().checked_ilog2(), number.unsigned_abs().checked_ilog2());
        }
        for number in [0.0, -0.0, 1.5, -3e9, f64::INFINITY, 5e-324] {
            let bytes = f64::to_le_bytes(number);
            let drawn = super::number(Value { kind: kind::DOUBLE, bytes: &bytes }, &mut draw);
            let drawn = f64::from_le_bytes(drawn.try_into().unwrap());
            assert_eq!(drawn.is_sign_negative(), number.is_sign_negative());
            assert_eq!((drawn == 0.0, drawn.is_finite()), (number == 0.0, number.is_finite()));
            assert!(drawn.to_bits() >> 52 == number.to_bits() >> 52, "{number} {drawn}");
        }
        let phone = 4_917_612_345_678_i64.to_le_bytes();
        assert_ne!(super::number(Value { kind: kind::INT64, bytes: &phone }, &mut draw), phone);
    }

    #[test]
    fn numbers_that_are_dates_are_shifted() {
        let key = Key::parse(&"3".repeat(64)).unwrap();
        let shift = Shift::of_job(&key, b"job", false);
        let at = 1_753_351_500_000.75_f64;
        let drawn =
            date_number(Value { kind: kind::DOUBLE, bytes: &at.to_le_bytes() }, shift, &mut draw());
        let drawn = f64::from_le_bytes(drawn.try_into().unwrap());
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a test")]
        let expected = at + shift.offset_ms() as f64;
        assert_eq!(drawn, expected);
        for odd in [0_i64, -5, 1_753_351_500, 300_000_000_000_000, DATE_MAX, DATE_MAX + 1] {
            let value = odd.to_le_bytes();
            let value = Value { kind: kind::INT64, bytes: &value };
            let drawn = date_number(value, shift, &mut draw());
            assert_eq!(
                is_date(Value { kind: kind::INT64, bytes: &drawn }),
                is_date(value),
                "{odd}"
            );
        }
    }

    #[test]
    fn binaries_keep_length_and_subtype_and_hold_no_word() {
        let content = b"\x0b\0\0\0\x80Mara Quinn.";
        let drawn = binary(content, &mut draw());
        assert_eq!((drawn.len(), &drawn[..5]), (content.len(), &content[..5]));
        assert!(drawn[5..].iter().all(|byte| !byte.is_ascii_alphanumeric()));
        assert!(reshelve_words::words(&drawn[5..]).is_empty());
        let old = b"\x0b\0\0\0\x02\x09\0\0\0Quinns.";
        assert_eq!(binary(old, &mut draw())[..9], old[..9], "a stated length stays");
        assert_eq!(binary(b"\0\0\0\0\0", &mut draw()), b"\0\0\0\0\0");
    }
}
