//! Which of many jobs are compared: some that are spread evenly, always the same ones.

/// A sample of jobs that come one after the other.
#[derive(Clone, Debug)]
pub struct Sample {
    size: Option<u64>,
    of: u64,
    come: u64,
}

impl Sample {
    /// So many of about so many jobs; all of them without a size.
    pub fn new(size: Option<u64>, of: u64) -> Self {
        Sample { size, of: of.max(1), come: 0 }
    }

    /// Whether the next job is in it.
    pub fn takes_next(&mut self) -> bool {
        let Some(size) = self.size else { return true };
        let size = size.min(self.of);
        let before = self.come.saturating_mul(size) / self.of;
        self.come += 1;
        let after = self.come.saturating_mul(size) / self.of;
        after > before && after <= size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_evenly_and_have_their_size() {
        for (size, of, expected) in [
            (Some(3), 9, vec![2, 5, 8]),
            (Some(4), 10, vec![2, 4, 7, 9]),
            (Some(1), 4, vec![3]),
            (Some(20), 4, vec![0, 1, 2, 3]),
            (None, 4, vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ] {
            let mut sample = Sample::new(size, of);
            // More may come than there were when they were counted.
            let taken: Vec<u64> = (0..12).filter(|_| sample.takes_next()).collect();
            assert_eq!(taken, expected, "{size:?} of {of}");
        }
    }
}
