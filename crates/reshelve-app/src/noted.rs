//! A source of files that says once what people should know of it.

use std::sync::atomic::{AtomicBool, Ordering};

use reshelve::ends::{
    About, EndError, Opened, Origin, PlannedSource, SourceDescription, SourceSpec,
};

use crate::handle::Handle;
use crate::text::plain;

/// Passes on the notes of a source when it is opened for the first time.
pub(crate) struct Noted {
    source: SourceSpec,
    handle: Handle,
    is_told: AtomicBool,
}

impl Noted {
    pub(crate) fn new(source: SourceSpec, handle: &Handle) -> Self {
        Noted { source, handle: handle.clone(), is_told: AtomicBool::new(false) }
    }
}

impl Origin for Noted {
    fn open(&self) -> Result<Opened, EndError> {
        if self.is_told.load(Ordering::Relaxed) {
            // What people should know was told, and what it takes to know it is not read again: the
            // oplog of an archive, for one.
            return Ok(reshelve::dump::open(&self.source)?);
        }
        let opened = self.source.open()?;
        self.is_told.store(true, Ordering::Relaxed);
        for note in &opened.description.notes {
            self.handle.watcher().note(&format!("note: {}", plain(note)));
        }
        Ok(opened)
    }

    fn is_rewindable(&self) -> bool {
        self.source.is_rewindable()
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        self.source.for_each_status(give)
    }

    fn about(&self, description: &SourceDescription) -> Result<About, EndError> {
        self.source.about(description)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        self.source.planned(description)
    }
}
