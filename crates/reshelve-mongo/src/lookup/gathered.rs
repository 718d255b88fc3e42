//! What several ask a live place for at the same time is read together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reshelve::ends::EndError;

/// The part of the time of the last reading that the next one waits for those who are just being
/// answered by it together, and may ask again: else every second reading would be made for the first
/// of them alone.
const LINGER_PART: u32 = 5;
/// The longest that a reading waits so.
const LINGER_MAX: Duration = Duration::from_millis(25);
/// The most that is asked for in one reading.
const ITEMS_MAX: usize = 32;

/// Readings of a live place. Whoever asks while enough of them are at work shares the next one, which
/// begins only after all who share it have asked: no answer is older than its question.
///
/// `L` tells kinds of readings apart, which have nothing to do with each other; `K` is what one is
/// asked for, and `V` what it gives for that.
#[derive(Debug)]
pub(super) struct Gathered<L, K, V> {
    /// How many readings of one kind are at work at once.
    at_once: usize,
    lines: Mutex<BTreeMap<L, Line<K, V>>>,
    /// The last reading that several shared.
    shared: Mutex<Option<Shared<L>>>,
    /// A reading has ended, or begun.
    moved: Condvar,
}

/// What goes on in one kind of readings. It is there only as long as somebody asks.
#[derive(Debug)]
struct Line<K, V> {
    at_work: usize,
    /// The reading after those, until it begins.
    next: Option<Next<K, V>>,
}

#[derive(Debug)]
struct Shared<L> {
    line: L,
    took: Duration,
    ended: Instant,
}

#[derive(Debug)]
struct Next<K, V> {
    items: BTreeSet<K>,
    turn: Arc<Turn<K, V>>,
}

type Lines<'l, L, K, V> = MutexGuard<'l, BTreeMap<L, Line<K, V>>>;

/// What came of a reading, once it has ended.
type Turn<K, V> = Mutex<Option<Result<Arc<BTreeMap<K, V>>, EndError>>>;

impl<K, V> Default for Line<K, V> {
    fn default() -> Self {
        Line { at_work: 0, next: None }
    }
}

impl<L: Ord + Clone, K: Ord + Clone, V: Clone> Gathered<L, K, V> {
    /// At most so many readings of one kind are at work at once.
    pub(super) fn new(at_once: usize) -> Self {
        Gathered {
            at_once,
            lines: Mutex::default(),
            shared: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// What there is for an item. `read` is called for all items that are asked for together, by
    /// one of those who ask.
    pub(super) fn get(
        &self,
        line: &L,
        item: &K,
        read: impl FnOnce(&BTreeSet<K>) -> Result<BTreeMap<K, V>, EndError>,
    ) -> Result<Option<V>, EndError> {
        let mut lines = locked(&self.lines);
        let turn = loop {
            let here = lines.entry(line.clone()).or_default();
            match &mut here.next {
                None => break Arc::default(),
                Some(Next { items, turn }) if items.len() < ITEMS_MAX => {
                    items.insert(item.clone());
                    let turn = Arc::clone(turn);
                    return self.answer_of(lines, &turn, item);
                }
                // Full: another one comes after it.
                Some(_) => lines = self.moved.wait(lines).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let here = lines.entry(line.clone()).or_default();
        here.next = Some(Next { items: BTreeSet::from([item.clone()]), turn: Arc::clone(&turn) });
        lines = self.wait_for_turn(lines, line);
        let mut items = BTreeSet::from([item.clone()]);
        if let Some(here) = lines.get_mut(line) {
            here.at_work += 1;
            items.extend(here.next.take().into_iter().flat_map(|next| next.items));
        }
        drop(lines);
        self.moved.notify_all();
        let ending = Ending { of: self, line, turn, since: Instant::now() };
        let answer = read(&items).map(Arc::new);
        *locked(&ending.turn) = Some(answer.clone());
        answer.map(|all| all.get(item).cloned())
    }

    /// Waits until a reading may begin. Meanwhile others join it.
    fn wait_for_turn<'l>(&'l self, mut lines: Lines<'l, L, K, V>, line: &L) -> Lines<'l, L, K, V> {
        let is_busy = |lines: &mut BTreeMap<L, Line<K, V>>| {
            lines.get(line).is_some_and(|here| here.at_work >= self.at_once)
        };
        lines = self.moved.wait_while(lines, is_busy).unwrap_or_else(PoisonError::into_inner);
        let linger = match &*locked(&self.shared) {
            Some(last) if last.line == *line => {
                (last.took / LINGER_PART).min(LINGER_MAX).saturating_sub(last.ended.elapsed())
            }
            _ => Duration::ZERO,
        };
        if linger.is_zero() {
            return lines;
        }
        drop(lines);
        std::thread::sleep(linger);
        locked(&self.lines)
    }

    /// Waits for a reading that somebody else makes.
    fn answer_of(
        &self,
        lines: Lines<'_, L, K, V>,
        turn: &Turn<K, V>,
        item: &K,
    ) -> Result<Option<V>, EndError> {
        let waits = |_: &mut _| locked(turn).is_none();
        drop(self.moved.wait_while(lines, waits).unwrap_or_else(PoisonError::into_inner));
        let answer = locked(turn).clone().unwrap_or_else(|| Err(unread()));
        answer.map(|all| all.get(item).cloned())
    }
}

/// Ends a reading, also one that panicked: others would wait for it for ever.
struct Ending<'g, L: Ord + Clone, K: Ord + Clone, V: Clone> {
    of: &'g Gathered<L, K, V>,
    line: &'g L,
    turn: Arc<Turn<K, V>>,
    since: Instant,
}

impl<L: Ord + Clone, K: Ord + Clone, V: Clone> Drop for Ending<'_, L, K, V> {
    fn drop(&mut self) {
        locked(&self.turn).get_or_insert_with(|| Err(unread()));
        let mut lines = locked(&self.of.lines);
        if Arc::strong_count(&self.turn) > 1 {
            let (line, took) = (self.line.clone(), self.since.elapsed());
            *locked(&self.of.shared) = Some(Shared { line, took, ended: Instant::now() });
        }
        if let Some(here) = lines.get_mut(self.line) {
            here.at_work -= 1;
            if here.at_work == 0 && here.next.is_none() {
                lines.remove(self.line);
            }
        }
        drop(lines);
        self.of.moved.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unread() -> EndError {
    EndError::failed("what was read for several requests was not read to its end", None)
}

#[cfg(test)]
#[path = "gathered_tests.rs"]
mod tests;
