//! The core of `reshelve`: raw BSON, Extended JSON, and the mapping with its inverse.
//!
//! No I/O, no threads, no clock, no environment: the same bytes and options in, the same bytes
//! out, on every platform. This is the part that other languages get.
//!
//! ```
//! use reshelve_core::mapping::{Mapper, Options, Outcome, Target, restore};
//! use reshelve_core::raw::Writer;
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
//! # Ok::<(), reshelve_core::mapping::RestoreError>(())
//! ```

pub mod extjson;
pub mod mapping;
pub mod raw;
