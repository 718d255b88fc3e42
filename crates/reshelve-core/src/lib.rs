//! The core of `reshelve`: raw BSON, Extended JSON, and the mapping with its inverse.
//!
//! No I/O, no threads, no clock, no environment: the same bytes and options give the same bytes,
//! on every platform. This is the part that bindings for other languages build on.
//!
//! - [`raw`]: BSON as borrowed bytes. Check a document once, then read it without errors.
//! - [`extjson`]: Extended JSON to BSON and back.
//! - [`mapping`]: one legacy document to its target documents and back, and where each field goes.
//!
//! The feature `serde`, off by default, lets options be stored, and warnings and explanations be
//! printed, as JSON.
//!
//! ```
//! use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments, restore};
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
//! let mut target = TargetDocuments::default();
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
