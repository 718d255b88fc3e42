//! What is there: databases, collections, sizes and indexes, without a look into the documents.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crc::Digest;

use super::archive_body::{Body, CRC, TERMINATOR, Tables, truncated};
use super::bson_file::BsonFile;
use super::content::{Content, Fault};
use super::detect::{FileForm, detect, foreign_in_folder};
use super::error::OpenError;
use super::feed::Feed;
use super::metadata::Metadata;
use super::prelude::{Namespace, Prelude};
use super::{COLLECTION_DEFAULT, about, dump_folder, open, oplog, pipe, snapshot_archive};
use crate::ends::{Batch, BatchLimits, Compression, Oplog, Place, Source, SourceForm, SourceSpec};
use crate::target_schema::Index;

/// Collections that the plan asks about: did any version of the application keep parts of a novel
/// outside `jobs`?
const AUXILIARY: [&str; 12] = [
    "books",
    "chapters",
    "characters",
    "drafts",
    "events",
    "logs",
    "manuscripts",
    "metrics",
    "novels",
    "outlines",
    "scenes",
    "stories",
];
/// How the names of the target collections begin.
const TARGET_PREFIX: &str = "novel_";

/// What a source holds.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Inventory {
    /// The file or folder.
    pub path: PathBuf,
    /// For people: `mongodump archive, gzip`.
    pub form: String,
    /// The version of the server that was dumped, if the dump names it.
    pub server_version: Option<String>,
    /// The version of the tool that made the dump, if the dump names it.
    pub tool_version: Option<String>,
    /// Sorted by database and name.
    pub collections: Vec<CollectionInfo>,
    /// Names of collections that may hold parts of novels besides the legacy collection, sorted.
    pub auxiliary: Vec<String>,
    /// Names of target collections that exist already, sorted.
    pub targets_present: Vec<String>,
    /// Damage outside of the collections.
    pub damage: Option<String>,
    /// Entries of an oplog that change the legacy collection, if there is an oplog and they could
    /// be counted.
    pub oplog_entries: Option<u64>,
    /// What people should know of what was left out, a sentence each.
    pub notes: Vec<String>,
}

/// One collection of an [`Inventory`].
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct CollectionInfo {
    /// Its database; `None` for a single file.
    pub db: Option<String>,
    /// Its name; for a single file, the name of the file.
    pub name: String,
    /// `collection`, `view`, `timeseries`; `None` if the dump does not say.
    pub kind: Option<String>,
    /// The files with its documents; none in an archive.
    pub files: Vec<PathBuf>,
    /// Bytes of these files.
    pub bytes_on_disk: Option<u64>,
    /// Documents counted.
    pub documents: u64,
    /// Bytes of these documents, uncompressed.
    pub document_bytes: u64,
    /// From the metadata, in its order.
    pub indexes: Vec<Index>,
    /// Damage met while counting: what comes after it is not counted.
    pub damage: Option<String>,
}

/// Lists what is there and counts documents. The inventory reports damage.
///
/// # Errors
/// If there is nothing to inspect.
pub fn inspect(spec: &SourceSpec) -> Result<Inventory, OpenError> {
    let spec = &snapshot_archive::resolved(spec);
    if pipe::is_pipe(&spec.path) {
        return Err(OpenError::not_rewindable(&spec.path));
    }
    let failed = |error| OpenError::of(&spec.path, error);
    let mut inventory = Inventory { path: spec.path.clone(), ..Inventory::default() };
    if fs::metadata(&spec.path).map_err(failed)?.is_dir() {
        inventory.form = SourceForm::DumpFolder.words(Compression::None);
        inspect_folder(spec, &mut inventory)?;
    } else {
        let mut content = Content::open(&spec.path).map_err(failed)?;
        if detect(&mut content) == Ok(FileForm::Archive) {
            inventory.form = SourceForm::Archive.words(content.compression);
            inspect_archive(content, spec, &mut inventory);
        } else {
            inspect_file(spec, &mut inventory)?;
        }
    }
    inventory.sort();
    Ok(inventory)
}

impl Inventory {
    fn tell_oplog(&mut self, entries: Option<u64>, wanted: &[Namespace]) {
        self.oplog_entries = entries;
        let names: Vec<String> = wanted.iter().map(Namespace::to_string).collect();
        let found = match entries {
            Some(0) => return,
            Some(entries) => oplog::words(entries, &names.join(" and ")),
            None => "the dump has an oplog that cannot be read to its end".to_owned(),
        };
        self.notes.push(format!("{found}; {}", oplog::ADVICE));
    }

    /// Whether any documents cannot be read.
    pub fn is_damaged(&self) -> bool {
        self.damage.is_some() || self.collections.iter().any(|it| it.damage.is_some())
    }

