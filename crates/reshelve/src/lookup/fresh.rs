//! Answers that follow what they were made of: they are made again after it has changed.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::ends::{EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals, OneJob};
use crate::store::{Disk, Files, Found};
use crate::target_schema::Collection;

/// How often one looks whether something changed, at most.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What takes longer than this is made beside the requests, which get the earlier answers
/// meanwhile.
const MADE_AT_ONCE_MAX: Duration = Duration::from_millis(500);
/// Making takes at most about one part in so many of the time.
const REST: u32 = 4;

/// What tells whether something has to be made again.
#[derive(Debug)]
pub enum Changes {
    /// One of these files is another one, or has another length or time.
    OfFiles(Vec<PathBuf>),
    /// Nothing tells: it is made again whenever it was made that long ago.
    After(Duration),
}

/// Something that is made again after what it was made of has changed.
pub struct Fresh<T> {
    inner: Arc<Inner<T>>,
}

/// What makes it.
type Make<T> = Box<dyn Fn() -> Result<T, EndError> + Send + Sync>;

struct Inner<T> {
    changes: Changes,
    make: Make<T>,
    state: Mutex<State<T>>,
    /// How often it was made, for those who compare.
    made: AtomicU64,
}

struct State<T> {
    current: Result<Arc<T>, EndError>,
    /// The files of which it was made.
    looks: Vec<Option<Found>>,
    looked: Instant,
    made: Instant,
    took: Duration,
    is_making: bool,
}

impl<T> std::fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").field("changes", &self.inner.changes).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Fresh<T> {
    /// Makes it now, and again after changes.
    ///
    /// # Errors
    /// Where it cannot be made now. If it cannot be made later, that is the answer to whoever
    /// asks, until it can.
    pub fn new(
        changes: Changes,
        make: impl Fn() -> Result<T, EndError> + Send + Sync + 'static,
    ) -> Result<Self, EndError> {
        let looks = changes.looks();
        let begun = Instant::now();
        let current = Ok(Arc::new(make()?));
        let made = Instant::now();
        let took = made - begun;
        let state = State { current, looks, looked: made, made, took, is_making: false };
        let state = Mutex::new(state);
        let inner = Inner { changes, make: Box::new(make), state, made: AtomicU64::new(1) };
        Ok(Fresh { inner: Arc::new(inner) })
    }

    /// What there is now.
    ///
    /// # Errors
    /// Where it could not be made of what there is.
    pub fn get(&self) -> Result<Arc<T>, EndError> {
        let mut state = self.inner.state();
        let rest = state.took.saturating_mul(REST);
        let is_due = state.looked.elapsed() >= LOOK_EVERY && state.made.elapsed() >= rest;
        if state.is_making || !is_due {
            return state.current.clone();
        }
        state.looked = Instant::now();
        let looks = self.inner.changes.looks();
        let has_changed = match self.inner.changes {
            Changes::OfFiles(_) => looks != state.looks || state.current.is_err(),
            Changes::After(age) => state.made.elapsed() >= age || state.current.is_err(),
        };
        if !has_changed {
            return state.current.clone();
        }
        state.is_making = true;
        let is_quick = state.took <= MADE_AT_ONCE_MAX;
        let before = state.current.clone();
        drop(state);
        if is_quick {
            return self.inner.make_again(looks);
        }
        let inner = Arc::clone(&self.inner);
        thread::spawn(move || inner.make_again(looks));
        before
    }

    /// How often it was made.
    pub fn times_made(&self) -> u64 {
        self.inner.made.load(Ordering::Relaxed)
    }
}

impl Changes {
    fn looks(&self) -> Vec<Option<Found>> {
        match self {
            Changes::OfFiles(files) => {
                files.iter().map(|file| Disk.look(file).ok().flatten()).collect()
            }
            Changes::After(_) => Vec::new(),
        }
    }
}

impl<T> Inner<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_again(&self, looks: Vec<Option<Found>>) -> Result<Arc<T>, EndError> {
        /// Others would wait for ever for what a panic left unmade.
        struct Ended<'i, T>(&'i Inner<T>);
        impl<T> Drop for Ended<'_, T> {
            fn drop(&mut self) {
                self.0.state().is_making = false;
            }
        }
        let _ended = Ended(self);
        let begun = Instant::now();
        let made = (self.make)().map(Arc::new);
        let mut state = self.state();
        state.current = made.clone();
        state.looks = looks;
        state.made = Instant::now();
        state.took = state.made - begun;
        self.made.fetch_add(1, Ordering::Relaxed);
        drop(state);
        made
    }
}

impl<T: JobCatalogue + 'static> JobCatalogue for Fresh<T> {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        self.get()?.page(query)
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        self.get()?.totals()
    }

    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        self.get()?.each_id(give)
    }
}

impl<T: JobLookup + 'static> JobLookup for Fresh<T> {
    fn name(&self) -> String {
        let state = self.inner.state();
        state.current.as_ref().map_or_else(|_| String::new(), |current| current.name())
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        self.get()?.newest(statuses, limit)
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.get()?.card(job_id)
    }

    fn has(&self, job_id: &[u8]) -> Result<bool, EndError> {
        self.get()?.has(job_id)
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.get()?.document(collection, job_id)
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        self.get()?.events(job_id, before)
    }

    fn look_at(&self, job_id: &[u8], look: &mut dyn FnMut(&dyn OneJob)) -> Result<(), EndError> {
        self.get()?.look_at(job_id, look)
    }
}
