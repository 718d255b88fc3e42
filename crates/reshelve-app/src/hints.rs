//! What to do about a failure: the one table of all hints that name a flag, a variable or a
//! command. Libraries return typed errors; here they become advice.

pub(crate) mod anonymize;
mod control;
pub(crate) mod crosscheck;
mod parity;
pub(crate) mod plans;
mod refusals;
mod rehearse;
pub(crate) mod report;
mod rollback;
mod served;
mod server;
pub mod snapshot;
mod sources;
mod targets;

use std::path::Path;

use reshelve::ends::{DamageKind, EndError, EndErrorKind, Hint, SourceHint};
use reshelve::run::RunError;

use crate::text::shell_word;

pub(crate) use control::{
    CANCEL_FIRST, IT_HAS_ENDED, LOOK_AT_IT, NOBODY_AT_WORK, TAKE_BACK_OR_ANEW, cancelled,
};
pub use crosscheck::SHADOW_IS_OFFLINE;
pub use parity::of_cause;
pub(crate) use parity::{
    NAME_A_FILE, NAME_THE_RUN, RETRIES_OF_ONE_RUN, RETRY_FROM_A_FILE, RETRY_SOURCE_CHANGED, follow,
    name_the_parent,
};
pub(crate) use rehearse::{
    LOOK_AT_SCRATCH, REHEARSE_A_FILE, REHEARSE_AGAIN, REJECTS_STAY, SCRATCH_DATABASE,
    SCRATCH_ELSEWHERE, SCRATCH_IS_USED, UNCHANGED_SOURCE, remove_scratch_database,
    remove_scratch_folder,
};
pub(crate) use rollback::go_on as go_on_rolling_back;
pub(crate) use rollback::{
    BRING_THE_LATER_RUN, GO_ON_ROLLING_BACK, READ_THE_LATER_RUN, START_A_NEW_RUN,
};
pub use rollback::{on_edited, wrong_number};
pub(crate) use served::{LOOK_AGAIN, WAIT_OR_STOP, name_target_yourself, resume_yourself};
pub(crate) use sources::{INSPECT_ALL, SOURCE_IS_A_FILE};
pub(crate) use targets::{LEGACY_IS_THERE, METADATA_LOST, NAME_A_BSON_FILE, TARGET_STAYS};

// For what was named on the command line.

/// A path that is not UTF-8.
pub const NAME_IN_UTF8: &str = "rename it, or make a symbolic link with another name and name that";
/// A malformed connection string.
pub const CONNECTION_STRING: &str = "it begins with mongodb:// or mongodb+srv://, in lower case and without quotes; a path with a \
     : and an @ begins with ./";
/// A place in object storage.
pub(crate) const COPY_TO_A_FOLDER: &str = "name a file or a folder here, and copy it with a tool of the storage: of a snapshot, snapshot.json \
     last";
/// A connection string where a name or a path belongs.
pub const MISPLACED: &str = "only SOURCE and TARGET, --source and --target take one; a path with \
    a : and an @ begins with ./";
/// A password file for a string that needs none.
pub(crate) const USER_ALONE: &str =
    "write the connection string as mongodb://USER@HOST/DATABASE, or leave the file out";
/// A file that cannot be a password.
pub(crate) const PASSWORD_FILE: &str = "a password file holds the password on one line, as it is";
/// No terminal to ask for a password.
pub(crate) const PASSWORD_WITHOUT_TERMINAL: &str =
    "without a terminal use --source-password-file or --target-password-file";
/// A live target was to be compressed.
pub const LIVE_IS_NOT_COMPRESSED: &str =
    "leave out --gzip and --zstd: they compress the files of a target folder";
/// A live database that holds none of the target collections.
pub const NAME_THE_TARGET_DATABASE: &str =
    "name the database in the connection string, or with --target-db";
/// A folder that holds no target.
pub const NAME_THE_TARGET_FOLDER: &str = "name the folder that a run wrote, after the source if there is one; --target-db picks one of \
     several databases";
/// A connection string instead of a path.
pub const WRITE_FILES_FIRST: &str =
    "write files, then load them with `reshelve run` or mongorestore";
/// A command that writes, with `DRY_RUN=true`.
pub(crate) const UNSET_DRY_RUN: &str =
    "unset DRY_RUN to write; `reshelve run` without --apply writes nothing but its run folder";
/// `--gzip` with `--zstd`.
pub const GZIP_OR_ZSTD: &str = "one of them may come from the environment or from reshelve.toml";
/// An unknown key in the settings file.
pub const SETTINGS_KEYS: &str =
    "keys are long flags, such as runs-dir or batch-docs; tables are commands";
