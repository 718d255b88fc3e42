//! How many connections the operating system allows: each is an open file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are kept for what is looked up.
const KEPT: u64 = 256;

/// Raises the limit of open files of this process, as far as it may, so that as many connections
/// as wanted fit. Returns how many do.
pub(super) fn connections(wanted: usize) -> usize {
    let files = wanted as u64 + KEPT;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < files) {
        let current = Some(limit.maximum.map_or(files, |maximum| maximum.min(files)));
        // Where it cannot be raised, fewer connections are served at a time, and none is lost.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let fit = usize::try_from(current.saturating_sub(KEPT)).unwrap_or(usize::MAX);
    wanted.min(fit).max(1)
}
