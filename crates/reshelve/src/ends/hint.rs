//! What to do about an error, as plain data: the words, which name commands and flags, belong to
//! the application.

use std::path::PathBuf;

/// What to do about an error at an end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Said as it is.
    Text(String),
    /// Name something that can be read.
    NameASource,
    /// Name a dump folder.
    NameADump,
    /// Choose a database.
    ChooseADatabase,
    /// Choose another collection or database.
    ChooseACollection,
    /// Choose a collection that stores documents.
    ChooseStoredDocuments,
    /// Name the one of two files that is meant.
    NameOneFile,
    /// Save it to a file first.
    SaveToAFile,
    /// Say what to do with the documents that the target holds.
    DecideOnExisting,
    /// Use the same compression as before, or another folder.
    SameCompression,
    /// A target file is damaged or torn.
    MendTheTarget,
    /// A run that replaces was cut off: resume it.
    ResumeTheReplacingRun,
    /// Another run is at work: wait.
    WaitForTheRun,
    /// A run was cut off: resume it, or take over.
    ResumeOrTakeOver {
        /// The run's folder, or its id.
        run: PathBuf,
    },
    /// Make room, compress, or skip the check.
    MakeRoom,
    /// Something else writes to the target.
    LookWhoWrites,
}

impl Hint {
    /// The words.
    pub fn text(&self) -> String {
        match self {
            Hint::Text(text) => text.clone(),
            Hint::NameASource => "name a .bson, .archive or .json file, a mongodump folder, or - \
                for standard input"
                .into(),
            Hint::NameADump => "name a mongodump folder or the folder of a database in it: it \
                holds .bson files"
                .into(),
            Hint::ChooseADatabase => "choose one with --db".into(),
            Hint::ChooseACollection => "choose another with --collection or --db".into(),
            Hint::ChooseStoredDocuments => {
                "choose a collection that stores documents with --collection".into()
            }
            Hint::NameOneFile => "name the file that is meant".into(),
            Hint::SaveToAFile => "save it to a file first".into(),
            Hint::DecideOnExisting => "--allow-existing adds to what is there and leaves it as it \
                is; --replace also replaces jobs that differ"
                .into(),
            Hint::SameCompression => {
                "use the same --gzip or --zstd as before, or another target folder".into()
            }
            Hint::MendTheTarget => "if a run was interrupted there, resume it or use --take-over; \
                otherwise mend the folder or use a new one"
                .into(),
            Hint::ResumeTheReplacingRun => "a run with --replace was interrupted there: resume \
                it, and it removes the earlier versions"
                .into(),
            Hint::WaitForTheRun => "wait until it ends; `reshelve runs` shows it".into(),
            Hint::ResumeOrTakeOver { run } => format!(
                "`reshelve resume {}` resumes it; --take-over breaks its lock and starts a new run",
                run.display()
            ),
            Hint::MakeRoom => {
                "make room, or use --gzip; --skip-disk-check starts all the same".into()
            }
            Hint::LookWhoWrites => "check what else writes there; if the target of a run is gone, \
                start a new run"
                .into(),
        }
    }
}
