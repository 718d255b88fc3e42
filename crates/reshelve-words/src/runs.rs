//! Runs of words: which of them a document has, told quickly.

use super::lexicon::{WordHash, half};

/// Words in a run, none of which may recur in a copy.
const RUN: usize = 4;
/// Bits of the filter for each run. With two of them set, one other run in about a thousand passes.
const FILTER_BITS: usize = 64;

/// The runs of a document.
#[derive(Default)]
pub struct Runs {
    runs: Vec<u64>,
    /// Tells of nearly all other runs that they are not among these.
    filter: Vec<u64>,
}

impl Runs {
    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.runs.clear();
        self.filter.clear();
    }

    /// Adds the runs of a text, whose words have these hashes.
    pub fn add(&mut self, words: &[WordHash]) {
        self.runs.extend(words.windows(RUN).map(run));
    }

    /// Makes the filter; to be called when all texts were added.
    pub fn index(&mut self) {
        let bits = (self.runs.len() * FILTER_BITS).next_power_of_two();
        self.filter.resize(bits.div_ceil(64), 0);
        for &run in &self.runs {
            for (at, bit) in places(self.filter.len(), run) {
                self.filter[at] |= bit;
            }
        }
    }

    /// Calls `found` with those runs of a text that the document may have.
    pub fn find(&self, words: &[WordHash], found: &mut dyn FnMut(u64)) {
        if self.filter.is_empty() {
            return;
        }
        for run in words.windows(RUN).map(run) {
            let places = places(self.filter.len(), run);
            if places.into_iter().all(|(at, bit)| self.filter[at] & bit != 0) {
                found(run);
            }
        }
    }

    /// All of them, in the order in which they were added.
    pub fn all(&self) -> &[u64] {
        &self.runs
    }
}

/// The hash of a run of words.
#[inline]
fn run(words: &[WordHash]) -> u64 {
    let mixed = words.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |run, word| {
        (run.rotate_left(23) ^ half(*word)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    });
    mixed ^ (mixed >> 32)
}

/// The bits of a run in a filter of that length, which is a power of two.
#[inline]
fn places(length: usize, run: u64) -> [(usize, u64); 2] {
    [run, run >> 32].map(|part| {
        let at = usize::try_from(part >> 6).unwrap_or(0) & (length - 1);
        (at, 1 << (part % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_document_are_found_and_others_nearly_never() {
        let words: Vec<WordHash> =
            (0..1_000_u128).map(|word| word * 0x9E37_79B9_7F4A_7C15).collect();
        let mut runs = Runs::default();
        runs.add(&words[..600]);
        runs.add(&words[600..603]);
        runs.index();
        assert_eq!(runs.all().len(), 597, "three words are no run");
        let found = |words: &[WordHash]| {
            let mut count = 0;
            runs.find(words, &mut |_| count += 1);
            count
        };
        assert_eq!(found(&words[..600]), 597);
        assert!(found(&words[600..]) < 4);
        runs.clear();
        let mut none = 0;
        runs.find(&words, &mut |_| none += 1);
        assert_eq!(none, 0);
    }
}
