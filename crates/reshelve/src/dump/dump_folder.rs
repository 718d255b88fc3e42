//! A `mongodump` folder, or the folder of one database in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::content::{Content, READ_BYTES};
use super::error::{OpenError, kind_reason, wanted};
use super::metadata::Metadata;
use super::prelude::Namespace;
use crate::ends::{Compression, SourceSpec};
use crate::store::folder_of;

/// A metadata file is small; anything larger is not one.
const METADATA_BYTES_MAX: usize = 64 * 1024 * 1024;
const DATA_ENDING: &str = ".bson";
const METADATA_ENDING: &str = ".metadata.json";
/// The file that names versions.
pub(crate) const PRELUDE: &str = "prelude.json";

/// The file of an oplog, and its collection in an archive.
pub(super) const OPLOG: &str = "oplog";
/// How the names of the files begin in which macOS keeps metadata of other files.
const MACOS_METADATA: &str = "._";
/// The folder for them in a zip archive.
const MACOS_FOLDER: &str = "__MACOSX";

/// One collection of a dump.
#[derive(Debug, Default)]
pub(super) struct DumpedCollection {
    /// Its documents: one file, unless the folder is ambiguous.
    pub(super) data: Vec<PathBuf>,
    /// What has the name of such a file, and cannot be read.
    pub(super) unreadable: Option<(PathBuf, String)>,
    pub(super) metadata: Option<Metadata>,
}

/// Everything in a dump folder.
#[derive(Debug, Default)]
pub(super) struct DumpFolder {
    pub(super) collections: BTreeMap<Namespace, DumpedCollection>,
    /// The `prelude.json` files, which name versions.
    pub(super) preludes: Vec<PathBuf>,
    /// What cannot be read, and why: nothing is known of what is in there.
    unreadable: Vec<(PathBuf, String)>,
    /// Files in which macOS keeps metadata of others.
    macos: Vec<PathBuf>,
}

impl DumpFolder {
    /// What people should know of what was left out, a sentence each.
    pub(super) fn notes(&self) -> Vec<String> {
        let unreadable = |(path, why): &(PathBuf, String)| {
            format!("{} cannot be read, and is left out: {why}", path.display())
        };
        let mut notes: Vec<String> = self.unreadable.iter().map(unreadable).collect();
        for (namespace, collection) in &self.collections {
            notes.extend(collection.unreadable.iter().map(unreadable));
            if let [first, second, ..] = collection.data.as_slice() {
                let (first, second) = (first.display(), second.display());
                notes.push(format!(
                    "{namespace} is in two files, {first} and {second}: to read it, name the file"
                ));
            }
        }
        if let Some(first) = self.macos.first() {
            notes.push(format!(
                "files that begin with ._ hold metadata of macOS, and are left out: {}{}",
                first.display(),
                if self.macos.len() > 1 { " and others" } else { "" }
            ));
        }
        notes
    }

    /// Why a collection that is not there may be there all the same.
    fn missing(&self, spec: &SourceSpec) -> Option<OpenError> {
        let (path, why) = self.unreadable.first()?;
        Some(OpenError::Unreadable { wanted: wanted(spec), path: path.clone(), why: why.clone() })
    }
}

/// The wanted documents of a folder.
pub(super) struct Picked {
    pub(super) file: PathBuf,
    pub(super) namespace: Namespace,
    /// What people should know of the folder.
    pub(super) notes: Vec<String>,
}

/// Lists a folder: its own collections and those in the folders right below it. What cannot be
/// read in it is left out, and noted.
pub(super) fn list(path: &Path) -> Result<DumpFolder, OpenError> {
    let mut folder = DumpFolder::default();
    let own = entries(path).map_err(|error| OpenError::of(path, error))?;
    database(path, &own, &mut folder);
    for entry in own {
        if entry.file_name().is_some_and(|name| name == MACOS_FOLDER) || !entry.is_dir() {
            continue;
        }
        match entries(&entry) {
            Ok(inside) => database(&entry, &inside, &mut folder),
            Err(error) => folder.unreadable.push((entry, error.to_string())),
        }
    }
    if folder.collections.is_empty() && folder.unreadable.is_empty() {
        return Err(OpenError::NoDump { path: path.to_owned() });
    }
    Ok(folder)
}

/// The file with the wanted documents.
pub(super) fn pick(spec: &SourceSpec) -> Result<Picked, OpenError> {
    let folder = list(&spec.path)?;
    let notes = folder.notes();
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
            folder.missing(spec).unwrap_or_else(|| OpenError::NoCollection {
                path: spec.path.clone(),
                wanted: wanted(spec),
                present: folder.collections.keys().map(Namespace::to_string).collect(),
            })
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
    match (collection.data.as_slice(), &collection.unreadable) {
        ([file], _) => Ok(Picked { file: file.clone(), namespace: (*namespace).clone(), notes }),
        ([first, second, ..], _) => {
            Err(OpenError::TwoFiles { first: first.clone(), second: second.clone() })
        }
        ([], Some((path, why))) => Err(OpenError::Unreadable {
            wanted: namespace.to_string(),
            path: path.clone(),
            why: why.clone(),
        }),
        ([], None) => Err(OpenError::NotASource {
            namespace: namespace.to_string(),
            reason: "there is metadata of this collection, but no file with its documents"
                .to_owned(),
        }),
    }
}

