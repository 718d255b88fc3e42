//! Writes the four files of a target folder.

use std::sync::Arc;

use super::Existing;
use super::compressor::{Compressor, Members};
use super::lengths::{Lengths, Progress};
use super::lock::Lock;
use super::preflight::Expect;
use crate::ends::{
    Compression, EndError, Fate, JobAhead, JobWrite, Look, Looked, Position, Section, Sink, Syncer,
    TargetFolder,
};
use crate::store::{At, DiskError, Files, Locking, Open, OpenFile};
use crate::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;

/// A compressed target is cut into members whenever its documents have this many bytes more,
/// counted over all collections and before compression: a property of the documents alone, so
/// that batches, threads and interruptions leave no trace.
const CUT_BYTES: usize = 4 * 1024 * 1024;

/// A folder target that is being written.
#[derive(Debug)]
pub struct FolderSink {
    files: Arc<dyn Files>,
    folder: TargetFolder,
    /// The four files. Each is locked too: another path may lead to one of them.
    opened: [Box<dyn OpenFile>; 4],
    lengths: Lengths,
    /// What a compressed target holds back until the next cut.
    held_back: [Vec<u8>; 4],
    /// What compresses it; none where the target is plain.
    compressor: Option<Compressor>,
    /// Where cuts were written, and nobody was told yet.
    written_cuts: Vec<Position>,
    existing: Option<Existing>,
}

impl FolderSink {
    /// Opens the target at these lengths: anything after them is cut off, once it is certain that
    /// nobody else writes there and that the files are as expected. A compressed target is
    /// compressed by at most so many threads.
    pub(super) fn open(
        files: &Arc<dyn Files>,
        folder: &TargetFolder,
        lengths: Lengths,
        expect: Expect,
        existing: Option<Existing>,
        threads: usize,
    ) -> Result<Self, EndError> {
        folder.prepare(files.as_ref())?;
        let open = |at: Collection| open_locked(files.as_ref(), folder, at);
        let [jobs, events, metrics, metadata] = Collection::ALL.map(open);
        let opened = [jobs?, events?, metrics?, metadata?];
        for (at, file) in Collection::ALL.into_iter().zip(&opened) {
            expect.check(file.path(), at, file.length()?)?;
        }
        for (file, length) in opened.iter().zip(lengths.0) {
            if file.length()? > length {
                file.set_length(length)?;
            }
        }
        // The lock is held: what a killed process left half written goes.
        files.remove_leftovers(&folder.database())?;
        files.sync_folder(&folder.database())?;
        let compressor = match folder.compression {
            Compression::None => None,
            compression => Some(
                Compressor::start(compression, threads)
                    .at("starting threads for", &folder.database())?,
            ),
        };
        Ok(FolderSink {
            files: Arc::clone(files),
            folder: folder.clone(),
            opened,
            lengths,
            held_back: Default::default(),
            compressor,
            written_cuts: Vec::new(),
            existing,
        })
    }

    fn write_bytes(&mut self, at: Collection, bytes: &[u8]) -> Result<(), DiskError> {
        self.opened[at.index()].put(bytes)?;
        let written = u64::try_from(bytes.len()).unwrap_or(0);
        self.lengths.0[at.index()] += written;
        Ok(())
    }

    /// Writes the next cut if it is compressed; waits for it where that is asked for. Tells whether
    /// there was one.
    fn write_cut(&mut self, is_waiting: bool) -> Result<bool, DiskError> {
        let Some(compressor) = &mut self.compressor else { return Ok(false) };
        let members = compressor.next(is_waiting).at("compressing", &self.folder.database())?;
        let Some(members) = members else { return Ok(false) };
        self.write_members(&members)?;
        self.written_cuts.push(self.position());
        Ok(true)
    }

    fn write_members(&mut self, members: &Members) -> Result<(), DiskError> {
        for (at, member) in Collection::ALL.into_iter().zip(members) {
            if let Some(member) = member {
                self.write_bytes(at, member)?;
            }
        }
        Ok(())
    }
}

/// Looks into what a target folder held before a run.
impl Look for Existing {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        let look = |job: &JobAhead| Existing::look(self, target, &job.section);
        let before: Result<Vec<_>, DiskError> = jobs.iter().map(look).collect();
        Ok(Looked::Jobs(before?))
    }
}

