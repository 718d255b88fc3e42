//! The seam where target documents go: a sink takes them in order, and says when they are safe.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ends::LiveError;
use crate::folder::Existing;
use reshelve_core::mapping::Target;

/// Which bytes of each collection of a [`Target`] are to be written, in the order of
/// [`COLLECTIONS`](reshelve_core::mapping::COLLECTIONS).
pub type Section = [Range<usize>; 4];

/// How far a sink is. Part of the checkpoint: a sink that is opened at a position forgets whatever
/// lies behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkPosition {
    /// Bytes in each collection's file, in the order of the collections.
    pub lengths: [u64; 4],
}

/// What a target that already holds documents says of a job that is about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of it is there.
    Absent,
    /// All of it is there, byte for byte.
    Unchanged,
    /// Part of it is there, byte for byte; these sections are missing.
    Partly(Vec<Section>),
    /// The target holds something else under one of its ids; says what.
    Conflict(String),
}

/// What became of a section where it was not simply written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it was there, byte for byte.
    Unchanged,
    /// Part of it was there, byte for byte; so many bytes were written.
    Partly(usize),
    /// Another version of the job was there; it is kept for rollback, and was replaced.
    Replaced,
    /// The target holds something else under one of its ids; says what. Nothing was written.
    Conflict(String),
    /// The target does not take one of its documents; says why. Nothing of it is left there.
    Refused(String),
}

/// A section that was not simply written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its place among the sections that were given to [`Sink::write`].
    pub section: usize,
    /// What became of it.
    pub fate: Fate,
}

/// Why a sink could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentence(.action, .name, .source))]
pub struct SinkError {
    /// What was tried, as a participle: `writing`, `syncing` ….
    pub action: &'static str,
    /// The file or collection.
    pub name: String,
    /// The error of the operating system.
    #[source]
    pub source: std::io::Error,
}

/// A live database says itself what was tried.
fn sentence(action: &str, name: &str, source: &std::io::Error) -> String {
    match LiveError::inside(source) {
        Some(error) => format!("{name}: {error}"),
        None => format!("{action} {name}: {source}"),
    }
}

/// Makes what a sink has written so far durable, from another thread, while it goes on.
pub trait Syncer: Send {
    /// Returns when everything that was written before the call is durable.
    ///
    /// # Errors
    /// Where the operating system refuses: nothing may be checkpointed then.
    fn sync(&mut self) -> Result<(), SinkError>;
}

/// Takes target documents.
pub trait Sink: Send {
    /// What the target holds of the job in this section.
    ///
    /// # Errors
    /// Where the target cannot be read.
    fn judge(&mut self, target: &Target, job: &Section) -> Result<Verdict, SinkError>;

    /// Writes these sections, in this order, and tells which of them were not simply written, in
    /// the same order. They are durable only after a sync.
    ///
    /// # Errors
    /// Where the target cannot be written: disk full, for one.
    fn write(&mut self, target: &Target, sections: &[Section])
    -> Result<Vec<Exception>, SinkError>;

    /// After how many target bytes a cut is due; none where every document boundary is one.
    fn cut_bytes(&self) -> Option<usize> {
        None
    }

    /// Makes this place one where writing can be taken up again.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn cut(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Where the last cut is; with [`cut_bytes`](Self::cut_bytes) none, where writing is.
    fn position(&self) -> SinkPosition {
        SinkPosition::default()
    }

    /// Ends a target that is complete.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// A syncer for what this sink writes.
    ///
    /// # Errors
    /// Where the operating system gives no second handle.
    fn syncer(&self) -> Result<Box<dyn Syncer>, SinkError>;
}

/// The sink of a dry run: takes everything and keeps nothing; it can look into a target.
#[derive(Debug, Default)]
pub struct NullSink {
    /// What the target holds, where that is to be looked at.
    pub(crate) existing: Option<Existing>,
}

/// For sinks whose writes are durable when they return, or that do not write.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingToSync;

impl Syncer for NothingToSync {
    fn sync(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Sink for NullSink {
    fn judge(&mut self, target: &Target, job: &Section) -> Result<Verdict, SinkError> {
        match &self.existing {
            Some(existing) => Ok(existing.judge(target, job)?),
            None => Ok(Verdict::Absent),
        }
    }

    fn write(&mut self, _: &Target, _: &[Section]) -> Result<Vec<Exception>, SinkError> {
        Ok(Vec::new())
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, SinkError> {
        Ok(Box::new(NothingToSync))
    }
}
