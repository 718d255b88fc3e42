//! Why a source cannot be opened, and what helps.

use std::io;
use std::path::{Path, PathBuf};

use super::content::Content;
use super::foreign::Foreign;
use super::pipe;
use crate::ends::{EndError, EndErrorKind, Hint, SourceHint, SourceSpec};
use crate::target_schema::Collection;

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file or folder.
    #[error("{}: not found", .path.display())]
    NotFound {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder holds no dump.
    #[error("{}: there is no dump in this folder", .path.display())]
    NoDump {
        /// The folder.
        path: PathBuf,
    },
    /// More than one database has the collection.
    #[error(
        "{}: the collection {collection} is in several databases: {}",
        .path.display(),
        .databases.join(", ")
    )]
    SeveralDatabases {
        /// The folder or archive.
        path: PathBuf,
        /// The collection.
        collection: String,
        /// The databases that have it, sorted.
        databases: Vec<String>,
    },
    /// The collection is not there.
    #[error("{}: there is no collection {wanted}; {}", .path.display(), present_text(.present))]
    NoCollection {
        /// The folder or archive.
        path: PathBuf,
        /// The collection that was asked for, with its database if one was named.
        wanted: String,
        /// The namespaces that are there, sorted.
        present: Vec<String>,
    },
    /// The file is one of a target: its documents would be mapped once more.
    #[error("{}: this is {collection}, a collection of a target, and no legacy collection", .path.display())]
    TargetFile {
        /// The file.
        path: PathBuf,
        /// Its collection.
        collection: Collection,
    },
    /// The namespace stores no documents of its own.
    #[error("{namespace}: {reason}")]
    NotASource {
        /// The namespace.
        namespace: String,
        /// Why not.
        reason: String,
    },
    /// The collection is there in more than one file.
    #[error("the same collection is in two files: {} and {}", .first.display(), .second.display())]
    TwoFiles {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The collection may be in what cannot be read, or cannot be read itself.
    #[error("{wanted}: {} cannot be read: {why}", .path.display())]
    Unreadable {
        /// The collection that was asked for, with its database if one was named.
        wanted: String,
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The content is none of the forms that are read.
    #[error("{name}: this is {what}")]
    WrongForm {
        /// The file, or `standard input`.
        name: String,
        /// What it looks like.
        what: String,
        /// What helps.
        hint: Hint,
    },
    /// Standard input, or a pipe, can be read only once, and this needs more.
    #[error("{name} cannot be read twice{}", pipe_text(.name))]
    NotRewindable {
        /// The path, or `standard input`.
        name: String,
    },
    /// The run had read a pipe, and its name leads nowhere any more.
    #[error("{}: the run read a pipe of this name, and it is gone", .path.display())]
    PipeGone {
        /// The path.
        path: PathBuf,
    },
    /// Nothing came through standard input, or a pipe.
    #[error("{name} is empty")]
    Empty {
        /// The path, or `standard input`.
        name: String,
    },
    /// A file that its name calls an archive is empty, and no archive is.
    #[error("{}: this is empty, and an archive never is", .path.display())]
    EmptyArchive {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
}

/// Whether these namespaces are those of a target, and nothing else.
fn is_target(present: &[String]) -> bool {
    let is_one = |namespace: &String| {
        let name = namespace.rsplit('.').next().unwrap_or_default();
        Collection::from_name(name).is_some()
    };
    !present.is_empty() && present.iter().all(is_one)
}

impl OpenError {
    /// What to do about it.
    pub fn hint(&self) -> Option<Hint> {
        Some(match self {
            OpenError::NotFound { .. } => Hint::NameASource,
            OpenError::NoDump { .. } => Hint::NameADump,
            OpenError::SeveralDatabases { .. } => Hint::ChooseADatabase,
            OpenError::NoCollection { present, .. } if is_target(present) => {
                Hint::NameTheSourceFirst
            }
            OpenError::TargetFile { .. } => Hint::Source(SourceHint::NameTheLegacyFile),
            OpenError::NoCollection { .. } => Hint::ChooseACollection,
            OpenError::NotASource { .. } => Hint::ChooseStoredDocuments,
            OpenError::TwoFiles { .. } => Hint::Source(SourceHint::NameOneFile),
            OpenError::NotRewindable { .. } => Hint::Source(SourceHint::SaveToAFile),
            OpenError::PipeGone { .. } => Hint::Source(SourceHint::PipeAgain),
            OpenError::Empty { .. } => Hint::Source(SourceHint::AllowEmpty),
            OpenError::EmptyArchive { .. } => Hint::Source(SourceHint::GetTheFileAgain),
            OpenError::WrongForm { hint, .. } => hint.clone(),
            OpenError::Unreadable { .. } => Hint::Source(SourceHint::MakeReadable),
            OpenError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Hint::Source(SourceHint::MakeReadable)
            }
            OpenError::Io { .. } => return None,
        })
    }

    pub(super) fn wrong_form(content: &Content, foreign: Foreign) -> OpenError {
        OpenError::WrongForm { name: content.name.clone(), what: foreign.what, hint: foreign.hint }
    }

    pub(super) fn not_rewindable(path: &Path) -> OpenError {
        OpenError::NotRewindable { name: pipe::name(path) }
    }

    /// The error for what the operating system said about a path.
    pub(super) fn of(path: &Path, source: io::Error) -> OpenError {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            OpenError::NotFound { path }
        } else {
            OpenError::Io { path, source }
        }
    }
}

impl From<OpenError> for EndError {
    fn from(error: OpenError) -> Self {
        let kind = match error {
            // The name makes sense, and the system refused to read what it names.
            OpenError::NotFound { .. } | OpenError::Io { .. } | OpenError::Unreadable { .. } => {
                EndErrorKind::Failed
            }
            _ => EndErrorKind::Usage,
        };
        let (message, hint) = (error.to_string(), error.hint());
        EndError { kind, hint, ..EndError::failed(message, None).caused_by(error) }
    }
}

fn pipe_text(name: &str) -> &'static str {
    if name == "standard input" { "" } else { ": it is not a regular file" }
}

fn present_text(present: &[String]) -> String {
    match present {
        [] => "there are no collections".to_owned(),
        [one] => format!("there is {one}"),
        several => format!("there are {}", several.join(", ")),
    }
}

/// The target collection whose name a file has, unless that one was asked for.
pub(super) fn target_file(spec: &SourceSpec) -> Option<OpenError> {
    let parts: Vec<&str> = spec.path.file_name()?.to_str()?.split('.').collect();
    // In an archive it is the namespaces that tell.
    if parts.contains(&"archive") {
        return None;
    }
    // Some tools write the name of the database in front.
    let collection = parts.iter().find_map(|part| Collection::from_name(part))?;
    let is_asked_for = spec.collection.as_deref() == Some(collection.name());
    (!is_asked_for).then(|| OpenError::TargetFile { path: spec.path.clone(), collection })
}

/// What was asked for, in words.
pub(super) fn wanted(spec: &SourceSpec) -> String {
    let collection = spec.collection.as_deref().unwrap_or(super::COLLECTION_DEFAULT);
    match &spec.db {
        Some(db) => format!("{db}.{collection}"),
        None => collection.to_owned(),
    }
}

/// Why a namespace of that type is not a source.
pub(super) fn kind_reason(kind: &str) -> String {
    match kind {
        "view" => "this is a view, which stores no documents".to_owned(),
        "timeseries" => "this is a time series, whose documents are stored in buckets".to_owned(),
        _ => format!("this is of type {kind}"),
    }
}
