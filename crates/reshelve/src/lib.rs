//! Carries the legacy `jobs` collection of generated novels into four normalised collections, and
//! proves that nothing was lost.
//!
//! The heart is a pure, invertible mapping over raw BSON:
//!
//! ```
//! use reshelve::mapping::{Mapper, Options, Outcome, Target, restore};
//! use reshelve::raw::Writer;
//!
//! // A legacy document, as raw BSON.
//! let mut legacy = Writer::default();
//! let document = legacy.begin();
//! legacy.string("_id", b"a-novel");
//! legacy.string("status", b"completed");
//! legacy.string("title", b"The Second Light");
//! legacy.end(document);
//!
//! // Four target documents …
//! let mut target = Target::default();
//! let outcome = Mapper::new(Options::default()).map(legacy.bytes(), &mut target);
//! assert!(matches!(outcome, Outcome::Mapped(_)));
//!
//! // … and the legacy document again, byte for byte.
//! let restored = restore(target.jobs.bytes(), target.metadata.bytes())?;
//! assert_eq!(restored.bytes, legacy.bytes());
//! assert!(!restored.changed);
//! # Ok::<(), reshelve::mapping::RestoreError>(())
//! ```

mod disk;
pub mod dump;
pub mod extjson;
pub mod folder;
pub mod generate;
mod live;
pub mod mapping;
pub mod parity;
pub mod profile;
pub mod raw;
pub mod reader;
pub mod report;
pub mod run;
pub mod sink;
mod sorted;
pub mod source;

pub use disk::DiskError;
pub use live::{LiveError, LiveErrorKind};
