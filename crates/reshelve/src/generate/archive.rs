//! `mongodump --archive`: a prelude, then blocks of several collections, interleaved.

use super::{
    files::{
        Counter, SERVER_VERSION, SESSIONS, TOOL_VERSION, Target, append_session, metadata_of_jobs,
        metadata_of_sessions,
    },
    forms::{Documents, GenerateError, Output, Written},
};
use crate::ends::Compression;
use reshelve_core::raw::{Writer, kind};

/// Opens every archive.
const MAGIC: u32 = 0x8199_e26d;
/// Ends the prelude and every block.
const TERMINATOR: [u8; 4] = (-1i32).to_le_bytes();
/// The first block is small and each is twice as large as the one before, so that even a small
/// archive has several; real ones have up to about 16 MiB.
const BLOCK_BYTES_FIRST: usize = 64 * 1024;
/// See [`BLOCK_BYTES_FIRST`].
const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Sessions between two blocks of jobs.
const SESSIONS_IN_BLOCK: u32 = 30;

/// Sixteen tables: several times as fast as one.
type Tables = crc::Table<16>;

static CRC: crc::Crc<u64, Tables> = crc::Crc::<u64, Tables>::new(&crc::CRC_64_XZ);

/// A collection that is being written into an archive.
struct Namespace<'a> {
    database: &'a str,
    collection: &'a str,
    digest: crc::Digest<'static, u64, Tables>,
    empty: bool,
}

pub(super) fn write(
    documents: Documents<'_>,
    output: &Output,
    gzip: bool,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let compression = if gzip { Compression::Gzip } else { Compression::None };
    let mut target = Target::create(&output.path, compression, output.overwrite)?;
    target.write(&prelude(documents.seed, output))?;
    let mut jobs = Namespace::new(&output.database, &output.collection);
    let mut sessions = Namespace::new(&output.database, SESSIONS);
    let mut counter = Counter::new(progress);
    let (mut block, mut document) = (Vec::new(), Vec::new());
    let mut block_bytes = BLOCK_BYTES_FIRST;
    let mut session = 0;
    while (documents.next)(&mut document)? {
        if !block.is_empty() && block.len() + document.len() > block_bytes {
            jobs.block(&mut target, &block)?;
            block.clear();
            block_bytes = (block_bytes * 2).min(BLOCK_BYTES_MAX);
            session = some_sessions(&mut sessions, &mut target, session, output.sessions)?;
        }
        counter.count(document.len());
        block.append(&mut document);
    }
    jobs.block(&mut target, &block)?;
    while session < output.sessions {
        session = some_sessions(&mut sessions, &mut target, session, output.sessions)?;
    }
    jobs.close(&mut target)?;
    if output.sessions > 0 {
        sessions.close(&mut target)?;
    }
    target.finish()?;
    Ok(counter.finish())
}

fn some_sessions(
    sessions: &mut Namespace<'_>,
    target: &mut Target,
    from: u32,
    all: u32,
) -> Result<u32, GenerateError> {
    let to = all.min(from + SESSIONS_IN_BLOCK);
    if from == to {
        return Ok(to);
    }
    let mut documents = Vec::new();
    for index in from..to {
        append_session(index, &mut documents);
    }
    sessions.block(target, &documents)?;
    Ok(to)
}

fn prelude(seed: u64, output: &Output) -> Vec<u8> {
    let mut writer = Writer::new(MAGIC.to_le_bytes().to_vec());
    let mark = writer.begin();
    writer.int32("concurrent_collections", 4);
    writer.string("version", b"0.1");
    writer.string("server_version", SERVER_VERSION.as_bytes());
    writer.string("tool_version", TOOL_VERSION.as_bytes());
    writer.end(mark);
    let jobs = (output.collection.as_str(), metadata_of_jobs(&output.collection, seed));
    let sessions = (SESSIONS, metadata_of_sessions(seed));
    let beside = usize::from(output.sessions > 0);
    for (collection, metadata) in [jobs, sessions].into_iter().take(1 + beside) {
        let mark = writer.begin();
        writer.string("db", output.database.as_bytes());
        writer.string("collection", collection.as_bytes());
        writer.string("metadata", metadata.as_bytes());
        writer.int32("size", 0);
        writer.string("type", b"collection");
        writer.end(mark);
    }
    writer.extend(&TERMINATOR);
    writer.into_bytes()
}

impl<'a> Namespace<'a> {
    fn new(database: &'a str, collection: &'a str) -> Self {
        Namespace { database, collection, digest: CRC.digest(), empty: true }
    }

    fn block(&mut self, target: &mut Target, documents: &[u8]) -> Result<(), GenerateError> {
        self.digest.update(documents);
        self.empty &= documents.is_empty();
        target.write(&self.header(false, 0))?;
        target.write(documents)?;
        target.write(&TERMINATOR)
    }

    fn close(self, target: &mut Target) -> Result<(), GenerateError> {
        let crc = if self.empty { 0 } else { self.digest.clone().finalize() };
        target.write(&self.header(true, crc))?;
        target.write(&TERMINATOR)
    }

    fn header(&self, end: bool, crc: u64) -> Vec<u8> {
        let mut writer = Writer::default();
        let mark = writer.begin();
        writer.string("db", self.database.as_bytes());
        writer.string("collection", self.collection.as_bytes());
        writer.boolean("EOF", end);
        // Stored as signed: the bits are the same.
        writer.header(kind::INT64, b"CRC");
        writer.extend(&crc.to_le_bytes());
        writer.end(mark);
        writer.into_bytes()
    }
}
