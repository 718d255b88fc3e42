//! What stands in a target folder of the jobs of a run.

use std::collections::BTreeMap;

use super::super::existing::Existing;
use super::back::{Back, goes};
use crate::ends::{Action, Earlier, EndError, Found, Hint, OwnJob, Standing};
use crate::standing::{OwnDocuments, Part, of_job, part};
use crate::store::{Key, Sorted, Sorter};
use crate::target_schema::Collection;

/// Most records in memory.
const HELD_MAX: usize = 1 << 19;
/// Most bytes of documents of jobs that do not lie together, in one pass over their collection.
const SCATTERED_BYTES_MAX: usize = 64 << 20;

/// The documents of a collection that come together and are of one job.
struct Group {
    job: OwnJob,
    documents: Vec<Vec<u8>>,
}

impl Group {
    fn part(&self, collection: Collection) -> Part {
        let documents: Vec<&[u8]> = self.documents.iter().map(Vec::as_slice).collect();
        part(&self.job, collection, &documents)
    }
}

/// Key, collection, what stands there.
type Found18 = [u8; 18];

/// Gives what stands of each job.
pub(super) fn survey(
    back: &Back<'_>,
    each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
) -> Result<(), EndError> {
    let scratch = &back.run.claim.scratch;
    back.files.create_folders(scratch)?;
    let mut all = Sorter::<20>::new(scratch.as_path(), HELD_MAX);
    let mut merged: Vec<Sorted<18>> = Vec::new();
    for collection in Collection::ALL {
        let (found, scattered) = together(back, collection)?;
        let mut again = Sorter::<18>::new(scratch.as_path(), HELD_MAX);
        found.each(|record| again.add(*record))?;
        gather(back, collection, &scattered, &mut |group| {
            Ok(again.add(record(&group.job.key, collection, group.part(collection)))?)
        })?;
        merged.push(again.finish()?);
    }
    back.jobs.each(None, &mut |job, _| {
        let mut parts = [0; 20];
        parts[..16].copy_from_slice(&job.key);
        for (at, found) in merged.iter().enumerate() {
            let absent = part(&job, Collection::ALL[at], &[]);
            let found = found.get(&job.key)?.map_or(absent, |record| Part::of(record[17]));
            parts[16 + at] = found.number();
        }
        Ok(all.add(parts)?)
    })?;
    let all = all.finish()?;
    back.jobs.each(None, &mut |job, _| {
        let found = all.get(&job.key)?.unwrap_or_default();
        let parts = std::array::from_fn(|at| Part::of(found[16 + at]));
        each(&job, of_job(&job, parts))
    })
}

fn record(key: &Key, collection: Collection, part: Part) -> Found18 {
    let mut record = [0; 18];
    record[..16].copy_from_slice(key);
    record[16] = u8::try_from(collection.index()).unwrap_or(u8::MAX);
    record[17] = part.number();
    record
}

/// What stands of the jobs whose documents lie together in a collection, and the keys of the others.
fn together(back: &Back<'_>, collection: Collection) -> Result<(Sorted<18>, Sorted<16>), EndError> {
    let scratch = back.run.claim.scratch.as_path();
    let mut records = Sorter::<18>::new(scratch, HELD_MAX);
    let mut group: Option<Group> = None;
    let mut close = |group: Option<Group>| match group {
        Some(group) => records.add(record(&group.job.key, collection, group.part(collection))),
        None => Ok(()),
    };
    back.each_own(collection, &mut |own, document| {
        if group.as_ref().is_none_or(|group| group.job.key != own.job.key) {
            close(group.take())?;
            group = Some(Group { job: own.job.clone(), documents: Vec::new() });
        }
        if let Some(group) = &mut group {
            hold(own, &mut group.documents, document);
        }
        Ok(())
    })?;
    close(group)?;
    let mut once = Sorter::<18>::new(scratch, HELD_MAX);
    let mut scattered = Sorter::<16>::new(scratch, HELD_MAX);
    let (mut last, mut times) = (None::<Found18>, 0);
    let mut end = |last: Option<Found18>, times: u32| match last {
        Some(last) if times == 1 => once.add(last),
        Some(last) => scattered.add(std::array::from_fn(|at| last[at])),
        None => Ok(()),
    };
    records.finish()?.each(|record| {
        if last.is_some_and(|last| last[..16] != record[..16]) {
            end(last, times)?;
            times = 0;
        }
        (last, times) = (Some(*record), times + 1);
        Ok(())
    })?;
    end(last, times)?;
    Ok((once.finish()?, scattered.finish()?))
}

