//! The real target: read as it is, and changed by others.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use reshelve::dump::Documents;
use reshelve::ends::{Compression, TargetFolder};
use reshelve::store::{Files, Memory, Open};
use reshelve::target_schema::Collection;
use reshelve_core::raw::{Document, Writer, kind};

use super::in_memory::TARGET;
use super::model::{Bytes, Shelf};

pub(crate) fn folder(compression: Compression) -> TargetFolder {
    TargetFolder { root: PathBuf::from(TARGET), db: "novels".to_owned(), compression }
}

/// What stands in the target, and whether all of it can be read.
pub(crate) fn read(memory: &Memory, target: &TargetFolder) -> (Shelf, bool) {
    let mut is_whole = true;
    let shelf = Collection::ALL.map(|collection| {
        let (documents, whole) = read_file(memory, &target.file(collection));
        is_whole &= whole;
        documents
    });
    (shelf, is_whole)
}

/// The documents of a file, up to the place where it is damaged.
pub(crate) fn read_file(memory: &Memory, path: &Path) -> (Vec<Bytes>, bool) {
    let mut all = Vec::new();
    let Some(found) = memory.look(path).unwrap().filter(|found| found.length > 0) else {
        return (all, true);
    };
    let mut documents = Documents::open(memory, path, found.length).unwrap();
    loop {
        match documents.next_document() {
            Ok(Some(document)) => all.push(document.to_vec()),
            Ok(None) => return (all, true),
            Err(_) => return (all, false),
        }
    }
}

/// The bytes of every file of the target, but for the lock.
pub(crate) fn files(memory: &Memory) -> BTreeMap<PathBuf, Bytes> {
    let is_of_target = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.starts_with(TARGET) && !name.starts_with('.')
    };
    memory.contents().into_iter().filter(|(path, _)| is_of_target(path)).collect()
}

/// Writes a collection again, as somebody does who is not this tool.
pub(crate) fn write(memory: &Memory, target: &TargetFolder, at: usize, documents: &[Bytes]) {
    let bytes = documents.concat();
    let bytes = match target.compression {
        Compression::None => bytes,
        _ => {
            let mut member = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            member.write_all(&bytes).unwrap();
            member.finish().unwrap()
        }
    };
    memory.replace(&target.file(Collection::ALL[at]), &bytes).unwrap();
}

/// Writes over a document of a plain file, where it is.
pub(crate) fn write_over(
    memory: &Memory,
    target: &TargetFolder,
    at: usize,
    old: &[u8],
    new: &[u8],
) {
    let path = target.file(Collection::ALL[at]);
    let contents = memory.contents();
    let place = contents[&path].windows(old.len()).position(|it| it == old).unwrap();
    let file = memory.open(&path, Open::Write).unwrap();
    file.write_all_at(new, u64::try_from(place).unwrap()).unwrap();
    file.sync_all().unwrap();
}

/// The document with another value in one of its fields, as long as before.
pub(crate) fn edited(document: &[u8]) -> Bytes {
    let is_plain = |kind: u8| matches!(kind, kind::DATE | kind::INT32 | kind::INT64 | kind::DOUBLE);
    let element = Document::new(document).elements().find(|it| is_plain(it.value.kind)).unwrap();
    let mut edited = document.to_vec();
    // Its kind, its name, the zero after that, its value.
    edited[element.offset + 2 + element.name.len()] ^= 1;
    edited
}

/// The document with one more field.
pub(crate) fn grown(document: &[u8], number: i32) -> Bytes {
    let mut out = Writer::new(Vec::new());
    let mark = out.begin();
    for element in Document::new(document).elements() {
        out.value_bytes(element.name, element.value);
    }
    out.int32("touched", number);
    out.end(mark);
    out.into_bytes()
}

/// The legacy document with a status that no mapping knows.
pub(crate) fn spoiled(legacy: &[u8]) -> Bytes {
    let mut out = Writer::new(Vec::new());
    let mark = out.begin();
    for element in Document::new(legacy).elements() {
        match element.name {
            b"status" => out.string("status", b"melting"),
            name => out.value_bytes(name, element.value),
        }
    }
    out.end(mark);
    out.into_bytes()
}

/// An event of the new application.
pub(crate) fn event_of_others(job: &[u8], number: u8) -> Bytes {
    let mut out = Writer::new(Vec::new());
    let mark = out.begin();
    out.object_id("_id", [number; 12]);
    out.string("jobId", job);
    out.date("emittedAt", 1_760_000_000_000 + i64::from(number));
    let event = out.begin_document("event");
    out.string("type", b"chapter.read");
    out.end(event);
    out.end(mark);
    out.into_bytes()
}