/// A folder of runs that holds none.
pub const WHERE_RUNS_ARE: &str = "--runs-dir says where runs are";
/// No command, or half of one.
pub const LIST_OF_COMMANDS: &str = "--help lists the commands";
/// A faulty command line that the parser has no advice for.
pub const LIST_OF_FLAGS: &str = "--help lists the arguments and their values";
/// A comparison, a restored collection or generated data that did not come to its end.
pub(crate) const COMPARE_AGAIN: &str = "nothing was changed: the same command begins again";
/// An address that nobody can listen at.
pub const NAME_AN_ADDRESS: &str =
    "--listen takes an address of this machine and a port, such as 127.0.0.1:8080";
/// An address that is in use.
pub const LISTEN_ELSEWHERE: &str = "--listen 127.0.0.1:0 takes a free port";
/// An address of this machine that others can reach.
pub const GUARD_IT: &str = "others can reach this address: --token-file FILE names a file with a token that they must \
     have; --listen 127.0.0.1:8080 is for this machine alone";
/// A file that cannot be a token.
pub(crate) const TOKEN_FILE: &str = "a token file holds the token on one line, of ASCII letters, digits and signs without spaces, \
     such as `openssl rand -hex 32` prints it";
/// A name that leads elsewhere.
pub(crate) const NAME_A_DATABASE: &str = "name a database, as its folder is named, not a path";
/// What cannot stand in a header.
pub const NAME_AN_ORIGIN: &str = "--client-origin takes an origin, such as http://localhost:5173";
/// What is no name of a server.
pub const NAME_A_HOST: &str = "--host takes a name or an address, such as novels.example, without a port or scheme: it counts at every port";
/// A switch with one side.
pub const NAME_BOTH_SIDES: &str = "it chooses between two: give --legacy and --normalized";
/// A place that is given in two ways.
pub const LEAVE_ONE_OUT: &str = "leave one of them out";
/// A run without a name.
pub(crate) const NAME_A_RUN: &str =
    "name a run by its id, a unique beginning of its id, `latest`, or its folder";
/// A beginning that several ids share.
pub(crate) const NAME_ONE_RUN: &str =
    "write more of the id; `reshelve runs` lists the runs, and `latest` names the newest";
/// A document that `explain` cannot find.
pub const JOB_IS_THE_ID: &str =
    "--job takes the _id: 24 hex digits of an ObjectId, or the string itself";
/// A role for a file.
pub const NAME_A_LIVE_SOURCE: &str = "name a live source: mongodb://HOST/DATABASE";
/// A role for no database.
pub const NAME_THE_SOURCE_DATABASE: &str = "put it into the connection string, or use --db";
/// `indexes down` of a folder.
pub const FOLDERS_ARE_REMOVED: &str =
    "remove the folder yourself; `reshelve checksums` shows what it holds";
/// `generate` onto something that is there.
pub const OVERWRITE: &str =
    "name another file or folder; --overwrite replaces what is there, which may be the only copy";
/// `generate` into a target, or over the source of a run.
pub(crate) const GENERATE_ELSEWHERE: &str = "nothing was changed: name another file or folder";
/// `demo` into a folder of somebody else.
pub const DEMO_DIR: &str = "--dir names another folder";
/// The file that a restore would write is there.
pub(crate) const RESTORE_ELSEWHERE: &str =
    "restore to another file or folder; --overwrite replaces the file, which may be the only copy";
/// What would be replaced holds more than what comes back.
pub(crate) const RESTORE_BESIDE: &str = "nothing was changed: restore to another file, compare the two, and put it in its place yourself";
/// A server's address without a scheme.
pub(crate) const WRITE_THE_SCHEME: &str =
    "a database is named mongodb://HOST:PORT/DATABASE; a file or folder of that name, ./NAME";
/// A target that overlaps with the source.
pub(crate) const TARGET_ELSEWHERE: &str = "name a target that is apart from the source";
/// A restored file that overlaps with what it is restored from, or was read from.
pub(crate) const RESTORE_APART: &str = "restore to a folder that is apart from both";
/// A sample of standard input.
pub const SAMPLE_OF_STDIN: &str = "leave out --sample, or name a file";
/// A profile of a damaged source.
pub const NO_PARTIAL_PROFILE: &str = "a partial profile would look like a whole one, so there is \
    none; a dry run reads everything before the damage and counts its warnings and rejects";

/// A connection string that has to be given again.
pub fn connection_string_again(flag: &str, variable: &str) -> String {
    format!("give the connection string with {flag} or {variable}")
}

/// A choice between names.
pub fn one_of(names: &[&str]) -> String {
    format!("one of {}", names.join(", "))
}

// For what ended a run, or kept it from starting.

/// How a run is resumed.
pub fn resume(run: &Path) -> String {
    format!("resume with `reshelve resume {}`", named(run))
}

