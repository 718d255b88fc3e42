//! What stands in a target folder of the jobs of a run.

use std::collections::BTreeMap;

use super::back::Back;
use crate::ends::{Action, EndError, OwnJob, Standing};
use crate::standing::{Half, OwnDocuments, Part, are_own, of_job};
use crate::store::{Key, Sorted, Sorter};
use crate::target_schema::Collection;

/// Most records in memory.
pub(super) const HELD_MAX: usize = 1 << 18;
/// Most bytes of documents of jobs that do not lie together, in one pass over their collection.
const SCATTERED_BYTES_MAX: usize = 64 << 20;

/// The documents of a collection that come together and are of one job.
struct Group {
    own: OwnDocuments,
    documents: Vec<Vec<u8>>,
}

impl Group {
    fn part(&self, collection: Collection) -> Part {
        let documents: Vec<&[u8]> = self.documents.iter().map(Vec::as_slice).collect();
        self.own.part(collection, &documents)
    }
}

/// What lies together of a job in a collection, while it is read.
enum Lying {
    /// Of most collections the first document tells: it is looked at where it lies, not kept.
    One(Key, Part),
    /// Of events, only all of them tell.
    Events(Box<Group>),
}

impl Lying {
    fn new(own: &OwnDocuments, collection: Collection, document: &[u8]) -> Self {
        if collection != Collection::Events {
            return Lying::One(own.job.key, own.part(collection, &[document]));
        }
        let mut group = Group { own: own.clone(), documents: Vec::new() };
        let _ = hold(own, &mut group.documents, document);
        Lying::Events(Box::new(group))
    }

    fn key(&self) -> Key {
        match self {
            Lying::One(key, _) => *key,
            Lying::Events(group) => group.own.job.key,
        }
    }

    /// One more document of the same job.
    fn add(&mut self, own: &OwnDocuments, document: &[u8]) {
        match self {
            Lying::One(_, part) => *part = Part::More,
            Lying::Events(group) => {
                let _ = hold(own, &mut group.documents, document);
            }
        }
    }

    fn record(&self, collection: Collection) -> Record {
        match self {
            Lying::One(key, part) => record(key, *part),
            Lying::Events(group) => record(&group.own.job.key, group.part(collection)),
        }
    }
}

/// Key, and what stands there.
type Record = [u8; 17];

/// Whether a document counts when the documents of a job are compared.
pub(super) type Counts<'c> = &'c (dyn Fn(&OwnDocuments, Collection, &[u8]) -> bool + Sync);

/// What stands of the jobs whose documents lie together, and the keys of the others.
type Together = (Sorted<17>, Sorted<16>);

/// Gives what stands of each job. In the first `done` collections everything is taken back.
pub(super) fn survey(
    back: &Back<'_>,
    done: usize,
    each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
) -> Result<(), EndError> {
    let is_continued = back.run.from.is_some();
    // An event that came while the run is taken back stays, and is nobody's edit.
    let counts = |own: &OwnDocuments, at: Collection, document: &[u8]| {
        !(is_continued && own.is_foreign(at, document))
    };
    back.files.create_folders(back.run.claim.scratch.as_path())?;
    let mut found: Vec<Option<Sorted<17>>> = Vec::new();
    let looked = beside_each_other(back, done, &counts);
    for (collection, together) in Collection::ALL.into_iter().zip(looked) {
        // Jobs whose documents do not lie together take memory: one collection after the other.
        found.push(match together {
            Some(together) => Some(with_scattered(back, collection, &counts, together?)?),
            None => None,
        });
    }
    let mut newer = Newer::new(back, done);
    back.jobs.each(None, &mut |job, how| {
        let own = OwnDocuments::new(job, how);
        // Each file is taken back as a whole, and what follows a checkpoint is cut off.
        let half = if is_continued || own.job.is_open { Half::Parts } else { Half::No };
        let mut standing = of_job(&own.job, parts_of(&own, &found)?, half);
        let may_be_older = is_continued && own.job.action != Action::Insert;
        if may_be_older && matches!(standing, Standing::Edited(_)) && newer.are_own(&own)? {
            // Its earlier version is back already.
            standing = Standing::AsWritten;
        }
        each(&own.job, standing)
    })
}

/// What stands of a job in each collection that is looked at.
fn parts_of(own: &OwnDocuments, found: &[Option<Sorted<17>>]) -> Result<[Part; 4], EndError> {
    let mut parts = [Part::Absent; 4];
    for (collection, found) in Collection::ALL.into_iter().zip(found) {
        let Some(found) = found else { continue };
        parts[collection.index()] = match found.get(&own.job.key)? {
            Some(record) => Part::of(record[16]),
            None => own.part(collection, &[]),
        };
    }
    Ok(parts)
}

/// What stands of jobs beside what there was of them before the run. Read where it is asked for: no
/// job but one that was edited, or taken back before, needs it.
struct Newer<'b> {
    back: &'b Back<'b>,
    done: usize,
    found: Option<Vec<Option<Sorted<17>>>>,
}

