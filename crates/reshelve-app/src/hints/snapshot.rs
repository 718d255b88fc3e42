//! What to do about a snapshot that was not taken, or does not hold.

/// A place where something is.
pub(crate) const SNAPSHOT_ELSEWHERE: &str =
    "name a place where nothing is: a snapshot is never written over";
/// A name that says another form than the flags.
pub(crate) const FORM_AND_NAME: &str = "a name that ends in .archive, .archive.gz or .archive.zst is an archive, compressed as it says; \
     any other is a folder";
/// Another process.
pub(crate) const WAIT_FOR_THE_SNAPSHOT: &str = "wait until it is done, or name another place";
/// A snapshot that was interrupted.
pub(crate) const TAKE_AGAIN: &str = "nothing was left: the same command begins again";
/// A lock that went away.
pub(crate) const LEAVE_THE_LOCK: &str = "take it again, and leave the hidden files beside it alone";
/// A database that no server can have.
pub(crate) const NAME_THE_DATABASE: &str = "--db gives the name that the snapshot has for it";
/// A place without a snapshot.
pub(crate) const NAME_THE_SNAPSHOT: &str = "name the folder that has snapshot.json in it, or the archive that has it beside it; \
     `reshelve snapshot list FOLDER` lists what is there";
/// A line of an export that is not Extended JSON.
pub(crate) const REPAIR_THE_EXPORT: &str =
    "nothing was left; repair the export there, or take the snapshot of a dump";
