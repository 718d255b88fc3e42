//! The hints of sources that are not what was named.

/// A database that is not there.
pub(crate) const INSPECT_ALL: &str = "without --db, `inspect` lists all of them";
/// A run that reads a file was given a live source.
pub(crate) const SOURCE_IS_A_FILE: &str =
    "give the file with --source, or unset LEGACY_MONGODB_URI";
