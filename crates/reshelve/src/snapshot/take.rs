//! Writing the objects of a snapshot, in one pass over the source.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::error::SnapshotError;
use super::manifest::{Form, StoredObject};
use super::object::Object;
use crate::dump::{
    ArchivedCollection, END_OF_BLOCK, Listed, PRELUDE, UNKNOWN_VERSION, archive_prelude, escape,
};
use crate::ends::{About, CollectionChecksum, Compression, Source};
use crate::pass::{Checksum, Original, Round, checksum_hash, in_parallel};
use crate::store::Files;

/// How a source is read.
#[derive(Clone, Copy)]
pub struct Reading<'r> {
    /// How many threads work.
    pub threads: usize,
    /// Set from outside: ends the reading.
    pub stop: &'r AtomicBool,
}

/// What a snapshot becomes.
pub struct Wanted<'w> {
    /// The folder that gets the objects.
    pub folder: &'w Path,
    /// What it looks like.
    pub form: Form,
    /// How the objects are compressed.
    pub compression: Compression,
    /// The name of the archive's file, where it is an archive.
    pub archive: &'w str,
    /// The database.
    pub db: &'w str,
    /// The collection.
    pub collection: &'w str,
    /// What stands beside the documents.
    pub about: &'w About,
    /// The version of this tool, as a dump names it.
    pub tool: &'w str,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The documents.
    pub content: CollectionChecksum,
    /// The objects, the one with the documents first.
    pub objects: Vec<StoredObject>,
    /// What people should know of how the source was read, a sentence each; at most so many as are
    /// worth keeping.
    pub notes: Vec<String>,
}

/// Notes that a manifest keeps: a server that is lost again and again says the same each time.
const NOTES_MAX: usize = 100;