/// A run as a word of a command line. What a lock or a file says may be anything.
fn named(run: &Path) -> String {
    shell_word(run.as_os_str()).unwrap_or_else(|| "RUN".to_owned())
}

/// A run that stopped where its source is damaged.
pub(crate) fn damaged(kind: DamageKind, run: &Path) -> String {
    if let Some(cut) = of_damage(kind) {
        return format!("{cut}, then {} --source COPY", resume(run).trim_end_matches('`')) + "`";
    }
    let repaired = match kind {
        DamageKind::Io => "can be read again",
        DamageKind::Changed => "no longer changes",
        _ => "is repaired",
    };
    format!("everything before that place is kept; once the source {repaired}, {}", resume(run))
}

/// A source with something after its end, by where it begins; none for other damage.
pub(crate) fn of_damage(kind: DamageKind) -> Option<String> {
    match kind {
        DamageKind::Trailing { at, .. } => {
            Some(format!("copy the file without what was appended (`head -c {at} FILE > COPY`)"))
        }
        _ => None,
    }
}

/// A run that stopped at its first reject.
pub(crate) fn first_reject(run: &Path) -> String {
    format!("{}: it continues after the rejected document", resume(run))
}

/// A run that stopped before a job in flight.
pub(crate) fn in_flight(run: &Path) -> String {
    format!("{IN_FLIGHT}; resume with one of them: `reshelve resume {} --in-flight …`", named(run))
}

pub(crate) const IN_FLIGHT: &str = "--in-flight include carries such jobs over as they are, --in-flight \
    as-failed as failed, --in-flight skip leaves them out";

/// An error of a run that has begun, and can be resumed once that is solved; none if it cannot.
pub(crate) fn failed_run(error: &RunError, run: &Path) -> Option<String> {
    let is_full = match error {
        RunError::Disk(error) => error.is_full(),
        RunError::End(error) => match error.kind {
            EndErrorKind::Lost
            | EndErrorKind::Missing
            | EndErrorKind::Refused
            | EndErrorKind::Usage => return None,
            kind => kind == EndErrorKind::Full,
        },
        _ => return None,
    };
    let before = match error {
        _ if is_full => MAKE_ROOM.to_owned(),
        RunError::End(EndError { hint: Some(hint), .. }) => of_end(hint),
        _ => "solve this".to_owned(),
    };
    Some(format!("{before}; then {}", resume(run)))
}

pub(crate) const OPLOG: &str = "restore the dump into a scratch server with mongorestore and its \
    option oplogReplay, and dump that; --ignore-oplog takes the documents as they are";

const MAKE_ROOM: &str = "make room on the disk";

/// A process is at work on the run.
pub(crate) const AT_WORK: &str = "`reshelve status` shows how far it is; `reshelve pause` holds it, `reshelve cancel` or Ctrl-C in \
     its terminal stops it";

/// An error of a run that has not begun.
pub(crate) fn of_run(error: &RunError) -> Option<String> {
    let text = match error {
        RunError::Refused(refusal) => return refusals::of(refusal).map(str::to_owned),
        RunError::End(error) => return error.hint.as_ref().map(of_end),
        RunError::NoSuchRun { .. } => {
            "`reshelve runs` lists the runs; --runs-dir says where they are"
        }
        RunError::Disk(error) if error.is_full() => {
            "make room on the disk, then `reshelve resume` the run"
        }
        RunError::State { .. } => "it was written by another version of reshelve, or edited",
        _ => return None,
    };
    Some(text.to_owned())
}

/// An error of a source or a target.
pub(crate) fn of_end(hint: &Hint) -> String {
    match hint {
        Hint::Text(text) => text.clone(),
        Hint::ResumeOrTakeOver { run } => rollback::resume_or_take_over(run),
        Hint::GoOnRollingBack { run } => rollback::go_on(run),
        Hint::TakeBackFirst { run } => rollback::take_back_first(run),
        Hint::ForceTheDrop { collection } => format!("--force {collection} drops it anyway"),
        Hint::ForceTheDropOfCopies { collection } => {
            format!("--force {collection} drops it anyway; dump it first to keep it")
        }
        Hint::Source(hint) => of_source(*hint).to_owned(),
        Hint::SaveAnotherPlan => plans::SAVE_ANOTHER.to_owned(),
        hint => server::of(hint).unwrap_or_else(|| of_end_in_general(hint)).to_owned(),
    }
}

