//! The newest jobs of each status: what lists are made of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use reshelve_core::raw::{Document, Value};

use super::card::card;
use super::kept::Extent;
use crate::ends::{EndError, LIST_MAX};
use crate::store::{OpenFile, Scratch};

/// The most statuses that are told apart; a status has at most 16 KiB.
pub const STATUSES_MAX: usize = 1_000;
/// A longer status is no status of anybody: nobody can ask for it.
const STATUS_BYTES_MAX: usize = 16 * 1024;

/// A job among others of its status. The greatest is the first of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ranked {
    /// When it was created, in milliseconds since 1970; none is the oldest.
    created_ms: Option<i64>,
    /// Its place in source order: the first of equal ones comes first.
    ordinal: Reverse<u64>,
    /// Where it lies.
    pub(super) extent: Extent,
}

/// The newest jobs of each status, while they are collected.
#[derive(Debug, Default)]
pub(super) struct Newest {
    by_status: BTreeMap<Vec<u8>, BinaryHeap<Reverse<Ranked>>>,
    offered: u64,
}

impl Newest {
    /// Takes a job document into account that lies at `extent`.
    pub(super) fn offer(&mut self, job: &[u8], extent: Extent) -> Result<(), EndError> {
        let job = Document::new(job);
        let ordinal = Reverse(self.offered);
        self.offered += 1;
        let status = job.get("status").and_then(Value::string);
        let Some(status) = status.filter(|status| status.len() <= STATUS_BYTES_MAX) else {
            return Ok(());
        };
        let created_ms = job.get("createdAt").and_then(Value::date_ms);
        let ranked = Ranked { created_ms, ordinal, extent };
        if let Some(heap) = self.by_status.get_mut(status) {
            heap.push(Reverse(ranked));
            if heap.len() > LIST_MAX {
                heap.pop();
            }
            return Ok(());
        }
        if self.by_status.len() >= STATUSES_MAX {
            return Err(EndError::refused(
                format!("the jobs have more than {STATUSES_MAX} different statuses"),
                "this is no target of a migration: look at what is in it",
            ));
        }
        self.by_status.insert(status.to_owned(), BinaryHeap::from([Reverse(ranked)]));
        Ok(())
    }

    /// The jobs of each status, newest first.
    pub(super) fn finish(self) -> Vec<(Vec<u8>, Vec<Ranked>)> {
        let sorted = |heap: BinaryHeap<Reverse<Ranked>>| {
            heap.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked).collect()
        };
        self.by_status.into_iter().map(|(status, heap)| (status, sorted(heap))).collect()
    }
}

/// The newest jobs of several statuses, each list newest first.
fn merged<'r>(lists: impl Iterator<Item = &'r [Ranked]>, limit: usize) -> Vec<Ranked> {
    let mut all: Vec<Ranked> = lists.flatten().copied().collect();
    all.sort_unstable_by_key(|ranked| Reverse(*ranked));
    all.truncate(limit.min(LIST_MAX));
    all
}

/// What lists show: the newest jobs of each status, without their texts, in a file without a name.
#[derive(Debug)]
pub(super) struct Lists {
    by_status: Vec<(Vec<u8>, Vec<Ranked>)>,
    cards: Box<dyn OpenFile>,
}

impl Lists {
    /// Makes the lists; `read` gives the job document at a place.
    pub(super) fn make(
        newest: Newest,
        scratch: &Scratch,
        mut read: impl FnMut(Extent) -> Result<Vec<u8>, EndError>,
    ) -> Result<Self, EndError> {
        let mut by_status = newest.finish();
        let mut cards = scratch.file()?;
        let mut end = 0;
        for ranked in by_status.iter_mut().flat_map(|(_, list)| list) {
            let card = card(&read(ranked.extent)?);
            cards.put(&card)?;
            ranked.extent = Extent { offset: end, length: u32::try_from(card.len()).unwrap_or(0) };
            end = ranked.extent.end();
        }
        Ok(Lists { by_status, cards })
    }

    /// The newest jobs of these statuses.
    pub(super) fn of(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        let asked = self.by_status.iter().filter(|(status, _)| statuses.contains(&&status[..]));
        let ranked = merged(asked.map(|(_, list)| &list[..]), limit);
        let card = |ranked: &Ranked| {
            let mut bytes = vec![0; usize::try_from(ranked.extent.length).unwrap_or(0)];
            self.cards.read_exact_at(&mut bytes, ranked.extent.offset)?;
            Ok(bytes)
        };
        ranked.iter().map(card).collect()
    }
}
