//! `snapshot.json`: what a snapshot holds. It is written last: without it, there is no snapshot.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ends::{CollectionChecksum, Compression};

/// The version of a manifest.
pub const SCHEMA: &str = "reshelve.snapshot/1";

/// What a snapshot looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A folder as `mongodump` makes it.
    Folder,
    /// One file as `mongodump --archive` makes it.
    Archive,
}

/// What a snapshot holds, and where that came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was taken: ISO text in UTC.
    pub created_at: String,
    /// What made it: `reshelve 0.1.0`.
    pub tool: String,
    /// What it looks like.
    pub form: Form,
    /// How its objects are compressed.
    pub compression: Compression,
    /// The database.
    pub db: String,
    /// The collection.
    pub collection: String,
    /// How many documents, their bytes as BSON, and their checksum, which does not depend on their
    /// order.
    pub content: CollectionChecksum,
    /// The objects, the one with the documents first.
    pub objects: Vec<StoredObject>,
    /// Where the documents came from.
    pub source: TakenFrom,
    /// What people should know of how the source was read, a sentence each: that it was not one state
    /// of a live collection, for one.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether all of it was read again and compared before it got its name.
    pub read_back: bool,
}

/// An object of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Its path beside the manifest.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The BLAKE3 hash of its bytes, in hex.
    pub blake3: String,
}

/// Where the documents of a snapshot came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// The path, or the hosts and the database; without credentials.
    pub place: String,
    /// Its form, for people.
    pub form: String,
    /// The version of the server.
    pub server_version: Option<String>,
    /// The version of the tool that made the dump.
    pub tool_version: Option<String>,
    /// The server's logical clock before the documents were read, as `seconds.increment`.
    pub cluster_time: Option<String>,
    /// Whether the options and indexes of the collection are in the snapshot.
    pub has_metadata: bool,
}

impl Manifest {
    /// What to read to have the documents, where the objects lie `beside` the manifest: an archive, or
    /// the folder of a dump.
    pub fn documents_in(&self, beside: &Path) -> PathBuf {
        match self.objects.first().filter(|_| self.form == Form::Archive) {
            Some(object) => beside.join(&object.name),
            None => beside.to_owned(),
        }
    }
}
