//! Words as numbers: what is written to a file without a name, or looked up, is this and no word.

use twox_hash::XxHash3_128;

use super::folding::{fold, folded};
use super::words::{Script, Word};

/// A word, folded and hashed. What is written to a file without a name is this, never a word.
pub type WordHash = u128;

/// Words of our own are kept in so many bytes: copies of a fixed length are one instruction.
pub(crate) const KEPT_BYTES: usize = 16;

/// How words are hashed: differently for each seed.
pub(crate) struct Hashing {
    seeds: [u64; 4],
}

impl Hashing {
    pub(crate) fn new(seed: u64) -> Hashing {
        let drawn = |part: u64| half(XxHash3_128::oneshot_with_seed(seed, &part.to_le_bytes()));
        Hashing { seeds: [0, 1, 2, 3].map(drawn) }
    }

    /// The hash of a word, whatever its case.
    pub(crate) fn of(&self, word: &[u8]) -> WordHash {
        if let Some(kept) = kept(word).filter(|_| word.is_ascii()) {
            let (low, high) = halves(&kept);
            return self.of_halves(lower(low), lower(high));
        }
        let mut buffer = [0; 2 * KEPT_BYTES];
        if let Some(lower) = buffer.get_mut(..word.len()) {
            lower.copy_from_slice(word);
            if fold(lower) {
                return self.of_lower(lower);
            }
        }
        self.of_lower(&folded(word))
    }

    /// The hash of a word in lower case.
    fn of_lower(&self, word: &[u8]) -> WordHash {
        let Some(kept) = kept(word) else { return self.of_folded(word) };
        let (low, high) = halves(&kept);
        self.of_halves(low, high)
    }

    /// The hash of a word of at most [`KEPT_BYTES`] in lower case. A word has no null in it, so no
    /// other one is filled up to the same bytes.
    #[inline]
    fn of_halves(&self, low: u64, high: u64) -> WordHash {
        let [one, two, three, four] = self.seeds;
        let first = mixed(low ^ one, high ^ two);
        let second = mixed(low.rotate_left(32) ^ three, high ^ four);
        u128::from(mixed(second ^ one, three)) << 64 | u128::from(mixed(first ^ two, four))
    }

    /// The hash of a word of a text. Most are short and ASCII, and not at the end of their text:
    /// these are hashed from where they stand.
    #[inline(always)]
    pub(crate) fn in_text(&self, text: &[u8], word: &Word) -> WordHash {
        match text.get(word.start..).and_then(<[u8]>::first_chunk) {
            Some(bytes) if word.script != Script::Wide && word.len() <= KEPT_BYTES => {
                let (low, high) = halves(bytes);
                let within = |from: usize| match word.len().saturating_sub(from) {
                    length @ 0..8 => (1 << (8 * length)) - 1,
                    _ => u64::MAX,
                };
                self.of_halves(lower(low & within(0)), lower(high & within(8)))
            }
            _ => self.of(word.of(text)),
        }
    }

    /// The hash of bytes that are in lower case, or have none, and of any length.
    pub(crate) fn of_folded(&self, word: &[u8]) -> WordHash {
        XxHash3_128::oneshot_with_seed(self.seeds[0], word)
    }
}

/// A word filled up with nulls, if it is not too long.
#[inline]
fn kept(word: &[u8]) -> Option<[u8; KEPT_BYTES]> {
    let mut kept = [0; KEPT_BYTES];
    kept.get_mut(..word.len())?.copy_from_slice(word);
    Some(kept)
}

/// A word as two numbers.
#[inline]
fn halves(word: &[u8; KEPT_BYTES]) -> (u64, u64) {
    let [low, high] = [0, 8].map(|at| {
        let part = word[at..].first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(part)
    });
    (low, high)
}

/// Eight bytes of ASCII in lower case.
#[inline]
fn lower(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The addition reaches the top bit of a byte from that letter on; a quarter of it is the bit in
    // which the cases differ.
    let from = |first: u8| bytes + ONES * u64::from(0x80 - first);
    let upper = from(b'A') & !from(b'Z' + 1) & (ONES * 0x80);
    bytes | (upper >> 2)
}

/// The two halves of a product, one upon the other.
#[inline]
fn mixed(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    half(product) ^ half(product >> 64)
}

/// The lower half of a hash, which tables in memory go by.
#[inline]
pub(crate) fn half(hash: WordHash) -> u64 {
    u64::try_from(hash & u128::from(u64::MAX)).unwrap_or(0)
}
