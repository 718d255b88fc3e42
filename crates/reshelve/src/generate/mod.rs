//! Synthetic legacy data, seeded and deterministic.
//!
//! A [`Plan`] says what to generate; [`document`] writes any one of its documents, [`Stream`] all
//! of them in order, [`write()`] puts them into a file or folder of any form in which the legacy
//! collection can arrive, and [`inflict`] damages one. The same plan gives the same bytes on every
//! machine: no clock, no map, no random numbers except the generator's own.

mod archive;
mod choice;
mod faults;
mod files;
mod foreign;
mod forms;
mod job;
mod lies;
mod metadata;
mod plan;
mod prose;
mod rng;
mod scribe;
mod story;
mod text;
mod words;

pub use faults::{Fault, Inflicted, inflict};
pub use forms::{
    Dialect, Documents, FORM_NAMES, GenerateError, Layout, Next, Output, OutputForm, Written,
    write, write_documents,
};
pub use job::document;
pub use plan::{Era, Eras, Metadata, Plan, Size, Stage, Stages};
pub use rng::Rng;

/// The documents of a plan, in order.
#[derive(Clone, Debug)]
pub struct Stream {
    plan: Plan,
    next: u64,
}

impl Stream {
    /// All documents of the plan.
    pub fn new(plan: Plan) -> Self {
        Stream { plan, next: 0 }
    }

    /// Appends the next document to `out`; returns whether there was one.
    pub fn append_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.next >= self.plan.documents {
            return false;
        }
        document(&self.plan, self.next, out);
        self.next += 1;
        true
    }
}

impl Iterator for Stream {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.append_next(&mut out).then_some(out)
    }
}

#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod tests;
