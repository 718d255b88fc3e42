//! What to do about an error, as plain data: the words, which name commands and flags, belong to
//! the application.

use std::path::PathBuf;

/// What to do about an error at an end.
///
/// Exhaustive on purpose: an application does not compile before it has words for a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Said as it is: it names no flag and no command.
    Text(String),
    /// Name something that can be read.
    NameASource,
    /// Name a dump folder.
    NameADump,
    /// Choose a database.
    ChooseADatabase,
    /// Choose another collection or database.
    ChooseACollection,
    /// What was named as a source is a target.
    NameTheSourceFirst,
    /// Choose a collection that stores documents.
    ChooseStoredDocuments,
    /// Something about a source of files.
    Source(SourceHint),
    /// Say what to do with the documents that the target holds.
    DecideOnExisting,
    /// Use the same compression as before, or another folder.
    SameCompression,
    /// A target file is damaged or torn.
    MendTheTarget,
    /// A file was changed after a run wrote to it.
    PutBackTheFile,
    /// A target folder was moved or removed.
    PutBackTheFolder,
    /// What was kept of earlier versions is damaged or gone: put it back from a copy.
    PutBackWhatWasKept,
    /// A run that replaces was cut off: resume it.
    ResumeTheReplacingRun,
    /// Another run is at work: wait.
    WaitForTheRun,
    /// Another run is at work, or was until less than a minute ago: wait for its lease to expire.
    WaitForTheLease,
    /// A run was cut off: resume it, or take over.
    ResumeOrTakeOver {
        /// The run's folder, or its id.
        run: PathBuf,
    },
    /// A rollback was cut off: continue it.
    GoOnRollingBack {
        /// The folder of its run, or the id.
        run: PathBuf,
    },
    /// A later run relies on what this one wrote: take that one back first.
    TakeBackFirst {
        /// The later run.
        run: PathBuf,
    },
    /// A plan was used: save another one.
    SaveAnotherPlan,
    /// Make room, compress, or skip the check.
    MakeRoom,
    /// Something else writes to the target.
    LookWhoWrites,
    /// A document has the `_id` of one that is to be put back: give its job id back to it, or move it.
    FreeTheId,
    /// Something else wrote after the place where a run stopped: resuming it keeps a copy of that.
    ResumeKeepsACopy,
    /// The run was taken over: check what the other run did.
    CheckTheOtherRun,
    /// The run cannot be resumed: a new one finds what this one has written.
    StartOverOnExisting,
    /// The target lost what a run wrote: find out why, and write it again.
    WriteWhatIsMissing,
    /// The user lacks a privilege for reading.
    PrintTheSourceRole,
    /// The user lacks a privilege for writing.
    PrintTheTargetRole,
    /// Name the database of a live source.
    NameALiveDatabase,
    /// What has the name of a target collection is something else.
    ChooseATargetDatabase,
    /// An index of the target has another definition.
    CreateTheIndexAgain,
    /// An index deletes documents of the target.
    DropTheIndexThatDeletes,
    /// The target lacks indexes.
    CreateTheIndexes,
    /// A collection is dropped only when forced.
    ForceTheDrop {
        /// The collection.
        collection: String,
    },
    /// A collection that holds the only copy of documents is dropped only when forced.
    ForceTheDropOfCopies {
        /// The collection.
        collection: String,
    },
}

/// What to do about a source of files that cannot be read as it is.
///
/// Exhaustive on purpose, like [`Hint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceHint {
    /// Name the file of the legacy collection, or say that this is one.
    NameTheLegacyFile,
    /// Nothing came: say that this may be, or look at the producer.
    AllowEmpty,
    /// What cannot be read may be what was asked for.
    MakeReadable,
    /// Save it to a file first.
    SaveToAFile,
    /// Give the documents of a pipe once more.
    PipeAgain,
    /// Name the one of two files that is meant.
    NameOneFile,
    /// Unpack an archive of another kind.
    UnpackFirst,
    /// Decompress data of another kind.
    DecompressFirst,
    /// Decrypt the data.
    DecryptFirst,
    /// Convert text in another encoding.
    ConvertToUtf8,
    /// Export as JSON: this is CSV, or what the shell prints.
    ExportAsJson,
    /// Leave out what a tool printed besides the documents.
    LeaveOutTheMessages,
    /// Dump or export with the tools of the database.
    DumpAgain,
    /// What was saved is not the file that was meant.
    GetTheFileAgain,
    /// Name the file in the folder: its form is not that of a dump.
    NameTheFileItself,
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Hint::Text(text.to_owned())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Hint::Text(text)
    }
}
