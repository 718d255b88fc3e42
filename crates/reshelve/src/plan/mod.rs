//! Saved plans: a dry run written down to be approved, compared with what is there before it is
//! carried out, and with what was reached after that.
//!
//! A plan says by hashes what its source holds, what its target held and what that must hold when
//! the plan is carried out. Nothing of it is compared by size or count.

mod carrying;
mod changes;
mod destination;
mod error;
mod foreseeing;
mod keys;
mod saved_plan;
mod source;
mod target;
mod used;

pub use carrying::Carrying;
pub use changes::{Change, Changes, Comparison, NAMED_MAX};
pub use destination::{PlanDestination, Role};
pub use error::PlanError;
pub use foreseeing::Foresight;
pub use keys::{Keys, KeysState, check_keys, hash_of_file};
pub use saved_plan::{Forecast, PlanOptions, SavedPlan, SourceState, TargetState, Tool};
pub use source::{Entry, ReadSource, Reading, SourceSums, read_source};
pub use target::{Collections, state_of};
pub use used::{UsedBy, keys_file, used_by, used_file};
