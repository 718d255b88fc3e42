//! Plain and compressed files of documents, and the folder of `mongodump`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::forms::{Documents, GenerateError, Output, Written};
use crate::dump::escape;
use crate::ends::Compression;
use reshelve_core::raw::Writer;

/// Bytes that are buffered on the way to a file.
const BUFFER_BYTES: usize = 1024 * 1024;
/// How many documents are written between two reports of progress.
const PROGRESS_DOCUMENTS: u64 = 64;

/// The indexes of the legacy collection, as a dump lists them.
const JOBS_INDEXES: [(&str, &str); 5] = [
    (r#""_id":{"$numberInt":"1"}"#, "_id_"),
    (r#""createdAt":{"$numberInt":"1"}"#, "createdAt_1"),
    (r#""status":{"$numberInt":"1"}"#, "status_1"),
    (r#""status":{"$numberInt":"1"},"createdAt":{"$numberInt":"-1"}"#, "status_1_createdAt_-1"),
    (r#""status":{"$numberInt":"1"},"updatedAt":{"$numberInt":"-1"}"#, "status_1_updatedAt_-1"),
];

/// The name of the other collection in a dump.
pub(super) const SESSIONS: &str = "sessions";
/// The names of the dumped server and of the dumping tool.
pub(super) const SERVER_VERSION: &str = "8.2.11";
/// See [`SERVER_VERSION`].
pub(super) const TOOL_VERSION: &str = "reshelve-generate";

/// A file, compressed or not.
pub(super) struct Target {
    path: PathBuf,
    inner: Inner,
}

enum Inner {
    Plain(BufWriter<File>),
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Target {
    pub(super) fn create(
        path: &Path,
        compression: Compression,
        overwrite: bool,
    ) -> Result<Target, GenerateError> {
        let open = || {
            let mut options = OpenOptions::new();
            options.write(true);
            if overwrite {
                options.create(true).truncate(true);
            } else {
                options.create_new(true);
            }
            let file = BufWriter::with_capacity(BUFFER_BYTES, options.open(path)?);
            Ok(match compression {
                Compression::None => Inner::Plain(file),
                Compression::Gzip => {
                    let level = flate2::Compression::fast();
                    Inner::Gzip(Box::new(flate2::write::GzEncoder::new(file, level)))
                }
                Compression::Zstd => {
                    let mut encoder = zstd::Encoder::new(file, 1)?;
                    encoder.include_checksum(true)?;
                    Inner::Zstd(encoder)
                }
            })
        };
        let path = path.to_owned();
        match open() {
            Ok(inner) => Ok(Target { path, inner }),
            Err(source) => Err(GenerateError::Io { path, source }),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), GenerateError> {
        let result = match &mut self.inner {
            Inner::Plain(file) => file.write_all(bytes),
            Inner::Gzip(file) => file.write_all(bytes),
            Inner::Zstd(file) => file.write_all(bytes),
        };
        result.map_err(|source| GenerateError::Io { path: self.path.clone(), source })
    }

    /// Ends the compression and writes what is left.
    pub(super) fn finish(self) -> Result<(), GenerateError> {
        let result = match self.inner {
            Inner::Plain(file) => Ok(file),
            Inner::Gzip(file) => file.finish(),
            Inner::Zstd(file) => file.finish(),
        };
        let result = result.and_then(|mut file| file.flush());
        result.map_err(|source| GenerateError::Io { path: self.path, source })
    }
}

/// Counts what is written, and reports it.
pub(super) struct Counter<'a> {
    written: Written,
    progress: &'a mut dyn FnMut(Written),
}

impl<'a> Counter<'a> {
    pub(super) fn new(progress: &'a mut dyn FnMut(Written)) -> Self {
        Counter { written: Written::default(), progress }
    }

    pub(super) fn count(&mut self, bytes: usize) {
        self.written.documents += 1;
        self.written.bson_bytes += u64::try_from(bytes).unwrap_or(0);
        if self.written.documents.is_multiple_of(PROGRESS_DOCUMENTS) {
            (self.progress)(self.written);
        }
    }

    pub(super) fn finish(self) -> Written {
        (self.progress)(self.written);
        self.written
    }
}

pub(super) fn write_bson(
    documents: Documents<'_>,
    output: &Output,
    compression: Compression,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    write_documents(documents, &output.path, compression, output.overwrite, progress)
}

fn write_documents(
    documents: Documents<'_>,
    path: &Path,
    compression: Compression,
    overwrite: bool,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let mut target = Target::create(path, compression, overwrite)?;
    let mut counter = Counter::new(progress);
    let mut document = Vec::new();
    while (documents.next)(&mut document)? {
        target.write(&document)?;
        counter.count(document.len());
        document.clear();
    }
    target.finish()?;
    Ok(counter.finish())
}

pub(super) fn write_folder(
    documents: Documents<'_>,
    output: &Output,
    gzip: bool,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let folder = output.path.join(&output.database);
    fs::create_dir_all(&folder)
        .map_err(|source| GenerateError::Io { path: folder.clone(), source })?;
    let compression = if gzip { Compression::Gzip } else { Compression::None };
    let path = |name: &str| folder.join(format!("{name}{}", compression.suffix()));
    let small = |name: &str, bytes: &[u8]| {
        let mut target = Target::create(&path(name), compression, output.overwrite)?;
        target.write(bytes)?;
        target.finish()
    };
    let name = escape(&output.collection);
    let seed = documents.seed;
    let file = path(&format!("{name}.bson"));
    let written = write_documents(documents, &file, compression, output.overwrite, progress)?;
    let metadata = metadata_of_jobs(&output.collection, seed);
    small(&format!("{name}.metadata.json"), metadata.as_bytes())?;
    if output.sessions > 0 {
        let mut documents = Vec::new();
        for index in 0..output.sessions {
            append_session(index, &mut documents);
        }
        small(&format!("{SESSIONS}.bson"), &documents)?;
        let metadata = metadata_of_sessions(seed);
        small(&format!("{SESSIONS}.metadata.json"), metadata.as_bytes())?;
    }
    let prelude =
        format!(r#"{{"ServerVersion":"{SERVER_VERSION}","ToolVersion":"{TOOL_VERSION}"}}"#);
    small("prelude.json", prelude.as_bytes())?;
    Ok(written)
}

/// The metadata of the legacy collection, as a dump writes it.
pub(super) fn metadata_of_jobs(collection: &str, seed: u64) -> String {
    metadata(collection, &JOBS_INDEXES, seed)
}

/// The metadata of the other collection.
pub(super) fn metadata_of_sessions(seed: u64) -> String {
    metadata(SESSIONS, &JOBS_INDEXES[..1], !seed)
}

fn metadata(collection: &str, indexes: &[(&str, &str)], seed: u64) -> String {
    let indexes: Vec<String> = indexes
        .iter()
        .map(|(key, name)| {
            format!(r#"{{"v":{{"$numberInt":"2"}},"key":{{{key}}},"name":"{name}"}}"#)
        })
        .collect();
    // The name of a collection may contain what JSON must escape.
    let name = serde_json::Value::from(collection);
    let mut uuid = super::Rng::new(seed, u64::MAX);
    format!(
        r#"{{"indexes":[{}],"uuid":"{:016x}{:016x}","collectionName":{name},"type":"collection"}}"#,
        indexes.join(","),
        uuid.bits(),
        uuid.bits(),
    )
}

/// Appends a document of the other collection.
pub(super) fn append_session(index: u32, out: &mut Vec<u8>) {
    let mut writer = Writer::new(std::mem::take(out));
    let mark = writer.begin();
    writer.string("_id", format!("s{index}").as_bytes());
    writer.date("expires", 1_754_000_000_000 + i64::from(index) * 1_000);
    writer.string("session", &[b'x'; 50]);
    writer.end(mark);
    *out = writer.into_bytes();
}

/// Adds a path to an error of the operating system.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> GenerateError + '_ {
    |source| GenerateError::Io { path: path.to_owned(), source }
}
