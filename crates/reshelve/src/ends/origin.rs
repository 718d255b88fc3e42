//! The seam in front of a source: what can be opened, and opened again.

use std::path::PathBuf;

use super::{Compression, EndError, PlannedSource, Position, Source};

/// A source that has been opened.
pub struct Opened {
    /// The documents.
    pub source: Box<dyn Source>,
    /// What it is.
    pub description: SourceDescription,
    /// How many documents there are before the first one that it gives.
    pub first: u64,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opened").field("description", &self.description).finish()
    }
}

/// The form of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceForm {
    /// A file of BSON documents.
    BsonFile,
    /// A folder made by `mongodump`, or the folder of a database in it.
    DumpFolder,
    /// A file made by `mongodump --archive`.
    Archive,
    /// A file of Extended JSON.
    ExtendedJson,
    /// A collection of a live server.
    LiveCollection {
        /// What kind of server it is: `replica set`.
        topology: &'static str,
    },
}

impl SourceForm {
    /// What people call it, with its compression: `mongodump archive, gzip`.
    pub fn words(self, compression: Compression) -> String {
        let form = match self {
            SourceForm::BsonFile => "BSON file",
            SourceForm::DumpFolder => "mongodump folder",
            SourceForm::Archive => "mongodump archive",
            SourceForm::ExtendedJson => "Extended JSON",
            SourceForm::LiveCollection { topology } => {
                return format!("live collection, {topology}");
            }
        };
        match compression {
            Compression::None => form.to_owned(),
            _ => format!("{form}, {}", compression.name()),
        }
    }
}

/// What a source turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDescription {
    /// Its form.
    pub form: SourceForm,
    /// How its bytes are compressed.
    pub compression: Compression,
    /// The file with the documents (in a folder: the file inside it), `-` for standard input.
    pub path: PathBuf,
    /// Database and collection, where the source names them.
    pub namespace: Option<(String, String)>,
    /// Whether it can be opened a second time.
    pub rewindable: bool,
    /// Bytes where it is stored, if that is known.
    pub bytes_total: Option<u64>,
    /// What is known of an oplog that was dumped with the documents.
    pub oplog: Oplog,
    /// What people should know of it, a sentence each.
    pub notes: Vec<String>,
    /// What stands beside the documents.
    pub about: About,
}

/// What a source says of its collection beside the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Database and collection, where the names of files tell them and the content does not.
    pub namespace: Option<(String, String)>,
    /// Options and indexes of the collection, as `mongodump` writes them: Extended JSON.
    pub metadata: Option<String>,
    /// Why there are metadata that cannot be used, in a sentence.
    pub spoiled_metadata: Option<String>,
    /// The version of the server.
    pub server_version: Option<String>,
    /// The version of the tool that made the dump.
    pub tool_version: Option<String>,
    /// The server's logical clock before the documents were read, as `seconds.increment`.
    pub cluster_time: Option<String>,
}

/// What is known of an oplog that was dumped with the documents: they are one state of the data
/// only once it is replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Oplog {
    /// There is none.
    #[default]
    Absent,
    /// It has so many entries that change the collection.
    Entries(u64),
    /// There is one, and its entries cannot be counted before the documents are read.
    Unknown,
}

impl SourceDescription {
    /// How large the source is.
    pub fn size(&self) -> SourceSize {
        let is_compressed = self.compression != Compression::None;
        SourceSize { bytes: self.bytes_total, is_compressed }
    }

    /// What people call its form: `mongodump archive, gzip`.
    pub fn form_words(&self) -> String {
        self.form.words(self.compression)
    }
}

/// How large a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceSize {
    /// Its bytes where it lies, where that is known.
    pub bytes: Option<u64>,
    /// Whether they are compressed.
    pub is_compressed: bool,
}

impl SourceSize {
    /// The target bytes that a source is likely to become, where its size is known: finished
    /// novels grow by a few per cent, small documents by more; a compressed source grows by what
    /// text is usually compressed to.
    pub fn estimated_target_bytes(self) -> Option<u64> {
        let bytes = self.bytes?;
        let documents = if self.is_compressed { bytes.saturating_mul(4) } else { bytes };
        Some(documents.saturating_add(documents / 4))
    }
}

/// Where legacy documents come from.
pub trait Origin: Sync {
    /// Opens it at its beginning.
    ///
    /// # Errors
    /// Where there is nothing to read, or no telling what is meant.
    fn open(&self) -> Result<Opened, EndError>;

    /// Opens it where a run resumes: after that position where the source can find it, else at its
    /// beginning. [`Opened::first`] tells which.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    fn open_after(&self, _position: &Position) -> Result<Opened, EndError> {
        self.open()
    }

    /// Whether it can be opened a second time.
    fn is_rewindable(&self) -> bool {
        true
    }

    /// Gives each document's top-level `status` where it is a string, else `None`.
    ///
    /// # Errors
    /// Where the source cannot be opened, or could not be opened a second time.
    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError>;

    /// What it says of its collection beside the documents; a live server is asked.
    ///
    /// # Errors
    /// Where a live server does not tell.
    fn about(&self, description: &SourceDescription) -> Result<About, EndError> {
        Ok(description.about.clone())
    }

    /// What `run.json` says of it.
    fn planned(&self, description: &SourceDescription) -> PlannedSource;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_source_needs_no_more_room_than_its_documents() {
        let live = SourceDescription {
            form: SourceForm::LiveCollection { topology: "replica set" },
            compression: Compression::None,
            path: PathBuf::from("mongodb://localhost/legacy"),
            namespace: None,
            rewindable: true,
            bytes_total: Some(1_000),
            oplog: Oplog::Absent,
            notes: Vec::new(),
            about: About::default(),
        };
        assert_eq!(live.form_words(), "live collection, replica set");
        assert_eq!(live.size().estimated_target_bytes(), Some(1_250));
        let (form, compression) = (SourceForm::Archive, Compression::Gzip);
        let gzip = SourceDescription { form, compression, ..live };
        assert_eq!(gzip.form_words(), "mongodump archive, gzip");
        assert_eq!(gzip.size().estimated_target_bytes(), Some(5_000));
    }
}
