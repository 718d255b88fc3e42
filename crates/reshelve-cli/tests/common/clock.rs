//! The wall clock of one process, which can be moved while that goes on: by libfaketime, which
//! Debian has in its package `faketime`. The clock that only goes forward stays as it is.

use std::fs;
use std::path::PathBuf;

/// A clock that can be moved.
pub(crate) struct Clock {
    library: String,
    file: PathBuf,
}

impl Clock {
    /// The clock that a file of that name says; none, and a line that says so, where the library is
    /// missing.
    pub(crate) fn new(file: PathBuf) -> Option<Clock> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.exists());
        let Some(library) = library else {
            crate::common::left_out("libfaketime is missing");
            return None;
        };
        let clock = Clock { library: library.display().to_string(), file };
        clock.move_by("+0");
        Some(clock)
    }

    /// Moves it: `-10y`, `+2h`, against the true time.
    pub(crate) fn move_by(&self, offset: &str) {
        // In one step: the process looks at it whenever it asks for the time.
        let new = self.file.with_extension("new");
        fs::write(&new, offset).unwrap();
        fs::rename(&new, &self.file).unwrap();
    }

    /// The words before a command whose clock this is.
    pub(crate) fn program(&self) -> Vec<String> {
        vec![
            "env".to_owned(),
            format!("LD_PRELOAD={}", self.library),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display()),
            "FAKETIME_NO_CACHE=1".to_owned(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            "DONT_FAKE_MONOTONIC=1".to_owned(),
        ]
    }
}
