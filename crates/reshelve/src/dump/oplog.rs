//! The oplog in a dump that `mongodump --oplog` made: how many of its entries change the wanted
//! collection. The documents of such a dump are one state of the data only once it is replayed.

use std::path::{Path, PathBuf};

use super::archive_body::{Body, TERMINATOR};
use super::bson_file::BsonFile;
use super::content::Content;
use super::dump_folder::OPLOG;
use super::feed::Feed;
use super::prelude::{Namespace, Prelude};
use crate::ends::{Batch, BatchLimits, Compression, Source};
use crate::store::folder_of;
use reshelve_core::raw::{Document, Value, check};

/// What to do with a dump whose oplog has entries of the collection.
pub(super) const ADVICE: &str = "they are not applied, so the documents may be older: restore the \
    dump into a scratch server with `mongorestore --oplogReplay`, and dump that";

/// How many entries there are, in words.
pub(super) fn words(entries: u64, namespace: &str) -> String {
    let noun = if entries == 1 { "entry" } else { "entries" };
    format!("the dump has an oplog with {entries} {noun} of {namespace}")
}

/// How deep `applyOps` may be nested; the server allows less.
const NESTED_MAX: usize = 16;
/// Commands that change the documents of a collection, or which collection has its name.
const COMMANDS: [&[u8]; 5] =
    [b"create", b"drop", b"emptycapped", b"convertToCapped", b"renameCollection"];

/// Whether this is the namespace that an archive gives the oplog.
pub(super) fn is_oplog(namespace: &Namespace) -> bool {
    namespace.db.is_empty() && namespace.collection == OPLOG
}

/// The oplogs that belong to a folder: in it, or beside its database's folder.
pub(super) fn files(root: &Path, documents: &Path) -> Vec<PathBuf> {
    let database = documents.parent().and_then(|folder| folder.canonicalize().ok());
    let beside = database.as_deref().and_then(Path::parent);
    let root = root.canonicalize().ok();
    let mut folders: Vec<&Path> = root.as_deref().into_iter().chain(beside).collect();
    folders.dedup();
    let mut found = Vec::new();
    for folder in folders {
        // With metadata it is a collection of that name.
        let metadata = |compression: Compression| {
            folder.join(format!("{OPLOG}.metadata.json{}", compression.suffix()))
        };
        if Compression::ALL.into_iter().any(|compression| metadata(compression).exists()) {
            continue;
        }
        for compression in Compression::ALL {
            let file = folder.join(format!("{OPLOG}.bson{}", compression.suffix()));
            if file.is_file() {
                found.push(file);
            }
        }
    }
    found
}

/// The oplogs that belong to one file of documents, named by itself.
pub(super) fn files_of_one(documents: &Path) -> Vec<PathBuf> {
    let folder = folder_of(documents);
    files(folder, &folder.join(documents.file_name().unwrap_or_default()))
}

/// Counts the entries of some files that change one of these collections; none if they cannot be
/// read to their end.
pub(super) fn count_files(files: &[PathBuf], wanted: &[Namespace]) -> Option<u64> {
    let mut entries = 0;
    for file in files {
        let mut source = BsonFile::new(Content::open(file).ok()?);
        let mut batch = Batch::default();
        while source.fill(&mut batch, BatchLimits::default()).ok()? {
            let documents = batch.items.iter().map(|item| batch.document(item));
            entries += documents.map(|document| count(document, wanted)).sum::<u64>();
            batch.clear();
        }
    }
    Some(entries)
}

/// The same for the oplog in an archive.
pub(super) fn count_archive(path: &Path, wanted: &[Namespace]) -> Option<u64> {
    let mut feed = Feed::new(Content::open(path).ok()?);
    let prelude = Prelude::read(&mut feed).ok()?;
    let mut body = Body::new(&prelude);
    let mut entries = 0;
    while let Some(header) = body.header(&mut feed).ok()? {
        if header.end {
            continue;
        }
        let is_oplog = is_oplog(&header.namespace);
        while feed.need(4).ok()? && !feed.bytes().starts_with(&TERMINATOR) {
            let length = feed.document().ok()?;
            if is_oplog {
                entries += count(&feed.bytes()[..length], wanted);
            }
            feed.advance(length);
        }
        feed.advance(TERMINATOR.len());
    }
    Some(entries)
}

