//! The hints of reports that cannot be written where they were to go.

/// A file of somebody else has the name of one of the report.
pub(crate) const ELSEWHERE: &str =
    "nothing was changed: write the report to another folder with --out";
/// A source that could be read once only.
pub(crate) const NAME_THE_SOURCE: &str =
    "if the same documents are in a file, --source FILE reads them again";
/// Another process writes a report into the same folder.
pub(crate) const WAIT: &str = "wait until that has ended, or name another folder with --out";
