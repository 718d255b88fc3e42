//! Writes the four files of a target folder.

use std::fs::File;
use std::io::Write;

use super::existing::Existing;
use super::layout::{Compression, TargetFolder};
use crate::ends::{Exception, Section, Sink, SinkError, SinkPosition, Syncer, Verdict};
use crate::store::{DiskError, open_at, sync_folder};
use reshelve_core::mapping::{COLLECTIONS, Target};

/// A compressed target is cut into members whenever its documents have this many bytes more,
/// counted over all collections and before compression: a property of the documents alone, so
/// that batches, threads and interruptions leave no trace.
const CUT_BYTES: usize = 4 * 1024 * 1024;

/// A folder target that is being written.
#[derive(Debug)]
pub struct FolderSink {
    folder: TargetFolder,
    files: [File; 4],
    position: SinkPosition,
    /// What a compressed target holds back until the next cut.
    held_back: [Vec<u8>; 4],
    existing: Option<Existing>,
}

impl FolderSink {
    /// Opens the target at a position: anything behind it is cut off.
    pub(crate) fn open(
        folder: &TargetFolder,
        position: SinkPosition,
        existing: Option<Existing>,
    ) -> Result<Self, DiskError> {
        folder.prepare()?;
        let open = |at: usize| open_at(&folder.file(at), position.lengths[at]);
        let files = [open(0)?, open(1)?, open(2)?, open(3)?];
        sync_folder(&folder.database())?;
        Ok(FolderSink {
            folder: folder.clone(),
            files,
            position,
            held_back: Default::default(),
            existing,
        })
    }

    fn write_bytes(&mut self, at: usize, bytes: &[u8]) -> Result<(), SinkError> {
        self.files[at].write_all(bytes).map_err(|source| self.error("writing", at, source))?;
        let written = u64::try_from(bytes.len()).unwrap_or(0);
        self.position.lengths[at] += written;
        Ok(())
    }

    fn write_member(&mut self, at: usize, bytes: &[u8]) -> Result<(), SinkError> {
        let member = self.folder.compression.member(bytes);
        let member = member.map_err(|source| self.error("compressing", at, source))?;
        self.write_bytes(at, &member)
    }

    fn error(&self, action: &'static str, at: usize, source: std::io::Error) -> SinkError {
        SinkError { action, name: self.folder.file(at).display().to_string(), source }
    }
}

impl From<DiskError> for SinkError {
    fn from(error: DiskError) -> Self {
        SinkError {
            action: error.action,
            name: error.path.display().to_string(),
            source: error.source,
        }
    }
}

impl Sink for FolderSink {
    fn judge(&mut self, target: &Target, job: &Section) -> Result<Verdict, SinkError> {
        match &self.existing {
            Some(existing) => Ok(existing.judge(target, job)?),
            None => Ok(Verdict::Absent),
        }
    }

    fn write(
        &mut self,
        target: &Target,
        sections: &[Section],
    ) -> Result<Vec<Exception>, SinkError> {
        let bytes = target.bytes();
        for section in joined(sections) {
            for (at, range) in section.into_iter().enumerate() {
                let bytes = &bytes[at][range];
                if self.folder.compression == Compression::None {
                    self.write_bytes(at, bytes)?;
                } else {
                    self.held_back[at].extend_from_slice(bytes);
                }
            }
        }
        Ok(Vec::new())
    }

    fn cut_bytes(&self) -> Option<usize> {
        (self.folder.compression != Compression::None).then_some(CUT_BYTES)
    }

    fn cut(&mut self) -> Result<(), SinkError> {
        for at in 0..COLLECTIONS.len() {
            let mut bytes = std::mem::take(&mut self.held_back[at]);
            if !bytes.is_empty() {
                self.write_member(at, &bytes)?;
            }
            bytes.clear();
            self.held_back[at] = bytes;
        }
        Ok(())
    }

    fn position(&self) -> SinkPosition {
        self.position
    }

    /// An empty collection is an empty member, not an empty file.
    fn finish(&mut self) -> Result<(), SinkError> {
        self.cut()?;
        for at in 0..COLLECTIONS.len() {
            if self.position.lengths[at] == 0 && self.folder.compression != Compression::None {
                self.write_member(at, &[])?;
            }
        }
        Ok(())
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, SinkError> {
        let mut files = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            let file = file.try_clone().map_err(|source| self.error("opening", at, source))?;
            files.push((self.folder.file(at).display().to_string(), file));
        }
        Ok(Box::new(FolderSyncer { files }))
    }
}

/// Sections with neighbours joined: one write for a batch, where nothing in it is left out.
fn joined(sections: &[Section]) -> Vec<Section> {
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
    files: Vec<(String, File)>,
}

impl Syncer for FolderSyncer {
    fn sync(&mut self) -> Result<(), SinkError> {
        for (name, file) in &self.files {
            file.sync_data().map_err(|source| SinkError {
                action: "syncing",
                name: name.clone(),
                source,
            })?;
        }
        Ok(())
    }
}
