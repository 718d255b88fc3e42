//! The file that gets all mismatches: made when both sides could be opened, so that a command that
//! makes no sense leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use reshelve::ends::{EndError, Opened, Origin, PlannedSource, SourceDescription};
use reshelve::parity::Mismatch;

use crate::failure::Failure;

/// All mismatches, as JSON lines.
pub(super) struct Log {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: Option<BufWriter<File>>,
    /// The first line that could not be written: reported when the comparison is done.
    failed: Option<io::Error>,
}

impl Log {
    /// The log in a folder; neither is made yet.
    pub(super) fn new(folder: &Path) -> Self {
        Log { path: folder.join("mismatches.jsonl"), state: Mutex::default() }
    }

    /// Makes folder and file, once.
    fn begin(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.out.is_none() {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            state.out = Some(BufWriter::new(File::create(&self.path)?));
        }
        Ok(())
    }

    pub(super) fn add(&self, mismatch: &Mismatch) {
        let line = serde_json::to_string(mismatch).unwrap_or_default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(out) = &mut state.out else { return };
        if let Err(error) = writeln!(out, "{line}") {
            state.failed.get_or_insert(error);
        }
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let written = state.out.map_or(Ok(()), |mut out| out.flush());
        let written = state.failed.map_or(written, Err);
        written
            .map_err(|error| Failure::failed(format!("writing {}: {error}", self.path.display())))
    }
}

/// A source that begins the log when it was opened.
pub(super) struct Opening<'o> {
    pub(super) origin: &'o dyn Origin,
    pub(super) log: Option<&'o Log>,
}

impl Origin for Opening<'_> {
    fn open(&self) -> Result<Opened, EndError> {
        let opened = self.origin.open()?;
        if let Some(log) = self.log {
            log.begin().map_err(|error| {
                EndError::failed(format!("creating {}: {error}", log.path.display()), None)
            })?;
        }
        Ok(opened)
    }

    fn is_rewindable(&self) -> bool {
        self.origin.is_rewindable()
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        self.origin.for_each_status(give)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        self.origin.planned(description)
    }
}
