//! What changed in a source since a plan was saved, document by document.
//!
//! As long as the documents come as they were planned, nothing is held. From the first one on that
//! differs, both sides are sorted by key and compared as sets: memory does not grow with them.

use std::path::Path;
use std::sync::Arc;

use super::error::PlanError;
use super::keys::{KeysReader, entry_at, record};
use super::source::Entry;
use super::used::keys_file;
use crate::store::{DiskError, Files, Key, Open, OpenFile, Scratch, Sorter};

/// How many documents are named.
pub const NAMED_MAX: usize = 20;
/// Most records held in memory, about 57 MiB; then sorted files.
const HELD_MAX: usize = 1 << 20;
/// Key, hash, side and place.
const RECORD: usize = 57;
/// Bytes that are written to scratch at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// What happened to a document since the plan was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It was not there.
    Added,
    /// It was there with another content.
    Changed,
    /// It is not there any more.
    Removed,
}

/// What changed in a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Documents that were added.
    pub added: u64,
    /// Documents with another content.
    pub changed: u64,
    /// Documents that were removed.
    pub removed: u64,
    /// Whether the documents come in another order.
    pub is_reordered: bool,
    /// Some of them by their `_id`, which is empty if a document has none.
    pub named: Vec<(Change, String)>,
}

impl Changes {
    /// Whether the source holds the same documents as before, in any order.
    pub fn are_none(&self) -> bool {
        self.added == 0 && self.changed == 0 && self.removed == 0
    }
}

/// Compares the documents of a source with those of a plan.
#[derive(Debug)]
pub struct Comparison {
    planned: KeysReader,
    plan_keys: Box<dyn OpenFile>,
    scratch: Scratch,
    /// None as long as all documents are the planned ones, in their order.
    apart: Option<Apart>,
}

/// Both sides from the first document on that differs.
#[derive(Debug)]
struct Apart {
    sorter: Sorter<RECORD>,
    /// The documents that are there now, in the form of the plan's keys.
    now: Box<dyn OpenFile>,
    held: Vec<u8>,
    offset: u64,
}

/// Whose document a record is.
const PLANNED: u8 = 0;
const NOW: u8 = 1;

impl Comparison {
    /// Begins, with files without a name in `scratch`, which must exist.
    ///
    /// # Errors
    /// If the keys of the plan cannot be read.
    pub fn new(files: &Arc<dyn Files>, plan: &Path, scratch: &Path) -> Result<Self, PlanError> {
        Ok(Comparison {
            planned: KeysReader::open(files.as_ref(), plan)?,
            plan_keys: files.open(&keys_file(plan), Open::Read)?,
            scratch: Scratch::new(Arc::clone(files), scratch),
            apart: None,
        })
    }

    /// Takes the next document of the source.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn add(&mut self, entry: &Entry) -> Result<(), PlanError> {
        if let Some(apart) = &mut self.apart {
            return Ok(apart.add_now(entry)?);
        }
        let planned = self.planned.next_entry()?;
        if let Some((_, planned)) = &planned
            && planned.key == entry.key
            && planned.hash == entry.hash
        {
            return Ok(());
        }
        let mut apart = self.begin_apart()?;
        if let Some((offset, planned)) = planned {
            apart.sorter.add(sortable(&planned, PLANNED, offset))?;
        }
        apart.add_now(entry)?;
        self.apart = Some(apart);
        Ok(())
    }

    fn begin_apart(&self) -> Result<Apart, DiskError> {
        Ok(Apart {
            sorter: Sorter::new(&self.scratch, HELD_MAX),
            now: self.scratch.file()?,
            held: Vec::new(),
            offset: 0,
        })
    }

    /// Ends the comparison: the source has no more documents.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn finish(mut self) -> Result<Changes, PlanError> {
        while let Some((offset, planned)) = self.planned.next_entry()? {
            let mut apart = match self.apart.take() {
                Some(apart) => apart,
                None => self.begin_apart()?,
            };
            apart.sorter.add(sortable(&planned, PLANNED, offset))?;
            self.apart = Some(apart);
        }
        let Some(mut apart) = self.apart else { return Ok(Changes::default()) };
        apart.flush()?;
        let mut found = Found::default();
        apart.sorter.finish()?.each(|record| {
            found.take(record);
            Ok(())
        })?;
        found.end_key();
        let mut changes = found.changes;
        changes.is_reordered = changes.are_none();
        for (change, side, offset) in found.named.in_turn() {
            let file = if side == NOW { &apart.now } else { &self.plan_keys };
            changes.named.push((change, entry_at(file.as_ref(), offset)?.id));
        }
        changes.named.sort();
        Ok(changes)
    }
}

