//! Live MongoDB behind the seams of `reshelve`: a collection as a source, a database as a target.
//!
//! Ordinary threads call everything here, as they call the library's seams; the runtime of the
//! official driver is inside [`Connection`]. Documents stay raw BSON: they are read in raw batches,
//! written through `insert_many`, and never decoded, because a decoded document loses repeated
//! names.

mod catalog;
mod connection;
mod error;
mod error_class;
mod inspect;
mod lookup;
mod patience;
mod place;
mod privileges;
mod source;
mod target;
mod uri_fault;

pub use connection::Connection;
pub use inspect::{LiveInventory, inspect};
pub use lookup::{LiveLegacyLookup, LiveLookup};
pub use patience::Patience;
pub use place::{Place, is_live, share_a_host};
pub use privileges::{Need, create_role, needs_of_source, needs_of_target};
pub use source::LiveOrigin;
pub use target::{
    LiveDestination, LiveTarget, MIGRATION, ScratchDatabase, indexes_down, indexes_status,
    indexes_up,
};

pub use mongodb::options::ReadPreference;
