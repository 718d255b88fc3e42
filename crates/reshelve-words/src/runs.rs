//! Runs of words.

use super::hashing::{WordHash, half};

/// Words in a run, none of which may recur in a copy.
pub const RUN: usize = 4;

/// The hash of a run of words.
pub fn run(words: &[WordHash]) -> u64 {
    let mixed = words.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |run, word| {
        (run.rotate_left(23) ^ half(*word)).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    });
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_by_its_words_and_their_order() {
        let words: Vec<WordHash> = (1..=2_000).map(|word| word * 0x9E37_79B9_7F4A_7C15).collect();
        let distinct: std::collections::BTreeSet<u64> = words.windows(RUN).map(run).collect();
        assert_eq!(distinct.len(), words.len() - RUN + 1);
        let (one, other) = ([words[0], words[1]], [words[1], words[0]]);
        assert_ne!(run(&one), run(&other));
    }
}