/// What is heard while a snapshot is taken or read.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'h> {
    /// How much was read.
    Read {
        /// Documents.
        documents: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// What people should know, in a sentence.
    Note(&'h str),
}

/// Writes the objects of a snapshot, durably; `tell` hears how far it is.
///
/// # Errors
/// If the source cannot be read to its end, holds text that is no document, or the file system
/// refuses. What was written until then is of no use.
pub fn take(
    files: &dyn Files,
    source: &mut dyn Source,
    wanted: &Wanted<'_>,
    reading: Reading<'_>,
    tell: &mut dyn FnMut(Heard<'_>),
) -> Result<Taken, SnapshotError> {
    let metadata = wanted.metadata();
    let mut workers = vec![(); reading.threads.max(1)];
    let mut taken =
        Taken { content: CollectionChecksum::default(), objects: Vec::new(), notes: Vec::new() };
    let mut archived = match wanted.form {
        Form::Archive => Some(ArchivedCollection::new(wanted.db, wanted.collection)),
        Form::Folder => None,
    };
    let mut object = wanted.object(files, &wanted.documents(), &mut workers)?;
    if archived.is_some() {
        let listed = Listed { db: wanted.db, collection: wanted.collection, metadata: &metadata };
        let server = wanted.about.server_version.as_deref().unwrap_or(UNKNOWN_VERSION);
        object.put(&archive_prelude(server, wanted.tool, &[listed]))?;
    }
    let (mut round, mut checksum) = (Round::default(), Checksum::default());
    let mut parsers = vec![(); reading.threads.max(1)];
    let mut documents = 0;
    loop {
        let is_more = round.read(source, reading.stop);
        for note in round.take_notes() {
            tell(Heard::Note(&note));
            if taken.notes.len() < NOTES_MAX {
                taken.notes.push(note);
            }
        }
        if !is_more? {
            break;
        }
        let originals = round.documents();
        let parsed = in_parallel(&mut parsers, &originals, |(), original| parsed(original));
        if let Some(archived) = &archived {
            object.put(&archived.header())?;
        }
        for (original, parsed) in originals.iter().zip(parsed) {
            let (hash, text) = parsed?;
            let bytes = text.as_deref().unwrap_or(original.bytes);
            checksum.add_hashed(bytes.len(), &hash);
            if let Some(archived) = &mut archived {
                archived.count(bytes);
            }
            object.put(bytes)?;
            documents += 1;
        }
        if archived.is_some() {
            object.put(&END_OF_BLOCK)?;
        }
        tell(Heard::Read { documents, bytes: source.bytes_read() });
    }
    if let Some(archived) = archived {
        object.put(&archived.end())?;
    }
    taken.objects.push(object.finish()?);
    taken.content = checksum.finish();
    if wanted.form == Form::Folder {
        for (name, text) in wanted.small(&metadata) {
            let mut object = wanted.object(files, &name, &mut workers)?;
            object.put(text.as_bytes())?;
            taken.objects.push(object.finish()?);
        }
    }
    Ok(taken)
}

/// A document's hash, and its bytes if it came as text.
type Parsed = ([u8; 32], Option<Vec<u8>>);

fn parsed(original: &Original<'_>) -> Result<Parsed, SnapshotError> {
    let mut text = Vec::new();
    match original.bson(&mut text) {
        Ok(bson) => {
            let hash = checksum_hash(bson);
            Ok((hash, original.is_text().then_some(text)))
        }
        Err(error) => {
            Err(SnapshotError::Malformed { place: original.place, detail: error.to_string() })
        }
    }
}

impl Wanted<'_> {
    /// The metadata of the collection as a dump has it: that of the source, under the name that it has
    /// here, or that of a collection with nothing but its `_id`.
    fn metadata(&self) -> String {
        self.about.metadata.as_deref().map(|text| self.named(text)).unwrap_or_else(|| {
            let name = serde_json::Value::from(self.collection);
            format!(
                "{{\"indexes\":[{{\"v\":{{\"$numberInt\":\"2\"}},\"key\":{{\"_id\":\
                 {{\"$numberInt\":\"1\"}}}},\"name\":\"_id_\"}}],\"collectionName\":{name},\
                 \"type\":\"collection\"}}"
            )
        })
    }

    /// The metadata of the source, with the name of the collection here: readers believe that before
    /// the name of the file.
    fn named(&self, text: &str) -> String {
        let parsed = serde_json::from_str(text);
        let Ok(mut metadata): Result<serde_json::Value, _> = parsed else { return text.to_owned() };
        match metadata.get_mut("collectionName") {
            Some(name) if *name != self.collection => {
                *name = serde_json::Value::from(self.collection);
                metadata.to_string()
            }
            _ => text.to_owned(),
        }
    }

    /// The name of the object with the documents.
    fn documents(&self) -> String {
        match self.form {
            Form::Archive => self.archive.to_owned(),
            Form::Folder => self.in_folder(&format!("{}.bson", escape(self.collection))),
        }
    }

    /// The names of the small objects of a folder, and what is in them.
    fn small(&self, metadata: &str) -> Vec<(String, String)> {
        let name = format!("{}.metadata.json", escape(self.collection));
        let mut small = vec![(self.in_folder(&name), metadata.to_owned())];
        if let Some(server) = &self.about.server_version {
            let prelude = serde_json::json!({
                "ServerVersion": server,
                "ToolVersion": self.tool,
            });
            small.push((self.in_folder(PRELUDE), prelude.to_string()));
        }
        small
    }

    fn in_folder(&self, name: &str) -> String {
        format!("{}/{name}{}", self.db, self.compression.suffix())
    }

    fn object<'t>(
        &self,
        files: &dyn Files,
        name: &str,
        workers: &'t mut [()],
    ) -> Result<Object<'t>, SnapshotError> {
        let place = (self.folder, name.to_owned());
        Ok(Object::create(files, place, self.compression, workers)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_name_the_collection_as_the_snapshot_does() {
        let about = About {
            metadata: Some(r#"{"indexes":[{"v":2}],"collectionName":"other"}"#.to_owned()),
            ..About::default()
        };
        let wanted = Wanted {
            folder: Path::new("."),
            form: Form::Folder,
            compression: Compression::None,
            archive: "",
            db: "legacy",
            collection: "jobs",
            about: &about,
            tool: "a tool",
        };
        assert_eq!(wanted.metadata(), r#"{"indexes":[{"v":2}],"collectionName":"jobs"}"#);
        assert_eq!(
            Wanted { collection: "other", ..wanted }.metadata(),
            about.metadata.clone().unwrap()
        );
    }
}
