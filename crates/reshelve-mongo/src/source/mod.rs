//! A live collection as a source.

mod about;
mod by_id;
mod cursor;
mod identity;
mod live_source;
mod origin;
mod status_scan;

pub use origin::LiveOrigin;
