//! The random numbers of the generator: xoshiro256**, seeded by SplitMix64.
//!
//! Written out here, in a few lines, because the data for a seed must stay the same forever: no
//! version of any dependency may change it. Both algorithms are public domain (Blackman, Vigna).

/// A stream of random numbers, fully determined by a seed and a stream number.
#[derive(Clone, Debug)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream number `stream` of `seed`. Neighbouring numbers give unrelated streams.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = seed;
        let mut mixed = split_mix(&mut mixer) ^ stream;
        let mut state = [0; 4];
        for word in &mut state {
            *word = split_mix(&mut mixed);
        }
        Rng { state }
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// A number below `limit`, 0 for a limit of 0. The bias is below 2⁻³² for the limits in use.
    #[inline]
    pub fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    #[inline]
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low.saturating_add(u32::try_from(self.below(span)).unwrap_or(0))
    }

    /// An index below `length`, 0 for a length of 0.
    #[inline]
    pub fn index(&mut self, length: usize) -> usize {
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(limit)).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    #[inline]
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    #[inline]
    pub fn pick<T: Copy, const N: usize>(&mut self, items: &[T; N]) -> T {
        const { assert!(N > 0, "nothing to pick from") };
        items[self.index(N)]
    }

    /// A number from 0 up to but not including 1, with a step of 1/1000.
    pub fn thousandths(&mut self) -> f64 {
        f64::from(self.between(0, 999)) / 1000.0
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_numbers() {
        let mut state = 1_234_567;
        let numbers: Vec<u64> = (0..3).map(|_| split_mix(&mut state)).collect();
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn xoshiro_gives_the_published_numbers() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let numbers: Vec<u64> = (0..4).map(|_| rng.bits()).collect();
        assert_eq!(numbers, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Rng::new(7, 0);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(rng.between(3, 7)).unwrap() - 3] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(rng.below(0), 0);
        assert_ne!(Rng::new(7, 0).bits(), Rng::new(7, 1).bits());
    }
}
