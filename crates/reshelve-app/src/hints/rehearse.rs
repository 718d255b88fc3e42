//! Hints of a rehearsal.

use std::path::Path;

use crate::text::shell_word;

/// A source that can be read once only.
pub(crate) const REHEARSE_A_FILE: &str =
    "write it to a file and name that: a rehearsal reads its source several times";
/// A scratch that overlaps with the source.
pub(crate) const SCRATCH_ELSEWHERE: &str =
    "name a new folder apart from the source; without SCRATCH it is in the folder of --runs-dir";
/// A scratch that holds something.
pub(crate) const SCRATCH_IS_USED: &str =
    "name a new folder, or an empty one; without SCRATCH, a new one is made beside the run folders";
/// A connection string that names a database of another kind.
pub(crate) const SCRATCH_DATABASE: &str = "leave the database out of the connection string: a new one is made, named \
     reshelve_rehearsal_…; authSource says where the user is known";
/// The documents were not the same twice.
pub(crate) const UNCHANGED_SOURCE: &str =
    "rehearse on a dump, or while nothing writes to the source";
/// A step failed.
pub(crate) const REHEARSE_AGAIN: &str = "solve this, then rehearse again: every rehearsal is new";
/// What becomes of rejected documents.
pub(crate) const REJECTS_STAY: &str = "`reshelve explain` shows where a document goes; once repaired, `reshelve run --only-rejects` \
     takes it";

/// A scratch that somebody named: others may have put something there.
pub(crate) const LOOK_AT_SCRATCH: &str = "look at what is in it before you remove anything: the \
    rehearsal's own are its folders target and runs";

/// How the rest of a rehearsal in a folder of its own is removed.
pub(crate) fn remove_scratch_folder(folder: &Path) -> String {
    match shell_word(folder.as_os_str()) {
        Some(folder) => format!("look at it, then remove it with `rm -r {folder}`"),
        None => "look at it, then remove that folder".to_owned(),
    }
}

/// How the rest of a rehearsal in a database is removed.
pub(crate) fn remove_scratch_database(db: &str) -> String {
    format!("look at it, and drop the database {db} with mongosh if no other rehearsal uses it")
}
