//! How memory is taken from the operating system, and given back to it.

use std::ffi::OsString;

/// Freed memory stays with the process, up to this many bytes of each thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 128 << 20;
/// Larger pieces of memory come from the operating system, and go back to it: the largest limit that
/// the C library takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES: libc::c_int = 32 << 20;

/// Commands that write to a live target, and then end.
const WRITING: [&str; 4] = ["run", "resume", "rollback", "rehearse"];

/// Has the C library keep what is freed, for a command that writes, where the command line or the
/// environment names a live end. The driver copies each batch several times, each time into new memory; to have the pages of
/// that made and taken away again took a third of the processor's time of a live run. Folders are
/// written without such copies.
pub(crate) fn keep_freed_for_live_ends() {
    let variables = ["LEGACY_MONGODB_URI", "TARGET_MONGODB_URI"].into_iter();
    let variables = variables.filter_map(std::env::var_os);
    // As a word of its own, or in one with its flag.
    let is_live = |word: OsString| {
        let word = word.to_string_lossy();
        word.contains("mongodb://") || word.contains("mongodb+srv://")
    };
    let writes = std::env::args_os().skip(1).any(|word| WRITING.iter().any(|it| word == *it));
    if writes && std::env::args_os().chain(variables).any(is_live) {
        keep_freed();
    }
}

/// Anything but glibc is left as it is.
fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the C library has no other way")]
    // SAFETY: it takes two numbers, and no other thread runs yet. A limit that it does not take
    // leaves the one that it has.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
    }
}