impl Look for FolderSink {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        match &mut self.existing {
            Some(existing) => Look::look(existing, target, jobs),
            None => Ok(Looked::Nothing),
        }
    }
}

impl Sink for FolderSink {
    /// What is appended is undone by the lengths.
    fn is_undone_by_position(&self) -> bool {
        true
    }

    fn write(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError> {
        let bytes = target.bytes();
        for section in joined(writes.iter().flat_map(JobWrite::sections)) {
            for (at, range) in Collection::ALL.into_iter().zip(section) {
                let bytes = &bytes[at.index()][range];
                if self.folder.compression == Compression::None {
                    self.write_bytes(at, bytes)?;
                } else {
                    self.held_back[at.index()].extend_from_slice(bytes);
                }
            }
        }
        Ok(vec![Fate::Written; writes.len()])
    }

    fn cut_bytes(&self) -> Option<usize> {
        (self.folder.compression != Compression::None).then_some(CUT_BYTES)
    }

    fn cut(&mut self) -> Result<(), EndError> {
        if let Some(compressor) = &mut self.compressor {
            compressor.cut(&mut self.held_back);
        }
        while self.compressor.as_ref().is_some_and(Compressor::is_full) {
            self.write_cut(true)?;
        }
        Ok(())
    }

    fn written_cuts(&mut self, is_waiting: bool) -> Result<Vec<Position>, EndError> {
        while self.write_cut(is_waiting)? {}
        Ok(std::mem::take(&mut self.written_cuts))
    }

    fn position(&self) -> Position {
        Progress { lengths: self.lengths, ..Progress::default() }.position()
    }

    /// An empty collection is an empty member, not an empty file.
    fn finish(&mut self) -> Result<(), EndError> {
        let compression = self.folder.compression;
        for at in Collection::ALL {
            if self.lengths.0[at.index()] == 0 && compression != Compression::None {
                let member = compression.member(&[]).at("compressing", &self.folder.file(at))?;
                self.write_bytes(at, &member)?;
            }
        }
        Ok(())
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, EndError> {
        let opened: Result<Vec<_>, DiskError> =
            self.opened.iter().map(|file| file.try_clone()).collect();
        Ok(Box::new(FolderSyncer { files: Arc::clone(&self.files), opened: opened? }))
    }
}

/// Opens a file of the target for this process alone.
pub(super) fn open_locked(
    files: &dyn Files,
    folder: &TargetFolder,
    at: Collection,
) -> Result<Box<dyn OpenFile>, EndError> {
    let file = files.open(&folder.file(at), Open::Append)?;
    match file.try_lock()? {
        // Where the file system knows no locks, the lock of the folder was not obtained either.
        Locking::Obtained | Locking::NotSupported => Ok(file),
        Locking::HeldByAnother => Err(Lock::is_held(file.path(), None)),
    }
}

/// Refuses a folder whose files another process has open to write.
pub(super) fn expect_unlocked(files: &dyn Files, folder: &TargetFolder) -> Result<(), EndError> {
    for path in Collection::ALL.map(|at| folder.file(at)) {
        if files.exists(&path)?
            && files.open(&path, Open::Read)?.try_lock_shared()? == Locking::HeldByAnother
        {
            return Err(Lock::is_held(&path, None));
        }
    }
    Ok(())
}

/// Sections with neighbours joined: one write for a batch, where nothing in it is left out.
fn joined<'s>(sections: impl Iterator<Item = &'s Section>) -> Vec<Section> {
    let mut list: Vec<Section> = Vec::new();
    for section in sections {
        match list.last_mut() {
            Some(last) if last.iter().zip(section).all(|(last, next)| last.end == next.start) => {
                for (last, next) in last.iter_mut().zip(section) {
                    last.end = next.end;
                }
            }
            _ => list.push(section.clone()),
        }
    }
    list
}

/// Syncs the files of a [`FolderSink`] from another thread.
struct FolderSyncer {
    files: Arc<dyn Files>,
    opened: Vec<Box<dyn OpenFile>>,
}

impl Syncer for FolderSyncer {
    fn sync(&mut self, position: &Position) -> Result<(), EndError> {
        let lengths = Progress::of(position)?.lengths;
        for (file, length) in self.opened.iter().zip(lengths.0) {
            file.sync_data()?;
            self.files.expect_there(file.as_ref(), length)?;
        }
        Ok(())
    }
}
