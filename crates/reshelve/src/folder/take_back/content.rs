//! The new content of the files of a target folder.

use super::super::lengths::ReadyFile;
use super::super::replace::{Members, has_taken_its_place};
use super::super::sink::open_locked;
use super::back::{Back, goes};
use super::{NewContent, NextStep};
use crate::ends::{Action, ChangedDocuments, Compression, Earlier, EndError, Hint};
use crate::standing::OwnDocuments;
use crate::store::{Files, Replacement};
use crate::target_schema::Collection;

impl Back<'_> {
    /// Whether the new content that an earlier process had announced is there; puts it there where
    /// it is only ready.
    pub(super) fn is_done(
        &self,
        collection: Collection,
        how: &NewContent,
    ) -> Result<bool, EndError> {
        match how {
            NewContent::Replaced(ready) => {
                Ok(has_taken_its_place(self.files, self.folder, collection, ready)?)
            }
            NewContent::Cut { from_bytes, to_bytes } => {
                let file = open_locked(self.files, self.folder, collection)?;
                let length = file.length()?;
                if length == *from_bytes {
                    file.set_length(*to_bytes)?;
                    file.sync_all()?;
                }
                Ok(length == *from_bytes || length == *to_bytes)
            }
        }
    }

    /// Gives a collection its new content. `announce` is told before that.
    pub(super) fn collection(
        &self,
        collection: Collection,
        before: ChangedDocuments,
        announce: &mut dyn FnMut(NextStep) -> Result<(), EndError>,
    ) -> Result<ChangedDocuments, EndError> {
        let path = self.folder.file(collection);
        let Some(found) = self.files.look(&path)? else { return Ok(before) };
        if let Some(deleted) = self.could_be_cut(collection, found.length)? {
            let to_bytes = self.base(collection);
            let documents = ChangedDocuments { deleted: before.deleted + deleted, ..before };
            if deleted > 0 {
                let how = NewContent::Cut { from_bytes: found.length, to_bytes };
                announce(NextStep { how: how.clone(), documents })?;
                if !self.is_done(collection, &how)? {
                    let message = format!("{} was written to meanwhile", path.display());
                    return Err(EndError::refusal(message, Hint::LookWhoWrites));
                }
            }
            return Ok(documents);
        }
        let mut replacement = Replacement::begin(self.files, &path)?;
        let changed = self.rewrite(collection, found.length, &mut replacement)?;
        let documents = ChangedDocuments {
            deleted: before.deleted + changed.deleted,
            put_back: before.put_back + changed.put_back,
        };
        if changed == ChangedDocuments::default() {
            return Ok(documents);
        }
        // Held until the new file has taken its place: nobody else writes to the old one.
        let _held = open_locked(self.files, self.folder, collection)?;
        if self.files.look(&path)?.is_none_or(|now| now.length != found.length) {
            let message = format!("{} was written to meanwhile", path.display());
            return Err(EndError::refusal(message, Hint::LookWhoWrites));
        }
        let (temporary, bytes) = replacement.sync()?;
        let name = temporary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let how = NewContent::Replaced(ReadyFile { name, bytes });
        announce(NextStep { how, documents })?;
        replacement.commit()?;
        Ok(documents)
    }

    /// How many documents go, where these are all that the run appended, and nothing else was: the
    /// file is cut back to what it was, byte for byte.
    fn could_be_cut(&self, collection: Collection, end: u64) -> Result<Option<u64>, EndError> {
        let base = self.base(collection);
        // An empty compressed collection is an empty member.
        let is_emptied = base == 0 && self.folder.compression != Compression::None;
        if self.run.earlier == Earlier::Kept || is_emptied || base > end {
            return Ok(None);
        }
        let path = self.folder.file(collection);
        let (mut gone, mut stays, mut is_clean) = (0_u64, 0_u64, true);
        let mut count = |own: Option<&OwnDocuments>, document: &[u8]| {
            match own.is_some_and(|own| goes(own, collection, document).unwrap_or(false)) {
                true => gone += 1,
                false => stays += 1,
            }
            Ok(())
        };
        if self.run.earlier == Earlier::None && base > 0 {
            is_clean = self.each(&path, 0..base, &mut count).is_ok();
        }
        let before = std::mem::take(&mut gone);
        stays = 0;
        let mut count = |own: Option<&OwnDocuments>, document: &[u8]| {
            match own {
                Some(own) if goes(own, collection, document)? => gone += 1,
                _ => stays += 1,
            }
            Ok(())
        };
        if !is_clean || before > 0 {
            return Ok(None);
        }
        match self.each(&path, base..end, &mut count) {
            Ok(()) if stays == 0 => Ok(Some(gone)),
            _ => Ok(None),
        }
    }

    /// Writes a collection without what goes, and with the earlier versions that are put back.
    fn rewrite<F: Files + ?Sized>(
        &self,
        collection: Collection,
        end: u64,
        replacement: &mut Replacement<'_, F>,
    ) -> Result<ChangedDocuments, EndError> {
        let mut changed = ChangedDocuments::default();
        let path = self.folder.file(collection);
        let mut out = Members::new(self.folder.compression, replacement);
        let part = self.part(collection)?;
        self.each(&path, 0..part.start, &mut |_, document| Ok(out.write(document)?))?;
        self.each(&path, part.start..end, &mut |own, document| {
            match own.map_or(Ok(false), |own| goes(own, collection, document))? {
                true => changed.deleted += 1,
                false => out.write(document)?,
            }
            Ok(())
        })?;
        self.each_kept(collection, &mut |document| {
            changed.put_back += 1;
            Ok(out.write(document)?)
        })?;
        out.end()?;
        Ok(changed)
    }

    /// Gives the earlier versions of jobs that are taken back.
    pub(super) fn each_kept(
        &self,
        collection: Collection,
        each: &mut dyn FnMut(&[u8]) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        let path = self.undo_file(collection);
        let Some(undo) = self.files.look(&path)?.filter(|_| self.run.earlier == Earlier::Kept)
        else {
            return Ok(());
        };
        self.each(&path, 0..undo.length, &mut |own, document| match own {
            Some(own) if own.job.action == Action::Replace && own.how.is_some() => each(document),
            _ => Ok(()),
        })
    }
}
