//! One object of a snapshot while it is written: compressed by all threads, and hashed.

use std::path::{Path, PathBuf};

use super::manifest::StoredObject;
use crate::ends::Compression;
use crate::pass::in_parallel;
use crate::store::{At, DiskError, Files, Open, OpenFile, folder_of};

/// Bytes of a member that stands by itself: members are cut at fixed places, whatever the threads.
const MEMBER_BYTES: usize = 1 << 20;
/// Bytes that are compressed at a time.
const HELD_BYTES: usize = 4 * MEMBER_BYTES;

/// An object that is being written.
pub(super) struct Object<'t> {
    name: String,
    path: PathBuf,
    file: Box<dyn OpenFile>,
    compression: Compression,
    /// One for each thread.
    workers: &'t mut [()],
    held: Vec<u8>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<'t> Object<'t> {
    /// Creates `name` in a folder.
    pub(super) fn create(
        files: &dyn Files,
        (folder, name): (&Path, String),
        compression: Compression,
        workers: &'t mut [()],
    ) -> Result<Self, DiskError> {
        let path = folder.join(&name);
        files.create_folders(folder_of(&path))?;
        let file = files.open(&path, Open::New)?;
        let (held, hasher) = (Vec::new(), blake3::Hasher::new());
        Ok(Object { name, path, file, compression, workers, held, hasher, bytes: 0 })
    }

    /// Writes bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < HELD_BYTES {
            return Ok(());
        }
        let whole = self.held.len() / MEMBER_BYTES * MEMBER_BYTES;
        self.write_held(whole)
    }

    /// Writes the first bytes of those that are held.
    fn write_held(&mut self, bytes: usize) -> Result<(), DiskError> {
        let held = std::mem::take(&mut self.held);
        let (now, later) = held.split_at(bytes);
        let compression = self.compression;
        if compression == Compression::None {
            self.write(now)?;
        } else {
            let pieces: Vec<&[u8]> = now.chunks(MEMBER_BYTES).collect();
            let members = in_parallel(self.workers, &pieces, |(), piece| compression.member(piece));
            for member in members {
                self.write(&member.at("compressing", &self.path)?)?;
            }
        }
        self.held.extend_from_slice(later);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.put(bytes)?;
        self.hasher.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    /// Writes what is left, and makes the object durable.
    pub(super) fn finish(mut self) -> Result<StoredObject, DiskError> {
        self.write_held(self.held.len())?;
        if self.bytes == 0 && self.compression != Compression::None {
            // Nothing is an empty member, not an empty file.
            let member = self.compression.member(&[]).at("compressing", &self.path)?;
            self.write(&member)?;
        }
        self.file.sync_all()?;
        let blake3 = self.hasher.finalize().to_hex().to_string();
        Ok(StoredObject { name: self.name, bytes: self.bytes, blake3 })
    }
}