    /// Sorts the collections, and names those that need attention.
    pub fn sort(&mut self) {
        self.collections.sort_by(|a, b| (&a.db, &a.name).cmp(&(&b.db, &b.name)));
        let names = |is: fn(&str) -> bool| {
            let found = self.collections.iter().filter(|it| is(&it.name));
            let mut names: Vec<String> = found.map(CollectionInfo::full_name).collect();
            names.sort();
            names
        };
        self.auxiliary = names(|name| AUXILIARY.contains(&name));
        self.targets_present = names(|name| name.starts_with(TARGET_PREFIX));
    }
}

impl CollectionInfo {
    fn new(namespace: Namespace) -> CollectionInfo {
        let Namespace { db, collection } = namespace;
        CollectionInfo { db: Some(db), name: collection, ..CollectionInfo::default() }
    }

    fn full_name(&self) -> String {
        self.db.as_ref().map_or_else(|| self.name.clone(), |db| format!("{db}.{}", self.name))
    }

    /// Takes what the metadata say; gives a note where they say nothing.
    fn describe(&mut self, metadata: Option<Metadata>) -> Option<String> {
        let metadata = metadata?;
        self.kind = metadata.kind;
        self.indexes = metadata.indexes;
        let note = || format!("{}: the metadata is not well formed", self.full_name());
        (!metadata.readable).then(note)
    }

    /// Counts the documents of a file.
    fn count_file(&mut self, file: &Path) -> io::Result<()> {
        self.files.push(file.to_owned());
        let mut content = Content::open(file)?;
        self.bytes_on_disk = content.bytes_total;
        match foreign_in_folder(&mut content) {
            Some(foreign) => self.damage = Some(format!("this is {}", foreign.what)),
            None => self.count(&mut BsonFile::new(content)),
        }
        Ok(())
    }

    /// What the metadata say of it, for another file with its documents.
    fn without_documents(self) -> CollectionInfo {
        CollectionInfo {
            files: Vec::new(),
            bytes_on_disk: None,
            documents: 0,
            document_bytes: 0,
            damage: None,
            ..self
        }
    }

    /// Counts the documents of a source.
    fn count(&mut self, source: &mut dyn Source) {
        let mut batch = Batch::default();
        loop {
            match source.fill(&mut batch, BatchLimits::default()) {
                Ok(true) => {}
                Ok(false) => return,
                Err(damage) => return self.damage = Some(damage.to_string()),
            }
            for item in &batch.items {
                self.documents += 1;
                self.document_bytes += u64::try_from(item.end - item.start).unwrap_or(0);
            }
            batch.clear();
        }
    }
}

/// A file with one collection: only the name of the file tells its name.
fn inspect_file(spec: &SourceSpec, inventory: &mut Inventory) -> Result<(), OpenError> {
    let file_name = spec.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = file_name.unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
    // Whatever it is, it is what was asked about.
    let mut opened = open(&SourceSpec { collection: Some(name.clone()), ..spec.clone() })?;
    inventory.form = opened.description.form_words();
    let mut info = CollectionInfo {
        name,
        files: vec![spec.path.clone()],
        bytes_on_disk: opened.description.bytes_total,
        ..CollectionInfo::default()
    };
    info.count(opened.source.as_mut());
    inventory.collections.push(info);
    if let (Oplog::Unknown, Some((db, collection))) =
        (opened.description.oplog, opened.description.namespace)
    {
        let wanted = [Namespace { db, collection }];
        let entries = oplog::count_files(&oplog::files_of_one(&spec.path), &wanted);
        inventory.tell_oplog(entries, &wanted);
    }
    Ok(())
}

fn inspect_folder(spec: &SourceSpec, inventory: &mut Inventory) -> Result<(), OpenError> {
    let folder = dump_folder::list(&spec.path)?;
    inventory.notes = folder.notes();
    let versions = about::versions(&folder.preludes);
    (inventory.server_version, inventory.tool_version) = versions.unwrap_or_default();
    let mut oplogs = Vec::new();
    for (namespace, collection) in folder.collections {
        let is_wanted = is_wanted(spec, &namespace);
        let mut info = CollectionInfo::new(namespace);
        inventory.notes.extend(info.describe(collection.metadata));
        for file in &collection.data {
            if is_wanted {
                oplogs.extend(oplog::files(&spec.path, file));
            }
            if let Err(error) = info.count_file(file) {
                let why = format!("{} cannot be read: {error}", file.display());
                match is_wanted {
                    true => info.damage = Some(why),
                    false => inventory.notes.push(why),
                }
            }
            // Two files are two rows: which one is meant is for the reader to say.
            inventory.collections.push(info.clone());
            info = info.without_documents();
        }
        if collection.data.is_empty() {
            let unreadable = collection.unreadable.filter(|_| is_wanted);
            info.damage = unreadable.map(|(path, why)| format!("{}: {why}", path.display()));
            inventory.collections.push(info);
        }
    }
    oplogs.sort();
    oplogs.dedup();
    if !oplogs.is_empty() {
        let wanted = wanted(spec, inventory);
        inventory.tell_oplog(oplog::count_files(&oplogs, &wanted), &wanted);
    }
    Ok(())
}

