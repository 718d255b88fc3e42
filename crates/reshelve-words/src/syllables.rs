//! Words of our own: made up of syllables, so that they are nobody's.

/// Makes words up, always the same ones.
pub(crate) struct Syllables(pub(crate) u64);

impl Syllables {
    fn below(&mut self, bound: usize) -> usize {
        // The generator of Knuth's MMIX: nothing depends on its quality.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap_or(0) % bound
    }

    fn one_of(&mut self, letters: &[u8]) -> u8 {
        letters[self.below(letters.len())]
    }

    /// A word of that length that no language is likely to have.
    pub(crate) fn word(&mut self, length: usize) -> Vec<u8> {
        let mut word = Vec::with_capacity(length);
        let mut vowel = length == 1 || self.below(4) == 0;
        while word.len() < length {
            let is_last = word.len() + 1 == length;
            word.push(match (vowel, is_last && length > 2) {
                (true, false) => self.one_of(b"aeiouy"),
                (true, true) => self.one_of(b"uyi"),
                (false, false) => self.one_of(b"zvkjdlmnrtbgp"),
                (false, true) => self.one_of(b"zvkj"),
            });
            vowel = !vowel;
        }
        word
    }
}