/// Keeps a document to compare it; of more than the run wrote, one more is enough.
fn hold(own: &OwnDocuments, documents: &mut Vec<Vec<u8>>, document: &[u8]) {
    let most = usize::try_from(own.job.wrote.events).unwrap_or(usize::MAX).saturating_add(2);
    if documents.len() < most {
        documents.push(document.to_vec());
    }
}

/// Gathers the documents of jobs that do not lie together, in as many passes as memory asks for.
fn gather(
    back: &Back<'_>,
    collection: Collection,
    wanted: &Sorted<16>,
    give: &mut dyn FnMut(&Group) -> Result<(), EndError>,
) -> Result<(), EndError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut from = Key::default();
    loop {
        let mut held: BTreeMap<Key, Group> = BTreeMap::new();
        let (mut bytes, mut until) = (0, None::<Key>);
        back.each_own(collection, &mut |own, document| {
            let key = own.job.key;
            let is_now = key >= from && until.is_none_or(|until| key < until);
            if !is_now || wanted.get(&key)?.is_none() {
                return Ok(());
            }
            let new = || Group { job: own.job.clone(), documents: Vec::new() };
            hold(own, &mut held.entry(key).or_insert_with(new).documents, document);
            bytes += document.len();
            while bytes > SCATTERED_BYTES_MAX && held.len() > 1 {
                // It comes in a later pass.
                let Some((key, group)) = held.pop_last() else { break };
                bytes -= group.documents.iter().map(Vec::len).sum::<usize>();
                until = Some(key);
            }
            Ok(())
        })?;
        held.values().try_for_each(&mut *give)?;
        match until {
            Some(until) => from = until,
            None => return Ok(()),
        }
    }
}

impl Back<'_> {
    /// Checks that what the run replaced was kept, where it has taken it out of the target.
    pub(super) fn check_undo(&self) -> Result<(), EndError> {
        if self.run.earlier != Earlier::Kept {
            return Ok(());
        }
        let scratch = self.run.claim.scratch.as_path();
        self.files.create_folders(scratch)?;
        let mut kept = Sorter::<16>::new(scratch, HELD_MAX);
        let path = self.undo_file(Collection::Jobs);
        if let Some(undo) = self.files.look(&path)? {
            self.each(&path, 0..undo.length, &mut |own, _| match own {
                Some(own) => Ok(kept.add(own.job.key)?),
                None => Ok(()),
            })?;
        }
        let kept = kept.finish()?;
        self.jobs.each(None, &mut |job, _| {
            let had_job = job.found[Collection::Jobs.index()] != Found::Absent;
            if job.action == Action::Replace && had_job && kept.get(&job.key)?.is_none() {
                let job = String::from_utf8_lossy(&job.job_id).into_owned();
                let message =
                    format!("the earlier version of the job {job} is not in {}", path.display());
                return Err(EndError::refusal(message, Hint::MendTheTarget));
            }
            Ok(())
        })
    }

    /// How many documents are not as they should be when everything is taken back.
    pub(super) fn left_over(&self) -> Result<u64, EndError> {
        let mut left = 0_u64;
        let (mut versions, mut kept) = (0_u64, 0_u64);
        for collection in Collection::ALL {
            self.each_own(collection, &mut |own, document| {
                match own.job.action {
                    Action::Replace if self.run.earlier == Earlier::Kept => {
                        versions += u64::from(own.how.is_some() && own.is_version(document));
                    }
                    _ => left += u64::from(goes(own, collection, document).unwrap_or(true)),
                }
                Ok(())
            })?;
        }
        if self.run.earlier != Earlier::Kept {
            return Ok(left);
        }
        let scratch = self.run.claim.scratch.as_path();
        let standing = Existing::survey(self.files, self.folder, None, scratch)?.existing;
        for collection in Collection::ALL {
            self.each_kept(collection, &mut |document| {
                kept += 1;
                left += u64::from(!standing.has(collection, document)?);
                Ok(())
            })?;
        }
        Ok(left + versions.saturating_sub(kept))
    }
}