/// How many changes of these collections an entry stands for.
pub(super) fn count(entry: &[u8], wanted: &[Namespace]) -> u64 {
    if check(entry).is_err() {
        return 0;
    }
    count_operation(Document::new(entry), wanted, NESTED_MAX)
}

fn count_operation(entry: Document<'_>, wanted: &[Namespace], nested_max: usize) -> u64 {
    let text = |name| entry.get(name).and_then(Value::string).unwrap_or_default();
    let (operation, namespace) = (text("op"), text("ns"));
    match operation {
        b"i" | b"u" | b"d" => u64::from(names(namespace, wanted)),
        b"c" => {
            let Some(command) = entry.get("o").and_then(Value::document) else { return 0 };
            let Some(inner) = command.get("applyOps").and_then(Value::array) else {
                return u64::from(changes(command, namespace, wanted));
            };
            let Some(nested_max) = nested_max.checked_sub(1) else { return 0 };
            inner
                .values()
                .filter_map(Value::document)
                .map(|inner| count_operation(inner, wanted, nested_max))
                .sum()
        }
        _ => 0,
    }
}

/// Whether the name of a namespace, with its database, is one of these.
fn names(namespace: &[u8], wanted: &[Namespace]) -> bool {
    wanted.iter().any(|it| it.to_string().as_bytes() == namespace)
}

/// Whether a command on the namespace `<db>.$cmd` changes one of these collections.
fn changes(command: Document<'_>, namespace: &[u8], wanted: &[Namespace]) -> bool {
    let Some(db) = namespace.strip_suffix(b".$cmd") else { return false };
    let Some(first) = command.elements().next() else { return false };
    let of_db = |it: &&Namespace| it.db.as_bytes() == db;
    if first.name == b"dropDatabase" {
        return wanted.iter().any(|it| of_db(&it));
    }
    if !COMMANDS.contains(&first.name) {
        return false;
    }
    let Some(name) = first.value.string() else { return false };
    // A collection that is renamed is given with its database.
    let to = command.get("to").and_then(Value::string).unwrap_or_default();
    wanted.iter().filter(of_db).any(|it| it.collection.as_bytes() == name)
        || names(name, wanted)
        || names(to, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reshelve_core::extjson;

    #[test]
    fn entries_of_the_collection_are_counted_wherever_they_are() {
        let wanted = [Namespace { db: "app".to_owned(), collection: "jobs".to_owned() }];
        for (entry, expected) in [
            (r#"{"op":"i","ns":"app.jobs","o":{"_id":1}}"#, 1),
            (r#"{"op":"u","ns":"app.jobs","o":{},"o2":{"_id":1}}"#, 1),
            (r#"{"op":"d","ns":"app.jobs2","o":{"_id":1}}"#, 0),
            (r#"{"op":"d","ns":"other.jobs","o":{"_id":1}}"#, 0),
            (r#"{"op":"n","ns":"","o":{"msg":"periodic noop"}}"#, 0),
            (r#"{"op":"c","ns":"app.$cmd","o":{"drop":"jobs"}}"#, 1),
            (r#"{"op":"c","ns":"other.$cmd","o":{"drop":"jobs"}}"#, 0),
            (r#"{"op":"c","ns":"app.$cmd","o":{"dropDatabase":1}}"#, 1),
            (r#"{"op":"c","ns":"app.$cmd","o":{"createIndexes":"jobs"}}"#, 0),
            (r#"{"op":"c","ns":"x.$cmd","o":{"renameCollection":"x.a","to":"app.jobs"}}"#, 1),
            (
                r#"{"op":"c","ns":"admin.$cmd","o":{"applyOps":[{"op":"i","ns":"app.jobs"},
                {"op":"i","ns":"app.x"},{"op":"c","ns":"admin.$cmd","o":{"applyOps":[
                {"op":"d","ns":"app.jobs"},{"op":"d","ns":"app.jobs"}]}}]}}"#,
                3,
            ),
            (r#"{"op":7,"o":{"applyOps":[5]}}"#, 0),
        ] {
            let mut bytes = Vec::new();
            extjson::parse(entry.as_bytes(), &mut bytes).unwrap();
            assert_eq!(count(&bytes, &wanted), expected, "{entry}");
        }
        assert_eq!(count(b"\x05\0\0\0", &wanted), 0);
    }
}
