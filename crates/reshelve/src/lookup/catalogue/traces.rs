//! What the mapping left of each job of a catalogue, where a place has looked for it.

use crate::ends::{JobTrace, Told};
use reshelve_core::mapping::Retraced;

/// What the mapping left of each job, in the order of a catalogue: a byte for each.
#[derive(Debug, Default)]
pub struct Traces {
    found: Vec<u8>,
    counts: [u64; 2],
}

impl Traces {
    /// Adds the next job of the catalogue.
    pub fn add(&mut self, retraced: Retraced) {
        let mut bits = 0;
        for (trace, is_found) in
            [(JobTrace::Warned, retraced.is_warned), (JobTrace::Edited, retraced.is_edited)]
        {
            bits |= u8::from(is_found) << trace.index();
            self.counts[trace.index()] += u64::from(is_found);
        }
        self.found.push(bits);
    }

    /// Whether the job at a place of the catalogue, from 0, has a trace.
    pub(super) fn has(&self, ordinal: u64, trace: JobTrace) -> bool {
        let found = usize::try_from(ordinal).ok().and_then(|at| self.found.get(at));
        found.is_some_and(|bits| bits >> trace.index() & 1 == 1)
    }

    /// How many jobs have each.
    pub fn told(&self) -> [Told; 2] {
        self.counts.map(Told::Jobs)
    }
}