impl Apart {
    fn add_now(&mut self, entry: &Entry) -> Result<(), DiskError> {
        let record = record(entry);
        self.sorter.add(sortable(entry, NOW, self.offset))?;
        self.offset += u64::try_from(record.len()).unwrap_or(0);
        self.held.extend_from_slice(&record);
        if self.held.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.now.put(&self.held)?;
        self.held.clear();
        Ok(())
    }
}

fn sortable(entry: &Entry, side: u8, offset: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..16].copy_from_slice(&entry.key);
    record[16..48].copy_from_slice(&entry.hash);
    record[48] = side;
    record[49..].copy_from_slice(&offset.to_be_bytes());
    record
}

/// Documents without a partner on the other side, and where some of them are.
#[derive(Debug, Default)]
struct Alone {
    count: u64,
    offsets: Vec<u64>,
}

impl Alone {
    fn add(&mut self, count: u64, offset: u64) {
        self.count += count;
        if count > 0 && self.offsets.len() < NAMED_MAX {
            self.offsets.push(offset);
        }
    }
}

/// What is found while both sides pass, sorted by key, then by hash.
#[derive(Default)]
struct Found {
    changes: Changes,
    named: Named,
    key: Option<Key>,
    hash: [u8; 32],
    /// Documents of this key and hash: planned, and there now; with the last place of each.
    same: [(u64, u64); 2],
    /// Documents of this key that have no partner.
    alone: [Alone; 2],
}

impl Found {
    fn take(&mut self, record: &[u8; RECORD]) {
        let (key, hash) = (&record[..16], &record[16..48]);
        let is_same_key = self.key.is_some_and(|now| now == key);
        if !is_same_key {
            self.end_key();
        } else if self.hash != hash {
            self.end_hash();
        }
        let mut now = Key::default();
        now.copy_from_slice(key);
        self.key = Some(now);
        self.hash.copy_from_slice(hash);
        let offset = record[49..].try_into().map_or(0, u64::from_be_bytes);
        let (count, last) = &mut self.same[usize::from(record[48] == NOW)];
        *count += 1;
        *last = offset;
    }

    /// As many of both sides as there are of each are the same documents.
    fn end_hash(&mut self) {
        let [(planned, planned_at), (now, now_at)] = std::mem::take(&mut self.same);
        let both = planned.min(now);
        self.alone[usize::from(PLANNED)].add(planned - both, planned_at);
        self.alone[usize::from(NOW)].add(now - both, now_at);
    }

    /// As many of both sides as there are of one `_id` were changed.
    fn end_key(&mut self) {
        self.end_hash();
        let [planned, now] = std::mem::take(&mut self.alone);
        let changed = planned.count.min(now.count);
        self.changes.changed += changed;
        self.changes.removed += planned.count - changed;
        self.changes.added += now.count - changed;
        let kept = usize::try_from(changed).unwrap_or(usize::MAX);
        let named = &mut self.named;
        let of_now = now.offsets.into_iter().map(|offset| (NOW, offset));
        for (place, at) in of_now.enumerate() {
            named.add(if place < kept { Change::Changed } else { Change::Added }, at);
        }
        for offset in planned.offsets.into_iter().skip(kept) {
            named.add(Change::Removed, (PLANNED, offset));
        }
    }
}

