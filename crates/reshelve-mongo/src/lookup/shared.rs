//! A reading that several ask for is made once for all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use reshelve::ends::EndError;

/// Readings of a live place, one at a time of those for the same key. Whoever asks while one is at
/// work shares the next one, which begins only after all who share it have asked: no answer is older
/// than its question.
#[derive(Debug)]
pub(super) struct Shared<K, V> {
    lines: Mutex<BTreeMap<K, Line<V>>>,
    /// A reading has ended.
    ended: Condvar,
}

/// What goes on for one key. It is there only as long as somebody asks.
#[derive(Debug)]
struct Line<V> {
    is_reading: bool,
    /// The reading after that, until it begins.
    next: Option<Arc<Turn<V>>>,
}

/// A reading, and what came of it.
type Turn<V> = Mutex<Option<Result<V, EndError>>>;

impl<K: Ord + Clone, V: Clone> Shared<K, V> {
    pub(super) fn new() -> Self {
        Shared { lines: Mutex::default(), ended: Condvar::new() }
    }

    /// What `read` gives for this key, or what it gave to somebody who shares the reading.
    pub(super) fn get(
        &self,
        key: &K,
        read: impl FnOnce() -> Result<V, EndError>,
    ) -> Result<V, EndError> {
        let mut lines = locked(&self.lines);
        let line = lines.entry(key.clone()).or_insert(Line { is_reading: false, next: None });
        if let Some(turn) = line.next.clone() {
            let waits = |_: &mut _| locked(&turn).is_none();
            drop(self.ended.wait_while(lines, waits).unwrap_or_else(PoisonError::into_inner));
            let answer = locked(&turn).clone();
            return answer.unwrap_or_else(|| Err(unread()));
        }
        let turn = Arc::new(Turn::default());
        if line.is_reading {
            line.next = Some(Arc::clone(&turn));
            let waits =
                |lines: &mut BTreeMap<K, Line<V>>| lines.get(key).is_some_and(|it| it.is_reading);
            lines = self.ended.wait_while(lines, waits).unwrap_or_else(PoisonError::into_inner);
        }
        lines.insert(key.clone(), Line { is_reading: true, next: None });
        drop(lines);
        let ending = Ending { shared: self, key, turn };
        let answer = read();
        *locked(&ending.turn) = Some(answer.clone());
        answer
    }
}

/// Ends a reading, also one that panicked: others would wait for it for ever.
struct Ending<'s, K: Ord + Clone, V: Clone> {
    shared: &'s Shared<K, V>,
    key: &'s K,
    turn: Arc<Turn<V>>,
}

impl<K: Ord + Clone, V: Clone> Drop for Ending<'_, K, V> {
    fn drop(&mut self) {
        locked(&self.turn).get_or_insert_with(|| Err(unread()));
        let mut lines = locked(&self.shared.lines);
        if let Some(line) = lines.get_mut(self.key) {
            line.is_reading = false;
            if line.next.is_none() {
                lines.remove(self.key);
            }
        }
        drop(lines);
        self.shared.ended.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unread() -> EndError {
    EndError::failed("a list that was read for several requests was not read to its end", None)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Ten ask while one is at work, and one of them reads for all. What they get was read after
    /// they asked.
    #[test]
    fn one_reading_is_made_for_all_who_wait() {
        let shared = Arc::new(Shared::<&str, u32>::new());
        let value = Arc::new(AtomicU32::new(1));
        let readings = Arc::new(AtomicU32::new(0));
        let (begun, has_begun) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel::<()>();
        let first = {
            let (shared, value) = (Arc::clone(&shared), Arc::clone(&value));
            thread::spawn(move || {
                shared.get(&"list", || {
                    let read = value.load(Ordering::SeqCst);
                    begun.send(()).unwrap();
                    goes_on.recv().unwrap();
                    Ok(read)
                })
            })
        };
        has_begun.recv().unwrap();
        value.store(2, Ordering::SeqCst);
        let others: Vec<_> = (0..10)
            .map(|_| {
                let (shared, value) = (Arc::clone(&shared), Arc::clone(&value));
                let readings = Arc::clone(&readings);
                thread::spawn(move || {
                    shared.get(&"list", || {
                        readings.fetch_add(1, Ordering::SeqCst);
                        Ok(value.load(Ordering::SeqCst))
                    })
                })
            })
            .collect();
        // Another list is not held up.
        assert_eq!(shared.get(&"other", || Ok(7)).unwrap(), 7);
        // The reading of the ten is held by each of them, by the line, and here.
        while Arc::strong_count(&turn_of(&shared)) < 10 + 2 {
            thread::yield_now();
        }
        go_on.send(()).unwrap();
        assert_eq!(first.join().unwrap().unwrap(), 1);
        for other in others {
            assert_eq!(other.join().unwrap().unwrap(), 2);
        }
        assert_eq!(readings.load(Ordering::SeqCst), 1);
        assert!(locked(&shared.lines).is_empty(), "nothing is kept");
    }

    /// The reading that the others wait for, once there is one.
    fn turn_of(shared: &Shared<&'static str, u32>) -> Arc<Turn<u32>> {
        loop {
            let turn = locked(&shared.lines).get("list").and_then(|line| line.next.clone());
            match turn {
                Some(turn) => return turn,
                None => thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_reading_that_fails_or_panics_holds_nobody_up() {
        let shared = Arc::new(Shared::<&str, u32>::new());
        let failed = || Err(EndError::failed("the server is gone", None));
        assert_eq!(shared.get(&"list", failed).unwrap_err().message, "the server is gone");
        let panics = Arc::clone(&shared);
        let panicked = thread::spawn(move || panics.get(&"list", || panic!("as a test")));
        assert!(panicked.join().is_err());
        assert_eq!(shared.get(&"list", || Ok(3)).unwrap(), 3);
        assert!(locked(&shared.lines).is_empty(), "nothing is kept");
    }
}