/// Adds the files of a database folder.
fn database(path: &Path, entries: &[PathBuf], folder: &mut DumpFolder) {
    let db = database_name(path);
    // Data and metadata belong together if their files have the same name.
    let mut stems: BTreeMap<String, DumpedCollection> = BTreeMap::new();
    for entry in entries {
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else { continue };
        let (data, metadata) = (stem(name, DATA_ENDING), stem(name, METADATA_ENDING));
        let is_prelude = name.starts_with(PRELUDE);
        if data.is_none() && metadata.is_none() && !is_prelude {
            continue;
        }
        if name.starts_with(MACOS_METADATA) {
            folder.macos.push(entry.clone());
            continue;
        }
        let unreadable = not_a_file(entry).map(|why| (entry.clone(), why));
        if is_prelude && unreadable.is_none() {
            folder.preludes.push(entry.clone());
        } else if let (Some(stem), None) = (metadata, &unreadable) {
            match read_metadata(entry) {
                Ok(metadata) => stems.entry(stem).or_default().metadata = Some(metadata),
                Err(why) => folder.unreadable.push((entry.clone(), why.to_string())),
            }
        } else if let Some(stem) = data {
            let collection = stems.entry(stem).or_default();
            match unreadable {
                None => collection.data.push(entry.clone()),
                Some(unreadable) => collection.unreadable = Some(unreadable),
            }
        } else {
            folder.unreadable.extend(unreadable);
        }
    }
    for (stem, collection) in stems {
        let named = collection.metadata.as_ref().and_then(|it| it.collection_name.clone());
        let name = named.unwrap_or_else(|| unescape(&stem));
        if stem == OPLOG && collection.metadata.is_none() || name.starts_with("system.") {
            continue;
        }
        let namespace = Namespace { db: db.clone(), collection: name };
        let known = folder.collections.entry(namespace).or_default();
        known.data.extend(collection.data);
        known.unreadable = known.unreadable.take().or(collection.unreadable);
        known.metadata = known.metadata.take().or(collection.metadata);
    }
}

/// Why something is not a file that can be read from its start.
fn not_a_file(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => None,
        Ok(_) => Some("it is not a regular file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some("it is a link that leads nowhere".to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// The entries of a folder, sorted, so that no answer depends on the file system.
fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    Ok(entries)
}

/// The name of a database is the name of its folder, even if the path does not show it.
fn database_name(path: &Path) -> String {
    let known = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    known.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Where the metadata of a collection may be, beside the file with its documents.
pub(super) fn metadata_files(file: &Path) -> Vec<PathBuf> {
    let name = file.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| stem(name, DATA_ENDING));
    let folder = folder_of(file);
    let named = |stem: String| {
        let ending = |it: Compression| format!("{stem}{METADATA_ENDING}{}", it.suffix());
        Compression::ALL.into_iter().map(|it| folder.join(ending(it))).collect()
    };
    stem.map(named).unwrap_or_default()
}

/// Where the prelude of a dump may be in a folder.
pub(super) fn preludes(folder: &Path) -> Vec<PathBuf> {
    let name = |it: Compression| format!("{PRELUDE}{}", it.suffix());
    Compression::ALL.into_iter().map(|it| folder.join(name(it))).collect()
}

/// The collection that a file of a dump holds, as its name and its folder tell.
pub(super) fn namespace_of(file: &Path) -> Option<Namespace> {
    let collection = unescape(&stem(file.file_name()?.to_str()?, DATA_ENDING)?);
    Some(Namespace { db: database_name(folder_of(file)), collection })
}

/// The name of a file without this ending, in any compression.
fn stem(name: &str, ending: &str) -> Option<String> {
    let stem = |compression: Compression| {
        name.strip_suffix(compression.suffix())?.strip_suffix(ending).map(str::to_owned)
    };
    Compression::ALL.into_iter().find_map(stem)
}

/// The name of a collection as it is escaped for the names of its files.
pub(crate) fn escape(collection: &str) -> String {
    let mut name = String::new();
    for byte in collection.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'$' => {
                name.push(char::from(byte));
            }
            b' ' => name.push('+'),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    name
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

fn read_metadata(path: &Path) -> io::Result<Metadata> {
    let text = read_small(path)?;
    Ok(text.map_or_else(Metadata::unreadable, |text| Metadata::parse(&text)))
}

/// The whole content of a small file, decompressed; `None` if it is damaged or not small.
pub(super) fn read_small(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut content = Content::open(path)?;
    let mut text = Vec::new();
    loop {
        match content.append(&mut text, READ_BYTES) {
            Ok(0) => return Ok(Some(text)),
            Ok(_) if text.len() <= METADATA_BYTES_MAX => {}
            Ok(_) => return Ok(None),
            Err(fault) => match fault.source {
                Some(source) => return Err(source),
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