/// Whether a namespace is the legacy collection.
fn is_wanted(spec: &SourceSpec, namespace: &Namespace) -> bool {
    namespace.collection == spec.collection.as_deref().unwrap_or(COLLECTION_DEFAULT)
        && spec.db.as_ref().is_none_or(|db| *db == namespace.db)
}

/// The legacy collection, in each database that has it.
fn wanted(spec: &SourceSpec, inventory: &Inventory) -> Vec<Namespace> {
    let namespace = |info: &CollectionInfo| {
        Some(Namespace { db: info.db.clone()?, collection: info.name.clone() })
    };
    let all = inventory.collections.iter().filter_map(namespace);
    all.filter(|namespace| is_wanted(spec, namespace)).collect()
}

/// A namespace of an archive, while its blocks are counted.
struct Counted {
    info: CollectionInfo,
    digest: Digest<'static, u64, Tables>,
    ended: bool,
}

fn inspect_archive(content: Content, spec: &SourceSpec, inventory: &mut Inventory) {
    let mut feed = Feed::new(content);
    let mut counted = BTreeMap::new();
    let result = match Prelude::read(&mut feed) {
        Ok(prelude) => {
            let mut body = Body::new(&prelude);
            inventory.server_version = prelude.server_version;
            inventory.tool_version = prelude.tool_version;
            for entry in prelude.collections {
                let mut info = CollectionInfo::new(entry.namespace.clone());
                let metadata = entry.metadata.filter(|text| !text.is_empty());
                let metadata = metadata.map(|text| Metadata::parse(text.as_bytes()));
                inventory.notes.extend(info.describe(metadata));
                info.kind = entry.kind.or(info.kind);
                // These have no documents of their own, so they have no end marker.
                let ended = matches!(info.kind.as_deref(), Some("view" | "timeseries"));
                let counting = Counted { info, digest: CRC.digest(), ended };
                counted.insert(entry.namespace, counting);
            }
            count_body(&mut feed, &mut body, &mut counted)
        }
        Err(fault) => Err(fault),
    };
    if let Err(fault) = result {
        let place = Place { offset: feed.offset(), line: 0, column: 0 };
        inventory.damage = Some(feed.content.damage(fault, place).to_string());
    }
    let has_oplog = counted.keys().any(oplog::is_oplog);
    for (namespace, counted) in counted {
        // Its documents are none of a collection.
        if oplog::is_oplog(&namespace) {
            continue;
        }
        let mut info = counted.info;
        if !counted.ended && info.damage.is_none() {
            info.damage = Some("truncated: the archive ends before the collection does".to_owned());
        }
        inventory.collections.push(info);
    }
    if has_oplog {
        let wanted = wanted(spec, inventory);
        inventory.tell_oplog(oplog::count_archive(&spec.path, &wanted), &wanted);
    }
}

fn count_body(
    feed: &mut Feed,
    body: &mut Body,
    counted: &mut BTreeMap<Namespace, Counted>,
) -> Result<(), Fault> {
    while let Some(header) = body.header(feed)? {
        let namespace = header.namespace;
        let counting = counted.entry(namespace.clone()).or_insert_with(|| Counted {
            info: CollectionInfo::new(namespace),
            digest: CRC.digest(),
            ended: false,
        });
        if !header.end {
            count_block(feed, counting)?;
            continue;
        }
        counting.ended = true;
        let sum = std::mem::replace(&mut counting.digest, CRC.digest()).finalize();
        if sum.to_le_bytes() != header.crc.to_le_bytes() {
            counting.info.damage =
                Some("its documents do not match the checksum that the archive states".into());
        }
    }
    Ok(())
}

fn count_block(feed: &mut Feed, counting: &mut Counted) -> Result<(), Fault> {
    loop {
        if !feed.need(4)? {
            return Err(truncated());
        }
        if feed.bytes().starts_with(&TERMINATOR) {
            feed.advance(4);
            return Ok(());
        }
        let length = feed.document()?;
        counting.digest.update(&feed.bytes()[..length]);
        counting.info.documents += 1;
        counting.info.document_bytes += u64::try_from(length).unwrap_or(0);
        feed.advance(length);
    }
}
