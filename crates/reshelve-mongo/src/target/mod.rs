//! A live database as a target: preflight checks, the lease, writing, reading back.

mod apart;
mod by_ids;
mod delete;
mod destination;
mod fenced;
mod follows;
mod held;
mod indexes;
mod indexes_down;
mod indexes_up;
mod insert;
mod lag;
mod lease;
mod look;
mod preflight;
mod reader;
mod replace;
mod scratch;
mod sink;
mod standing;
mod swap_apart;
mod take_back;
mod together;
mod undo;
mod undo_forget;
mod undo_record;
mod used_plans;

pub use destination::LiveDestination;
pub(crate) use indexes::indexes_of_collection;
pub use indexes::{MIGRATION, indexes_status};
pub use indexes_down::indexes_down;
pub use indexes_up::indexes_up;
pub(crate) use lease::RUNS;
pub use reader::LiveTarget;
pub use scratch::ScratchDatabase;
pub(crate) use undo::UNDO;
