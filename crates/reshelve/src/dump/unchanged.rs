//! Notices that a file is written, cut or replaced while it is read: what was read is then neither
//! the old collection nor the new one.

use std::path::{Path, PathBuf};

use crate::ends::{Batch, BatchLimits, Damage, DamageKind, Place, Source};
use crate::store::{Disk, DiskError, Files, Found};

/// A source that is one file, which is looked at again when it is read to its end.
pub(super) struct Unchanged {
    source: Box<dyn Source>,
    path: PathBuf,
    before: Option<Found>,
    is_checked: bool,
}

impl Unchanged {
    /// Wraps the source that reads this file; call it before the first read.
    pub(super) fn watch(
        source: Box<dyn Source>,
        path: &Path,
    ) -> Result<Box<dyn Source>, DiskError> {
        let before = Disk.look(path)?;
        Ok(Box::new(Unchanged { source, path: path.to_owned(), before, is_checked: false }))
    }

    fn check(&self) -> Result<(), Damage> {
        let what = match (self.before, Disk.look(&self.path)) {
            (before, Ok(now)) if now == before => return Ok(()),
            (Some(before), Ok(Some(now))) if now.length != before.length => {
                format!(": it had {} bytes, and has {} now", before.length, now.length)
            }
            (_, Ok(None)) => ": it is gone".to_owned(),
            (_, Ok(_)) => String::new(),
            (_, Err(error)) => format!(": {error}"),
        };
        Err(Damage {
            kind: DamageKind::Changed,
            name: self.path.display().to_string(),
            place: Place::default(),
            detail: format!("the file changed while it was read{what}"),
            earlier_in_doubt: true,
            source: None,
        })
    }
}

impl Source for Unchanged {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        let has_more = self.source.fill(batch, limits)?;
        if !has_more && !self.is_checked {
            self.is_checked = true;
            self.check()?;
        }
        Ok(has_more)
    }

    fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    fn bytes_total(&self) -> Option<u64> {
        self.source.bytes_total()
    }
}
