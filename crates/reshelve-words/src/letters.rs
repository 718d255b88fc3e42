//! Characters, and which of those beyond ASCII are letters or have a lower case: a bit for each of the
//! first plane, asked of the standard library once. Its own tables take ten times as long, and all
//! words of most languages need them.

use std::sync::LazyLock;

/// Characters of the first plane.
const FIRST_PLANE: usize = 0x1_0000;

/// A bit for each character of the first plane.
struct Bits(Vec<u64>);

impl Bits {
    fn of(is_set: impl Fn(char) -> bool) -> Bits {
        let mut bits = vec![0; FIRST_PLANE / 64];
        for (at, word) in bits.iter_mut().enumerate() {
            for bit in 0..64 {
                let code = u32::try_from(at * 64 + bit).ok();
                if code.and_then(char::from_u32).is_some_and(&is_set) {
                    *word |= 1 << bit;
                }
            }
        }
        Bits(bits)
    }

    /// The bit of a character of the first plane.
    #[inline]
    fn get(&self, letter: char) -> Option<bool> {
        let code = usize::try_from(u32::from(letter)).ok()?;
        self.0.get(code / 64).map(|word| word & (1 << (code % 64)) != 0)
    }
}

static ALPHANUMERIC: LazyLock<Bits> = LazyLock::new(|| Bits::of(char::is_alphanumeric));
static HAS_LOWER: LazyLock<Bits> = LazyLock::new(|| Bits::of(differs_in_lower_case));

fn differs_in_lower_case(letter: char) -> bool {
    !letter.to_lowercase().eq([letter])
}

/// What kind of character it is, for each of the first plane.
static KINDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let kind = |code: usize| u32::try_from(code).ok().and_then(char::from_u32).map_or(0, kind_of);
    (0..FIRST_PLANE).map(kind).collect()
});

/// Whether it is a letter or digit, a digit, in upper case, in lower case: a bit for each.
fn kind_of(letter: char) -> u8 {
    let bits = [
        letter.is_alphanumeric(),
        letter.is_numeric(),
        letter.is_uppercase(),
        letter.is_lowercase(),
    ];
    bits.iter().fold(0, |kind, bit| kind << 1 | u8::from(*bit))
}

/// Whether two characters are letters or digits alike, of one case.
pub fn is_of_one_kind(one: char, other: char) -> bool {
    let kind = |letter: char| {
        let known = usize::try_from(u32::from(letter)).ok().and_then(|code| KINDS.get(code));
        known.copied().unwrap_or_else(|| kind_of(letter))
    };
    kind(one) == kind(other)
}

/// Whether a character is a letter or a digit.
#[inline]
pub(crate) fn is_alphanumeric(letter: char) -> bool {
    ALPHANUMERIC.get(letter).unwrap_or_else(|| letter.is_alphanumeric())
}

/// Whether a character is another one in lower case.
#[inline]
pub(crate) fn has_lower(letter: char) -> bool {
    HAS_LOWER.get(letter).unwrap_or_else(|| differs_in_lower_case(letter))
}

/// The character that starts there, if one does.
#[inline]
pub fn char_at(text: &[u8], at: usize) -> Option<char> {
    let rest = text.get(at..)?;
    let bits = |byte: &u8| u32::from(*byte & 0x3F);
    let code = match rest {
        [first @ 0..=0x7F, ..] => return Some(char::from(*first)),
        [first @ 0xC2..=0xDF, second @ 0x80..=0xBF, ..] => {
            u32::from(*first & 0x1F) << 6 | bits(second)
        }
        [first @ 0xE0..=0xEF, second @ 0x80..=0xBF, third @ 0x80..=0xBF, ..] => {
            let code = u32::from(*first & 0x0F) << 12 | bits(second) << 6 | bits(third);
            // Shorter characters can be written in three bytes, too: those are not UTF-8.
            if code < 0x800 {
                return None;
            }
            code
        }
        [
            first @ 0xF0..=0xF4,
            second @ 0x80..=0xBF,
            third @ 0x80..=0xBF,
            fourth @ 0x80..=0xBF,
            ..,
        ] => {
            let upper = u32::from(*first & 0x07) << 18 | bits(second) << 12;
            let code = upper | bits(third) << 6 | bits(fourth);
            if code < 0x1_0000 {
                return None;
            }
            code
        }
        _ => return None,
    };
    // Halves of a pair, and what is beyond the last character, are none.
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_what_the_standard_library_says() {
        for letter in (0..0x2_0000).filter_map(char::from_u32) {
            assert_eq!(is_alphanumeric(letter), letter.is_alphanumeric(), "{letter:?}");
            assert_eq!(has_lower(letter), differs_in_lower_case(letter), "{letter:?}");
            for other in ['a', 'Z', '5', '½', 'ª', '東', ' '] {
                let is_alike = letter.is_alphanumeric() == other.is_alphanumeric()
                    && letter.is_numeric() == other.is_numeric()
                    && letter.is_uppercase() == other.is_uppercase()
                    && letter.is_lowercase() == other.is_lowercase();
                assert_eq!(is_of_one_kind(letter, other), is_alike, "{letter:?} {other:?}");
            }
        }
    }

    #[test]
    fn characters_are_those_of_the_standard_library() {
        for text in ["é", "東", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", "\u{7FF}", "\u{800}", "x"]
        {
            assert_eq!(char_at(text.as_bytes(), 0), text.chars().next());
        }
        for odd in [
            &b"\xC0\x80"[..],
            b"\xC1\xBF",
            b"\xE0\x80\x80",
            b"\xE0\x9F\xBF",
            b"\xED\xA0\x80",
            b"\xF0\x8F\xBF\xBF",
            b"\xF4\x90\x80\x80",
            b"\xF5\x80\x80\x80",
            b"\x80",
            b"\xE2\x82",
        ] {
            assert!(std::str::from_utf8(odd).is_err());
            assert_eq!(char_at(odd, 0), None, "{odd:x?}");
        }
    }
}
