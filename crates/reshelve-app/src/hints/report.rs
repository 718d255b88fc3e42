//! The hints of reports that cannot be written where they were to go.

/// A file of somebody else has the name of one of the report.
pub(crate) const ELSEWHERE: &str =
    "nothing was changed: write the report to another folder with --out";
/// A source that could be read once only.
pub(crate) const NAME_THE_SOURCE: &str =
    "if the same documents are in a file, --source FILE reads them again";
/// A source that is not where it was.
pub(crate) const SOURCE_HAS_MOVED: &str =
    "if the source was renamed or moved, --source names its place; the run keeps its own";
/// A target that is not where it was.
pub(crate) const TARGET_HAS_MOVED: &str =
    "if the target was renamed or moved, --target names its place; the run keeps its own";
/// Another process writes a report into the same folder.
pub(crate) const WAIT: &str = "wait until that has ended, or name another folder with --out";
