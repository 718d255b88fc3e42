//! What to do about a snapshot that was not taken, or does not hold.

/// A place that is a snapshot, or in one.
pub(crate) const SNAPSHOTS_STAY: &str = "a snapshot stays as it is: name a place apart from it";
/// A source that is damaged.
pub(crate) const ALL_OR_NOTHING: &str =
    "nothing was left: a snapshot holds all of its source; dump it again";
/// A folder that others own.
pub(crate) const WHERE_YOU_MAY_WRITE: &str = "name a place in a folder that you may write to";
/// One place too few.
pub const NAME_BOTH: &str = "name the source, then the place of the snapshot; with the source in LEGACY_MONGODB_URI, the \
     place alone";
/// A word that is nearly a subcommand.
pub const NEARLY_A_COMMAND: &str = "`reshelve snapshot verify` and `reshelve snapshot list` are spelled so; a folder of that name \
     begins with ./";
/// A folder that is not there.
pub(crate) const NAME_A_FOLDER: &str = "name the folder that the snapshots are in";
/// A place where something is.
pub(crate) const SNAPSHOT_ELSEWHERE: &str =
    "name a place where nothing is: a snapshot is never written over";
/// A name that says another form than the flags.
pub(crate) const FORM_AND_NAME: &str = "a name that ends in .archive, .archive.gz or .archive.zst is an archive, compressed as it says; \
     one without such an ending is a folder";
/// Another process.
pub(crate) const WAIT_FOR_THE_SNAPSHOT: &str = "wait until it is done, or name another place";
/// A snapshot that was interrupted.
pub(crate) const TAKE_AGAIN: &str = "nothing was left: the same command begins again";
/// A snapshot that is not as it was written, right after that.
pub(crate) const LOOK_AT_THE_DISK: &str =
    "nothing was left: look at the disk, and take it again, or elsewhere";
/// A snapshot that has no name.
pub(crate) const IT_HAS_NO_NAME: &str =
    "its process was killed before it was given its name; take the snapshot again";
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
