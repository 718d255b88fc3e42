//! Anonymised copies: the same migration problem without anybody's text.
//!
//! A source is read twice. [`first_pass`] finds what the policy does not know, and what the words,
//! names and ids of the source are; [`Copies`] replaces text, names, ids and dates by what is drawn
//! with a key, maps both sides and compares what the mapping says of them, and scans each copy for
//! anything of the source. [`docs/anonymise.md`] has the strategy.
//!
//! What is drawn depends on key, job and place alone: the same source and key give the same bytes,
//! whatever the number of threads. No clock, no hash map that is iterated into a copy.
//!
//! [`docs/anonymise.md`]: https://github.com/reshelve/reshelve/blob/main/docs/anonymise.md

mod alphabet;
mod check;
mod compared;
mod copy;
mod corpus;
mod dates;
mod error;
mod first_pass;
mod ids;
mod key;
mod names;
mod pairs;
mod pen;
mod policy;
mod preview;
mod readable;
mod relationships;
mod rewrite;
mod rule;
mod sample;
mod scan;
mod spool;
mod survey;
mod values;
mod walk;

pub use check::Difference;
pub use copy::{ATTEMPTS, Copies, Copying, FoundLeak, LeftOut, NAMED_MAX, Summary};
pub use error::AnonymizeError;
pub use first_pass::{FirstPass, Reading, Wanted, first_pass};
pub use key::Key;
pub use pairs::scan;
pub use policy::{Policy, PolicyError, TABLE, Weaker};
pub use preview::{Changed, PREVIEW_MAX, preview};
pub use readable::LEVELS_MAX;
pub use rule::Class;
pub use scan::Leak;
pub use survey::UNKNOWN_PATHS_MAX;
