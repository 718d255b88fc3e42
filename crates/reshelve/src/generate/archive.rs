//! `mongodump --archive`: a prelude, then blocks of several collections, interleaved.

use super::{
    files::{
        Counter, SERVER_VERSION, SESSIONS, TOOL_VERSION, Target, append_session, metadata_of_jobs,
        metadata_of_sessions,
    },
    forms::{Documents, GenerateError, Output, Written},
};
use crate::dump::{ArchivedCollection, END_OF_BLOCK, Listed, archive_prelude};
use crate::ends::Compression;

/// The first block is small and each is twice as large as the one before, so that even a small
/// archive has several; real ones have up to about 16 MiB.
const BLOCK_BYTES_FIRST: usize = 64 * 1024;
/// See [`BLOCK_BYTES_FIRST`].
const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Sessions between two blocks of jobs.
const SESSIONS_IN_BLOCK: u32 = 30;

pub(super) fn write(
    documents: Documents<'_>,
    output: &Output,
    gzip: bool,
    progress: &mut dyn FnMut(Written),
) -> Result<Written, GenerateError> {
    let compression = if gzip { Compression::Gzip } else { Compression::None };
    let mut target = Target::create(&output.path, compression, output.overwrite)?;
    target.write(&prelude(documents.seed, output))?;
    let mut jobs = ArchivedCollection::new(&output.database, &output.collection);
    let mut sessions = ArchivedCollection::new(&output.database, SESSIONS);
    let mut counter = Counter::new(progress);
    let (mut block, mut document) = (Vec::new(), Vec::new());
    let mut block_bytes = BLOCK_BYTES_FIRST;
    let mut session = 0;
    while (documents.next)(&mut document)? {
        if !block.is_empty() && block.len() + document.len() > block_bytes {
            put(&mut jobs, &mut target, &block)?;
            block.clear();
            block_bytes = (block_bytes * 2).min(BLOCK_BYTES_MAX);
            session = some_sessions(&mut sessions, &mut target, session, output.sessions)?;
        }
        counter.count(document.len());
        block.append(&mut document);
    }
    put(&mut jobs, &mut target, &block)?;
    while session < output.sessions {
        session = some_sessions(&mut sessions, &mut target, session, output.sessions)?;
    }
    target.write(&jobs.end())?;
    if output.sessions > 0 {
        target.write(&sessions.end())?;
    }
    target.finish()?;
    Ok(counter.finish())
}

fn some_sessions(
    sessions: &mut ArchivedCollection<'_>,
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
    put(sessions, target, &documents)?;
    Ok(to)
}

/// Writes a block.
fn put(
    collection: &mut ArchivedCollection<'_>,
    target: &mut Target,
    documents: &[u8],
) -> Result<(), GenerateError> {
    collection.count(documents);
    target.write(&collection.header())?;
    target.write(documents)?;
    target.write(&END_OF_BLOCK)
}

fn prelude(seed: u64, output: &Output) -> Vec<u8> {
    let db = output.database.as_str();
    let jobs = metadata_of_jobs(&output.collection, seed);
    let sessions = metadata_of_sessions(seed);
    let jobs = Listed { db, collection: &output.collection, metadata: &jobs };
    let sessions = Listed { db, collection: SESSIONS, metadata: &sessions };
    let beside = usize::from(output.sessions > 0);
    archive_prelude(SERVER_VERSION, TOOL_VERSION, &[jobs, sessions][..1 + beside])
}
