//! The seams: where legacy documents come from, where target documents go, and where they are read
//! back. Traits and plain data only.

mod destination;
mod error;
mod origin;
mod sink;
mod source;
mod target_reader;

pub use destination::{Base, Destination};
pub use error::{LiveError, LiveErrorKind};
pub use origin::{Opened, Origin, SourceDescription};
pub use sink::{
    Exception, Fate, NothingToSync, NullSink, Section, Sink, SinkError, SinkPosition, Syncer,
    Verdict,
};
pub use source::*;
pub use target_reader::{DocumentStream, TargetReader};
