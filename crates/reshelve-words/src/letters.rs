//! Which characters beyond ASCII are letters, and which have a lower case: a bit for each of the
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_what_the_standard_library_says() {
        for letter in (0..0x2_0000).filter_map(char::from_u32) {
            assert_eq!(is_alphanumeric(letter), letter.is_alphanumeric(), "{letter:?}");
            assert_eq!(has_lower(letter), differs_in_lower_case(letter), "{letter:?}");
        }
    }
}
