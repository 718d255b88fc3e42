//! What a test has tried, for the page of reliability: a line for each kind of fault.
//!
//! `cargo xtask reliability` names the file to which the lines go. Without it nothing is counted.

use std::fs::OpenOptions;
use std::io::Write;

/// How so many faults of a kind ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    /// With the bytes that there are without the fault, if need be after a second command.
    pub(crate) same: u64,
    /// With a clear refusal, and nothing lost.
    pub(crate) refused: u64,
}

impl Ended {
    /// So many ended with the same bytes.
    pub(crate) fn same(same: usize) -> Ended {
        Ended { same: u64::try_from(same).unwrap_or(u64::MAX), refused: 0 }
    }

    /// So many were refused.
    pub(crate) fn refused(refused: usize) -> Ended {
        Ended { same: 0, refused: u64::try_from(refused).unwrap_or(u64::MAX) }
    }
}

/// Counts faults of a kind that were tried by the test of this thread.
pub(crate) fn count(fault: &str, ends: &str, ended: Ended) {
    let Some(path) = std::env::var_os("RESHELVE_TEST_COUNTS") else { return };
    let Ended { same, refused } = ended;
    if same + refused == 0 {
        return;
    }
    let program = std::env::current_exe().unwrap_or_default();
    let program = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = program.rsplit_once('-').map_or(program.as_str(), |(file, _)| file);
    let suite = format!("{file}::{}", std::thread::current().name().unwrap_or_default());
    let line = serde_json::json!({
        "suite": suite, "fault": fault, "ends": ends, "same": same, "refused": refused
    });
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    // One write: other tests append to the same file.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
