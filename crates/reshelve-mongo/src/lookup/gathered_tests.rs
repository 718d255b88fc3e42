//! Who asks at the same time shares a reading, and nobody gets an answer that is older than their
//! question.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::*;

const AT_ONCE: usize = 2;

type Tried = Gathered<&'static str, usize, usize>;

/// Readings that stand still until they are told to go on.
fn held(gathered: &Arc<Tried>, items: usize) -> (Sender<()>, Vec<JoinHandle<Option<usize>>>) {
    let (go_on, goes_on) = channel::<()>();
    let goes_on: Arc<Mutex<Receiver<()>>> = Arc::new(Mutex::new(goes_on));
    let (begun, has_begun) = channel();
    let threads = (0..items).map(|item| {
        let (gathered, goes_on, begun) =
            (Arc::clone(gathered), Arc::clone(&goes_on), begun.clone());
        thread::spawn(move || {
            let read = |items: &BTreeSet<usize>| {
                begun.send(()).unwrap();
                locked(&goes_on).recv().unwrap();
                Ok(items.iter().map(|item| (*item, item + 100)).collect())
            };
            gathered.get(&"cards", &item, read).unwrap()
        })
    });
    let threads: Vec<_> = threads.collect();
    (0..items).for_each(|_| has_begun.recv().unwrap());
    (go_on, threads)
}

/// How many items wait for the next reading.
fn waiting(gathered: &Tried) -> usize {
    let lines = locked(&gathered.lines);
    lines.get("cards").and_then(|line| line.next.as_ref()).map_or(0, |next| next.items.len())
}

#[test]
fn who_asks_meanwhile_shares_the_next_reading() {
    let gathered = Arc::new(Tried::new(AT_ONCE));
    let (go_on, first) = held(&gathered, AT_ONCE);
    let now = Arc::new(AtomicUsize::new(1));
    let readings = Arc::new(AtomicUsize::new(0));
    let others: Vec<_> = (0..10)
        .map(|item| {
            let (gathered, now) = (Arc::clone(&gathered), Arc::clone(&now));
            let readings = Arc::clone(&readings);
            thread::spawn(move || {
                let read = |items: &BTreeSet<usize>| {
                    readings.fetch_add(1, Ordering::SeqCst);
                    let now = now.load(Ordering::SeqCst);
                    // Of the last one there is nothing.
                    Ok(items.iter().filter(|item| **item < 9).map(|item| (*item, now)).collect())
                };
                gathered.get(&"cards", &item, read).unwrap()
            })
        })
        .collect();
    // Another kind of reading is not held up.
    let read = |_: &BTreeSet<usize>| Ok(BTreeMap::from([(7, 7)]));
    assert_eq!(gathered.get(&"lists", &7, read).unwrap(), Some(7));
    while waiting(&gathered) < 10 {
        thread::yield_now();
    }
    // What is read now was not there when the first ones were read.
    now.store(2, Ordering::SeqCst);
    (0..AT_ONCE).for_each(|_| go_on.send(()).unwrap());
    for (item, thread) in first.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), Some(item + 100));
    }
    for (item, thread) in others.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), (item < 9).then_some(2));
    }
    assert_eq!(readings.load(Ordering::SeqCst), 1);
    assert!(locked(&gathered.lines).is_empty(), "nothing is kept");
    // The next one waits a little for them to ask again; not for a reading that was for one alone.
    assert_eq!(locked(&gathered.shared).as_ref().map(|last| last.line), Some("cards"));
}

#[test]
fn a_reading_is_asked_for_so_much_and_no_more() {
    let gathered = Arc::new(Tried::new(AT_ONCE));
    let (go_on, first) = held(&gathered, AT_ONCE);
    let most = Arc::new(AtomicUsize::new(0));
    let others: Vec<_> = (0..3 * ITEMS_MAX)
        .map(|item| {
            let (gathered, most) = (Arc::clone(&gathered), Arc::clone(&most));
            thread::spawn(move || {
                let read = |items: &BTreeSet<usize>| {
                    most.fetch_max(items.len(), Ordering::SeqCst);
                    Ok(items.iter().map(|item| (*item, 2 * item)).collect())
                };
                gathered.get(&"cards", &item, read).unwrap()
            })
        })
        .collect();
    while waiting(&gathered) < ITEMS_MAX {
        thread::yield_now();
    }
    (0..AT_ONCE).for_each(|_| go_on.send(()).unwrap());
    assert_eq!(first.into_iter().filter_map(|thread| thread.join().unwrap()).count(), AT_ONCE);
    for (item, thread) in others.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), Some(2 * item));
    }
    assert_eq!(most.load(Ordering::SeqCst), ITEMS_MAX);
    assert!(locked(&gathered.lines).is_empty(), "nothing is kept");
}

#[test]
fn a_reading_that_fails_or_panics_holds_nobody_up() {
    let gathered = Arc::new(Tried::new(AT_ONCE));
    let failed = |_: &BTreeSet<usize>| Err(EndError::failed("the server is gone", None));
    assert_eq!(gathered.get(&"cards", &1, failed).unwrap_err().message, "the server is gone");
    let panics = Arc::clone(&gathered);
    let panicked = thread::spawn(move || panics.get(&"cards", &1, |_| panic!("as a test")));
    assert!(panicked.join().is_err());
    let read = |items: &BTreeSet<usize>| Ok(items.iter().map(|item| (*item, 3)).collect());
    assert_eq!(gathered.get(&"cards", &1, read).unwrap(), Some(3));
    assert!(locked(&gathered.lines).is_empty(), "nothing is kept");
}
