//! A `mongodump` folder, or the folder of one database in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::content::{Content, READ_BYTES};
use super::error::{OpenError, kind_reason, wanted};
use super::metadata::Metadata;
use super::prelude::Namespace;
use crate::ends::{Compression, SourceSpec};

/// A metadata file is small; anything larger is not one.
const METADATA_BYTES_MAX: usize = 64 * 1024 * 1024;
const DATA_ENDING: &str = ".bson";
const METADATA_ENDING: &str = ".metadata.json";

/// One collection of a dump.
#[derive(Debug, Default)]
pub(super) struct DumpedCollection {
    /// Its documents: one file, unless the folder is ambiguous.
    pub(super) data: Vec<PathBuf>,
    pub(super) metadata: Option<Metadata>,
}

/// Everything in a dump folder.
#[derive(Debug, Default)]
pub(super) struct DumpFolder {
    pub(super) collections: BTreeMap<Namespace, DumpedCollection>,
    /// The `prelude.json` files, which name versions.
    pub(super) preludes: Vec<PathBuf>,
}

/// Lists a folder: its own collections and those in the folders right below it.
pub(super) fn list(path: &Path) -> Result<DumpFolder, OpenError> {
    let mut folder = DumpFolder::default();
    database(path, &mut folder)?;
    for entry in entries(path)? {
        if entry.is_dir() {
            database(&entry, &mut folder)?;
        }
    }
    if folder.collections.is_empty() {
        return Err(OpenError::NoDump { path: path.to_owned() });
    }
    Ok(folder)
}

/// The file with the wanted documents, and their namespace.
pub(super) fn pick(spec: &SourceSpec) -> Result<(PathBuf, Namespace), OpenError> {
    let folder = list(&spec.path)?;
    let name = spec.collection.as_deref().unwrap_or(super::COLLECTION_DEFAULT);
    let found: Vec<_> = folder
        .collections
        .iter()
        .filter(|(namespace, _)| {
            namespace.collection == name && spec.db.as_ref().is_none_or(|db| *db == namespace.db)
        })
        .collect();
    let [(namespace, collection)] = found.as_slice() else {
        return Err(if found.is_empty() {
            OpenError::NoCollection {
                path: spec.path.clone(),
                wanted: wanted(spec),
                present: folder.collections.keys().map(Namespace::to_string).collect(),
            }
        } else {
            OpenError::SeveralDatabases {
                path: spec.path.clone(),
                collection: name.to_owned(),
                databases: found.iter().map(|(namespace, _)| namespace.db.clone()).collect(),
            }
        });
    };
    let kind = collection.metadata.as_ref().and_then(|metadata| metadata.kind.as_deref());
    if let Some(kind @ ("view" | "timeseries")) = kind {
        let reason = kind_reason(kind);
        return Err(OpenError::NotASource { namespace: namespace.to_string(), reason });
    }
    match collection.data.as_slice() {
        [file] => Ok((file.clone(), (*namespace).clone())),
        [first, second, ..] => {
            Err(OpenError::TwoFiles { first: first.clone(), second: second.clone() })
        }
        [] => Err(OpenError::NotASource {
            namespace: namespace.to_string(),
            reason: "there is metadata of this collection, but no file with its documents"
                .to_owned(),
        }),
    }
}

/// Adds the files of a database folder.
fn database(path: &Path, folder: &mut DumpFolder) -> Result<(), OpenError> {
    let db = database_name(path);
    // Data and metadata belong together if their files have the same name.
    let mut stems: BTreeMap<String, DumpedCollection> = BTreeMap::new();
    for entry in entries(path)? {
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else { continue };
        if !entry.is_file() {
            continue;
        }
        if name.starts_with("prelude.json") {
            folder.preludes.push(entry);
        } else if let Some(stem) = stem(name, METADATA_ENDING) {
            stems.entry(stem).or_default().metadata = Some(read_metadata(&entry)?);
        } else if let Some(stem) = stem(name, DATA_ENDING) {
            stems.entry(stem).or_default().data.push(entry);
        }
    }
    for (stem, collection) in stems {
        let named = collection.metadata.as_ref().and_then(|it| it.collection_name.clone());
        let name = named.unwrap_or_else(|| unescape(&stem));
        if stem == "oplog" && collection.metadata.is_none() || name.starts_with("system.") {
            continue;
        }
        let namespace = Namespace { db: db.clone(), collection: name };
        let known = folder.collections.entry(namespace).or_default();
        known.data.extend(collection.data);
        known.metadata = known.metadata.take().or(collection.metadata);
    }
    Ok(())
}

/// The entries of a folder, sorted, so that no answer depends on the file system.
fn entries(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    Ok(entries)
}

/// The name of a database is the name of its folder, even if the path does not show it.
fn database_name(path: &Path) -> String {
    let known = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    known.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The name of a file without this ending, in any compression.
fn stem(name: &str, ending: &str) -> Option<String> {
    let stem = |compression: Compression| {
        name.strip_suffix(compression.suffix())?.strip_suffix(ending).map(str::to_owned)
    };
    Compression::ALL.into_iter().find_map(stem)
}

/// Names are escaped as in the query of a URL: `+` is a space. What is not an escape stays.
fn unescape(stem: &str) -> String {
    let mut bytes = Vec::with_capacity(stem.len());
    let mut rest = stem.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                None => bytes.push(b'%'),
            },
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| stem.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn read_metadata(path: &Path) -> Result<Metadata, OpenError> {
    let text = read_small(path)?;
    Ok(text.map_or_else(Metadata::unreadable, |text| Metadata::parse(&text)))
}

/// The whole content of a small file, decompressed; `None` if it is damaged or not small.
pub(super) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    let mut content = Content::open(path).map_err(|error| OpenError::of(path, error))?;
    let mut text = Vec::new();
    loop {
        match content.append(&mut text, READ_BYTES) {
            Ok(0) => return Ok(Some(text)),
            Ok(_) if text.len() <= METADATA_BYTES_MAX => {}
            Ok(_) => return Ok(None),
            Err(fault) => match fault.source {
                Some(source) => return Err(OpenError::of(path, source)),
                None => return Ok(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped() {
        for (stem, name) in [
            ("jobs", "jobs"),
            ("weird+name%2Fwith%25chars", "weird name/with%chars"),
            ("%C3%A9", "é"),
            ("100%", "100%"),
            ("a%zz", "a%zz"),
            ("%FF", "%FF"),
        ] {
            assert_eq!(unescape(stem), name);
        }
    }
}