/// Where some documents of each change are: their side, and the place in its file.
#[derive(Debug, Default)]
struct Named([Vec<(u8, u64)>; 3]);

impl Named {
    const ALL: [Change; 3] = [Change::Added, Change::Changed, Change::Removed];

    fn add(&mut self, change: Change, at: (u8, u64)) {
        for (kind, list) in Named::ALL.into_iter().zip(&mut self.0) {
            if kind == change && list.len() < NAMED_MAX {
                list.push(at);
            }
        }
    }

    /// At most [`NAMED_MAX`] of them, of each change in turn.
    fn in_turn(&self) -> Vec<(Change, u8, u64)> {
        let mut turns = Vec::new();
        for place in 0..NAMED_MAX {
            for (change, list) in Named::ALL.into_iter().zip(&self.0) {
                turns.extend(list.get(place).map(|(side, offset)| (change, *side, *offset)));
            }
        }
        turns.truncate(NAMED_MAX);
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;
    use crate::store::{Disk, key_of};

    fn entry(id: &str, content: &str) -> Entry {
        let hash = *blake3::hash(content.as_bytes()).as_bytes();
        Entry { key: key_of(id.as_bytes()), hash, id: id.to_owned() }
    }

    fn changes(planned: &[Entry], now: &[Entry]) -> Changes {
        let folder = tempfile::tempdir().unwrap();
        let files: Arc<dyn Files> = Arc::new(Disk);
        let plan = folder.path().join("plan");
        let mut keys = Keys::begin(files.as_ref(), &plan).unwrap();
        planned.iter().for_each(|entry| keys.add(entry).unwrap());
        keys.end().unwrap();
        keys.commit().unwrap();
        let mut comparison = Comparison::new(&files, &plan, folder.path()).unwrap();
        now.iter().for_each(|entry| comparison.add(entry).unwrap());
        comparison.finish().unwrap()
    }

    #[test]
    fn documents_are_told_apart_by_id_and_content() {
        let planned = ["a", "b", "c", "d"].map(|id| entry(id, id));
        assert_eq!(changes(&planned, &planned), Changes::default());
        let [a, b, c, d] = planned.clone();
        let found = changes(&planned, &[a.clone(), entry("b", "new"), d.clone(), entry("e", "e")]);
        assert_eq!((found.added, found.changed, found.removed), (1, 1, 1));
        let named = [(Change::Added, "e"), (Change::Changed, "b"), (Change::Removed, "c")];
        assert_eq!(found.named, named.map(|(change, id)| (change, id.to_owned())));
        assert!(!found.is_reordered);
        let found = changes(&planned, &[b, a, d, c]);
        assert!(found.are_none() && found.is_reordered && found.named.is_empty());
    }

    #[test]
    fn documents_with_one_id_are_counted() {
        let planned = [entry("a", "1"), entry("a", "1"), entry("a", "2")];
        let found = changes(&planned, &[entry("a", "2"), entry("a", "1"), entry("a", "3")]);
        assert_eq!((found.added, found.changed, found.removed), (0, 1, 0));
        let found = changes(&planned, &[entry("a", "1")]);
        assert_eq!((found.added, found.changed, found.removed), (0, 0, 2));
        let found = changes(&[], &planned);
        assert_eq!((found.added, found.changed, found.removed), (3, 0, 0));
    }

    #[test]
    fn twenty_are_named_and_some_of_each_kind() {
        let planned: Vec<Entry> = (0..100).map(|at| entry(&format!("p{at}"), "x")).collect();
        let mut now: Vec<Entry> = (0..99).map(|at| entry(&format!("p{at}"), "y")).collect();
        now.push(entry("n", "x"));
        let found = changes(&planned, &now);
        assert_eq!((found.added, found.changed, found.removed), (1, 99, 1));
        assert_eq!(found.named.len(), NAMED_MAX);
        assert_eq!(found.named[0], (Change::Added, "n".to_owned()));
        assert_eq!(found.named[NAMED_MAX - 1], (Change::Removed, "p99".to_owned()));
    }
}
