//! What `run.json` says of a source and of a target. It holds no secrets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::store::Identity;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As `mongodump --gzip` does; `mongorestore --gzip` takes it.
    Gzip,
    /// With zstd: for this tool only.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

    /// What it adds to a file's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// A target folder: where it keeps its files, and in which form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFolder {
    /// The folder that was named.
    pub root: PathBuf,
    /// The target's database: a folder inside it.
    pub db: String,
    /// How its files are compressed.
    pub compression: Compression,
}

/// A source as `run.json` names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSource {
    /// The path.
    pub path: PathBuf,
    /// The database that was picked inside it.
    pub db: Option<String>,
    /// The collection that was picked inside it.
    pub collection: Option<String>,
    /// What form it had.
    pub form: String,
    /// Its size on disk, where known.
    pub bytes: Option<u64>,
    /// Which file the documents were read from, where it is one: it is known by that when it was
    /// moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Identity>,
    /// Entries of an oplog in the dump that change the collection and are not applied, where they
    /// could be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oplog_entries: Option<u64>,
    /// What people should know of it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where it is, where it is a live collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LivePlace>,
}

impl PlannedSource {
    /// The source as people read it, with the database and collection that were picked inside it.
    pub fn name(&self) -> String {
        let db = self.live.as_ref().map(|live| &live.db).or(self.db.as_ref());
        let picked = [db, self.collection.as_ref()].into_iter().flatten();
        let picked: Vec<&str> = picked.map(String::as_str).collect();
        let path = self.path.display();
        match picked.is_empty() {
            true => path.to_string(),
            false => format!("{path} ({})", picked.join(".")),
        }
    }
}

/// A place in a live database, as `run.json` names it: without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePlace {
    /// The connection string without user, password and options; where `needs_uri` is not set,
    /// the whole of it.
    pub uri: String,
    /// Whether the connection string held credentials: then it has to be given again.
    pub needs_uri: bool,
    /// The hosts, sorted.
    pub hosts: Vec<String>,
    /// The name of the replica set, where there is one.
    pub replica_set: Option<String>,
    /// The database.
    pub db: String,
    /// The database that the connection string names, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri_db: Option<String>,
    /// The server's clock when the run began, where it has one: a live tail starts there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_time: Option<String>,
    /// Which collection it was, where it is one that was read: a resumed run reads no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<LiveCollection>,
}

/// What tells a live collection from another one of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCollection {
    /// Its UUID in hex, where the server shows it.
    pub uuid: Option<String>,
    /// How many documents it held when the run began.
    pub documents: u64,
}

/// A target as `run.json` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlannedTarget {
    /// A folder.
    Folder(TargetFolder),
    /// A live database.
    Live(LivePlace),
}

impl PlannedTarget {
    /// The folder, where it is one.
    pub fn folder(&self) -> Option<&TargetFolder> {
        match self {
            PlannedTarget::Folder(folder) => Some(folder),
            PlannedTarget::Live(_) => None,
        }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            PlannedTarget::Folder(folder) => folder.database().display().to_string(),
            PlannedTarget::Live(place) if place.uri_db.as_ref() == Some(&place.db) => {
                place.uri.split('?').next().unwrap_or_default().to_owned()
            }
            PlannedTarget::Live(place) => format!("{} ({})", place.uri, place.db),
        }
    }
}
