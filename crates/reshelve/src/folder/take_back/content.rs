//! The new content of the files of a target folder.

use std::ops::Range;

use super::super::replace::{Members, changed_since};
use super::super::sink::open_locked;
use super::back::Back;
use super::survey::HELD_MAX;
use super::{NewContent, NextStep};
use crate::ends::{Action, ChangedDocuments, Compression, Earlier, EndError, Hint};
use crate::store::{Files, Found, Identity, OpenFile, Replacement, Sorted, Sorter, key_of};
use crate::target_schema::Collection;

impl Back<'_> {
    /// Whether a collection has the new content that an earlier process had announced. If it is
    /// only ready it is made again: what stands there may have been changed since.
    pub(super) fn is_done(
        &self,
        collection: Collection,
        how: &NewContent,
    ) -> Result<bool, EndError> {
        let found = self.files.look(&self.folder.file(collection))?;
        Ok(found.is_some_and(|found| match how {
            NewContent::Cut { to_bytes } => found.length == *to_bytes,
            NewContent::Replaced { device, inode } => {
                found.identity == Identity { device: *device, inode: *inode }
            }
        }))
    }

    /// Syncs a collection and its place in the folder: a process that was killed may have cut or
    /// renamed the file, and have synced neither.
    pub(super) fn make_durable(&self, collection: Collection) -> Result<(), EndError> {
        if self.files.look(&self.folder.file(collection))?.is_some() {
            open_locked(self.files, self.folder, collection)?.sync_all()?;
        }
        Ok(self.files.sync_folder(&self.folder.database())?)
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
        // Held until it has its new content: nobody else of ours writes to it.
        let held = open_locked(self.files, self.folder, collection)?;
        self.check(collection)?;
        if let Some(deleted) = self.could_be_cut(collection, found.length)? {
            let to_bytes = self.base(collection);
            let documents = ChangedDocuments { deleted: before.deleted + deleted, ..before };
            if deleted > 0 {
                announce(NextStep { how: NewContent::Cut { to_bytes }, documents })?;
                self.check_unchanged(collection, held.as_ref(), found)?;
                held.set_length(to_bytes)?;
            }
            return Ok(documents);
        }
        let mut replacement = Replacement::begin(self.files, &path)?;
        let changed = self.rewrite(collection, found.length, &mut replacement)?;
        let documents = ChangedDocuments {
            deleted: before.deleted + changed.deleted,
            put_back: before.put_back + changed.put_back,
            bytes: before.bytes,
        };
        if changed == ChangedDocuments::default() {
            return Ok(documents);
        }
        let (temporary, _) = replacement.sync()?;
        let Some(ready) = self.files.look(temporary)? else { return Ok(before) };
        let Identity { device, inode } = ready.identity;
        announce(NextStep { how: NewContent::Replaced { device, inode }, documents })?;
        self.check_unchanged(collection, held.as_ref(), found)?;
        replacement.commit()?;
        Ok(documents)
    }

    /// Whether the file that is locked is still the one that has this name, and as it was read.
    fn check_unchanged(
        &self,
        collection: Collection,
        held: &dyn OpenFile,
        read: Found,
    ) -> Result<(), EndError> {
        // A lock is held on the file, whatever its name is by now.
        let read = self.files.is_still_there(held)?.then_some(read);
        match changed_since(self.files, &self.folder.file(collection), read)? {
            None => Ok(()),
            Some(message) => Err(EndError::refusal(message, Hint::LookWhoWrites)),
        }
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
        // What stood there before is not the run's, unless others have rewritten the file since.
        let has_none = base == 0 || self.run.earlier == Earlier::StillThere;
        let is_untouched = has_none || matches!(self.count(collection, 0..base), Ok((0, _)));
        match self.count(collection, base..end) {
            Ok((gone, 0)) if is_untouched => Ok(Some(gone)),
            _ => Ok(None),
        }
    }

    /// How many documents of a part of a file go, and how many stay.
    fn count(&self, collection: Collection, part: Range<u64>) -> Result<(u64, u64), EndError> {
        let (mut gone, mut stays) = (0, 0);
        self.each(&self.folder.file(collection), part, &mut |own, document| {
            let goes =
                own.is_some_and(|own| own.goes(collection, document, self.run).unwrap_or(false));
            *(if goes { &mut gone } else { &mut stays }) += 1;
            Ok(())
        })?;
        Ok((gone, stays))
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
        let kept = self.kept_keys(collection)?;
        let mut standing = Sorter::<16>::new(self.run.claim.scratch.as_path(), HELD_MAX);
        self.each(&path, part.start..end, &mut |own, document| {
            let is_back = own.is_some_and(|own| own.job.action == Action::Replace)
                && kept.get(&key_of(document))?.is_some();
            if is_back {
                // It is the same in both versions, or was put back before.
                standing.add(key_of(document))?;
                return Ok(out.write(document)?);
            }
            match own.map_or(Ok(false), |own| own.goes(collection, document, self.run))? {
                true => changed.deleted += 1,
                false => out.write(document)?,
            }
            Ok(())
        })?;
        let standing = standing.finish()?;
        self.each_kept(collection, &mut |document| {
            if standing.get(&key_of(document))?.is_some() {
                return Ok(());
            }
            changed.put_back += 1;
            Ok(out.write(document)?)
        })?;
        out.end()?;
        Ok(changed)
    }

    /// The keys of the earlier versions of documents of jobs that are taken back.
    pub(super) fn kept_keys(&self, collection: Collection) -> Result<Sorted<16>, EndError> {
        let mut keys = Sorter::<16>::new(self.run.claim.scratch.as_path(), HELD_MAX);
        self.each_kept(collection, &mut |document| Ok(keys.add(key_of(document))?))?;
        Ok(keys.finish()?)
    }

    /// Gives the earlier versions of jobs that are taken back.
    pub(super) fn each_kept(
        &self,
        collection: Collection,
        each: &mut dyn FnMut(&[u8]) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        if self.run.earlier != Earlier::Kept {
            return Ok(());
        }
        self.each_undone(collection, &mut |own, document| match own {
            Some(own) if own.job.action == Action::Replace && own.how.is_some() => each(document),
            _ => Ok(()),
        })
    }
}
