//! The hints of targets that are not what they should be.

/// A target where a source should be.
pub(super) const SOURCE_FIRST: &str =
    "that is a target, and here a source is named: where both are, the source comes first";
/// Another run is at work on a live target, or was a moment ago.
pub(super) const WAIT_FOR_THE_LEASE: &str = "wait until it ends. If its process is gone: `reshelve resume` \
    continues a run at once, from its run folder; without one, its lease expires within a minute, and \
    then a run with --take-over breaks it";
/// A file of a target is damaged.
pub(super) const MEND_THE_TARGET: &str = "what a killed run left half written, `resume` puts right; what somebody has changed since, only a \
     copy of the file does; or use another folder";
/// A file of a target is not as the run left it.
pub(super) const PUT_BACK_THE_FILE: &str = "nothing was changed. Somebody has changed the file since: keep a copy of it, put the file back as \
     it was, and resume; or start a new run into another folder";
/// A target folder that is not where the run wrote to.
pub(super) const PUT_BACK_THE_FOLDER: &str = "nothing was changed. If it was renamed or moved, give it its place back; if its disk is not \
    mounted, mount it";
/// A name for another form than the one that is written.
pub(crate) const NAME_A_BSON_FILE: &str =
    "name a .bson file, or a folder for a dump; mongodump's tools read both";
/// A legacy dump in the place of a target.
pub(crate) const LEGACY_IS_THERE: &str =
    "name the folder of a target, or one that is not there yet";
/// Another target than that of the run.
pub(crate) const TARGET_STAYS: &str =
    "leave --target out: a run stays with its folder; put a folder that was moved back first";
/// A target whose jobs have no metadata.
pub(crate) const METADATA_LOST: &str = "was novel_job_metadata lost or dropped? It holds what a job is restored from; jobs that the new \
     application has written have none";
