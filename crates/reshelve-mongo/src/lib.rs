//! Live MongoDB behind the seams of `reshelve`: a collection as a source, a database as a target.
//!
//! Everything here is called from ordinary threads, as the library's seams are; the official
//! driver's runtime lives inside [`Connection`]. Documents travel as raw BSON: read through raw
//! batches, written through `insert_many`, never decoded, because a decoded document loses
//! repeated names.

mod by_id;
mod connection;
mod destination;
mod error;
mod indexes;
mod inspect;
mod lease;
mod look;
mod origin;
mod place;
mod privileges;
mod reader;
mod replace;
mod retry;
mod sink;
mod writes;

pub use connection::Connection;
pub use destination::LiveDestination;
pub use indexes::{MIGRATION, indexes_down, indexes_status, indexes_up};
pub use inspect::{LiveInventory, inspect};
pub use origin::LiveOrigin;
pub use place::{Place, is_live};
pub use privileges::{Need, create_role, needs_of_source, needs_of_target};
pub use reader::LiveTarget;
pub use retry::Patience;

pub use mongodb::options::ReadPreference;