impl<'b> Newer<'b> {
    fn new(back: &'b Back<'b>, done: usize) -> Self {
        Newer { back, done, found: None }
    }

    /// Whether nothing stands of a job but what the run wrote, and what there was before.
    fn are_own(&mut self, own: &OwnDocuments) -> Result<bool, EndError> {
        let found = match &self.found {
            Some(found) => found,
            None => {
                let mut found = Vec::new();
                for collection in Collection::ALL {
                    let is_wanted = collection.index() >= self.done;
                    found.push(is_wanted.then(|| self.back.newer(collection)).transpose()?);
                }
                self.found.insert(found)
            }
        };
        Ok(are_own(&parts_of(own, found)?))
    }
}

/// What lies together in each collection, on a thread for each; none of the first `done` ones.
fn beside_each_other(
    back: &Back<'_>,
    done: usize,
    counts: Counts<'_>,
) -> Vec<Option<Result<Together, EndError>>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = Collection::ALL
            .into_iter()
            .map(|collection| {
                let is_wanted = collection.index() >= done;
                is_wanted.then(|| scope.spawn(move || together(back, collection, counts)))
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            // A panic of the thread is passed on.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(|thread| thread.map(join)).collect()
    })
}

/// What stands in a collection of each job of which something stands there.
pub(super) fn parts(
    back: &Back<'_>,
    collection: Collection,
    counts: Counts<'_>,
) -> Result<Sorted<17>, EndError> {
    back.files.create_folders(back.run.claim.scratch.as_path())?;
    let together = together(back, collection, counts)?;
    with_scattered(back, collection, counts, together)
}

/// The same, from what lies together there.
fn with_scattered(
    back: &Back<'_>,
    collection: Collection,
    counts: Counts<'_>,
    (together, scattered): Together,
) -> Result<Sorted<17>, EndError> {
    let scratch = back.run.claim.scratch.as_path();
    if scattered.len() == 0 {
        return Ok(together);
    }
    let mut all = Sorter::<17>::new(scratch, HELD_MAX);
    together.each(|record| all.add(*record))?;
    gather(back, collection, &scattered, counts, &mut |group| {
        Ok(all.add(record(&group.own.job.key, group.part(collection)))?)
    })?;
    Ok(all.finish()?)
}

fn record(key: &Key, part: Part) -> Record {
    let mut record = [0; 17];
    record[..16].copy_from_slice(key);
    record[16] = part.number();
    record
}

/// What stands of the jobs whose documents lie together in a collection, and the keys of the others.
fn together(
    back: &Back<'_>,
    collection: Collection,
    counts: Counts<'_>,
) -> Result<Together, EndError> {
    let scratch = back.run.claim.scratch.as_path();
    let mut records = Sorter::<17>::new(scratch, HELD_MAX);
    let mut last: Option<Lying> = None;
    back.each_own(collection, &mut |own, document| {
        if !counts(own, collection, document) {
            return Ok(());
        }
        match &mut last {
            Some(lying) if lying.key() == own.job.key => lying.add(own, document),
            _ => {
                if let Some(lying) = last.replace(Lying::new(own, collection, document)) {
                    records.add(lying.record(collection))?;
                }
            }
        }
        Ok(())
    })?;
    if let Some(lying) = last {
        records.add(lying.record(collection))?;
    }
    let mut once = Sorter::<17>::new(scratch, HELD_MAX);
    let mut scattered = Sorter::<16>::new(scratch, HELD_MAX);
    let (mut last, mut times) = (None::<Record>, 0);
    let mut end = |last: Option<Record>, times: u32| match last {
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

/// Keeps a document to compare it, and returns how many bytes that takes; of more than the run
/// wrote, one more is enough.
fn hold(own: &OwnDocuments, documents: &mut Vec<Vec<u8>>, document: &[u8]) -> usize {
    let most = usize::try_from(own.job.wrote.events).unwrap_or(usize::MAX).saturating_add(2);
    if documents.len() >= most {
        return 0;
    }
    documents.push(document.to_vec());
    document.len()
}

/// Gathers the documents of jobs that do not lie together, in as many passes as memory asks for.
fn gather(
    back: &Back<'_>,
    collection: Collection,
    wanted: &Sorted<16>,
    counts: Counts<'_>,
    give: &mut dyn FnMut(&Group) -> Result<(), EndError>,
) -> Result<(), EndError> {
    let mut from = Key::default();
    loop {
        let mut held: BTreeMap<Key, Group> = BTreeMap::new();
        let (mut bytes, mut until) = (0, None::<Key>);
        back.each_own(collection, &mut |own, document| {
            let key = own.job.key;
            let is_now = key >= from && until.is_none_or(|until| key < until);
            let is_wanted = is_now && counts(own, collection, document);
            if !is_wanted || wanted.get(&key)?.is_none() {
                return Ok(());
            }
            let new = || Group { own: own.clone(), documents: Vec::new() };
            let group = held.entry(key).or_insert_with(new);
            bytes += hold(own, &mut group.documents, document);
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
