//! How often each warning and each reason for a reject occurred, with the first examples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Rejection;
use reshelve_core::mapping::Warning;

/// How many examples are kept of each warning and reject code.
pub const EXAMPLES_MAX: usize = 20;

/// An example of a warning or reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The job id, where the document has one; else its `_id`, or nothing.
    pub job: String,
    /// The legacy path.
    pub path: String,
}

/// How often a code occurred, with the first examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many (code, path) pairs, or rejects.
    pub count: u64,
    /// The first of them, at most [`EXAMPLES_MAX`].
    pub examples: Vec<Example>,
}

impl Tally {
    fn add(&mut self, example: impl FnOnce() -> Example) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example());
        }
    }
}

/// Tallies by code.
pub type Tallies = BTreeMap<String, Tally>;

/// Counts the warnings of a mapped document.
pub(crate) fn tally_warnings(tallies: &mut Tallies, job_id: &[u8], warnings: &[Warning]) {
    for warning in warnings {
        let example = || Example {
            job: String::from_utf8_lossy(job_id).into_owned(),
            path: warning.path.clone(),
        };
        match tallies.get_mut(warning.code.as_str()) {
            Some(tally) => tally.add(example),
            None => tallies.entry(warning.code.to_string()).or_default().add(example),
        }
    }
}

/// Counts a rejected document.
pub(crate) fn tally_reject(
    tallies: &mut Tallies,
    rejection: &Rejection,
    example: impl FnOnce() -> Example,
) {
    tallies.entry(rejection.reason.to_string()).or_default().add(example);
}
