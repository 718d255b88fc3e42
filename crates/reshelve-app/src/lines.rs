//! Files of JSON that a command leaves: lines that are written while it works, or one document. They
//! are made when it is known that the command makes sense, so that one that does not leaves nothing.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use reshelve::store::{Disk, Files};
use serde::Serialize;

use crate::failure::Failure;

/// Makes a file in the place of an earlier one, whose content may have other names. What a symbolic
/// link names is nobody's to write over.
fn create_anew(path: &Path) -> io::Result<File> {
    match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => {
            return Err(io::Error::other(
                "it is a symbolic link, and what it names is not written",
            ));
        }
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    File::options().write(true).create_new(true).open(path)
}

/// A file of JSON lines.
pub(crate) struct Lines {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: Option<BufWriter<File>>,
    /// The first line that could not be written: reported at the end.
    failed: Option<io::Error>,
}

impl Lines {
    /// The file of that name in a folder; neither is made yet.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        Lines { path: folder.join(name), state: Mutex::default() }
    }

    /// Makes folder and file, once.
    ///
    /// # Errors
    /// What could not be made, and why.
    pub(crate) fn begin(&self) -> Result<(), String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.out.is_some() {
            return Ok(());
        }
        let made = fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))
            .and_then(|()| create_anew(&self.path));
        match made {
            Ok(file) => state.out = Some(BufWriter::new(file)),
            Err(error) => return Err(format!("creating {}: {error}", self.path.display())),
        }
        Ok(())
    }

    /// Adds a line to a file that is made.
    pub(crate) fn add(&self, line: &impl Serialize) {
        let line = serde_json::to_string(line).unwrap_or_default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(out) = &mut state.out else { return };
        if let Err(error) = writeln!(out, "{line}") {
            state.failed.get_or_insert(error);
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If a line could not be written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let written = state.out.map_or(Ok(()), |mut out| out.flush());
        let written = state.failed.map_or(written, Err);
        written
            .map_err(|error| Failure::failed(format!("writing {}: {error}", self.path.display())))
    }
}

/// Writes one JSON document to a file of that name in a folder, which is made if it is missing. What
/// lies there is replaced, not written over: it may have other names.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_whole(
    folder: &Path,
    name: &str,
    document: &impl Serialize,
) -> Result<(), Failure> {
    let path = folder.join(name);
    let text = serde_json::to_vec(document).unwrap_or_default();
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("creating {}: {error}", folder.display())))?;
    Ok(Disk.replace(&path, &text)?)
}