/// The hints that name nothing of the case in hand.
fn of_end_in_general(hint: &Hint) -> &'static str {
    match hint {
        Hint::NameASource => {
            "name a .bson, .archive or .json file, a mongodump folder, or - for standard input"
        }
        Hint::NameADump => {
            "name a mongodump folder or the folder of a database in it: it holds .bson files"
        }
        Hint::NameALiveDatabase => {
            "name the database in the connection string (mongodb://HOST/DATABASE), or with --db"
        }
        Hint::ChooseADatabase => "choose one with --db",
        Hint::ChooseACollection => {
            "choose another with --collection or --db; `reshelve inspect` lists what is there"
        }
        Hint::NameTheSourceFirst => targets::SOURCE_FIRST,
        Hint::ChooseStoredDocuments => {
            "choose a collection that stores documents with --collection"
        }
        Hint::DecideOnExisting => {
            "--allow-existing keeps what is there and adds to it; --replace also replaces jobs \
             that differ"
        }
        Hint::SameCompression => {
            "use the same --gzip or --zstd as before, or another target folder"
        }
        Hint::MendTheTarget => targets::MEND_THE_TARGET,
        Hint::PutBackTheFile => targets::PUT_BACK_THE_FILE,
        Hint::PutBackTheFolder => targets::PUT_BACK_THE_FOLDER,
        Hint::PutBackWhatWasKept => rollback::PUT_BACK_WHAT_WAS_KEPT,
        Hint::ResumeTheReplacingRun => {
            "a run with --replace was interrupted there: resume it, and it removes the earlier \
             versions"
        }
        Hint::WaitForTheRun => {
            "wait until it ends, or resume it if it is paused: `reshelve runs` shows which"
        }
        Hint::WaitForTheLease => targets::WAIT_FOR_THE_LEASE,
        Hint::MakeRoom => "make room, or use --gzip; --skip-disk-check starts anyway",
        Hint::LookWhoWrites => {
            "find out what else writes there; if the target of a run is gone, start a new run"
        }
        Hint::FreeTheId => rollback::FREE_THE_ID,
        Hint::ResumeKeepsACopy => rollback::RESUME_KEEPS_A_COPY,
        Hint::CheckTheOtherRun => {
            "before anything else, check with `reshelve verify` what that run did"
        }
        Hint::StartOverOnExisting => {
            "start a new run with --allow-existing: what is there counts as unchanged"
        }
        // `of_end` has the words of those that name something, `server` those of the others.
        Hint::PrintTheSourceRole
        | Hint::PrintTheTargetRole
        | Hint::CreateTheIndexAgain
        | Hint::DropTheIndexThatDeletes
        | Hint::CreateTheIndexes
        | Hint::SaveAnotherPlan
        | Hint::WriteWhatIsMissing
        | Hint::ChooseATargetDatabase
        | Hint::Text(_)
        | Hint::Source(_)
        | Hint::ResumeOrTakeOver { .. }
        | Hint::GoOnRollingBack { .. }
        | Hint::TakeBackFirst { .. }
        | Hint::ForceTheDrop { .. }
        | Hint::ForceTheDropOfCopies { .. } => "",
    }
}

/// A source of files that cannot be read as it is.
fn of_source(hint: SourceHint) -> &'static str {
    match hint {
        SourceHint::AllowEmpty => {
            "the command that writes it probably failed; if the collection is empty, use \
             --allow-empty"
        }
        SourceHint::MakeReadable => {
            "make it readable for this user, or name the file with the documents itself"
        }
        SourceHint::SaveToAFile => "save it to a file first",
        SourceHint::PipeAgain => {
            "give the same documents again: with --source FILE, or through another pipe with \
             --source -"
        }
        SourceHint::NameOneFile => "name the file that is meant",
        SourceHint::UnpackFirst => {
            "unpack it, then name the dump folder or the file that was inside"
        }
        SourceHint::DecompressFirst => {
            "decompress it first; plain files and files compressed with gzip or zstd are read"
        }
        SourceHint::DecryptFirst => "decrypt it first",
        SourceHint::ConvertToUtf8 => {
            "export again with `mongoexport --out FILE`, which no shell converts, or convert it: \
             iconv -t UTF-8 -f UTF-16 (or UTF-32) FILE > NEW"
        }
        SourceHint::ExportAsJson => {
            "export with `mongoexport --out FILE`, which writes JSON unless it is told to write CSV"
        }
        SourceHint::LeaveOutTheMessages => {
            "if it is a message of the tool that wrote the file, keep messages out: export again \
             with --out FILE, or remove these lines from a copy"
        }
        SourceHint::DumpAgain => "dump with mongodump, or export with mongoexport, from the server",
        SourceHint::GetTheFileAgain => "get the file itself again, and compare its checksum",
        SourceHint::NameTheLegacyFile => {
            "name the file of the legacy collection; if this is one that only has such a name, say \
             so with --collection"
        }
        SourceHint::NameTheFileItself => {
            "name the file itself: outside of a dump folder any name will do"
        }
    }
}
