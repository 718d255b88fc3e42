//! All jobs of a live place, for lists: read when a list is first asked for, and again from time to
//! time.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reshelve::ends::EndError;
use reshelve::lookup::{Catalogue, Changes, Fresh};
use reshelve::store::{Scratch, Spool, key_of};

/// Something that follows a live place. Clones share it.
#[derive(Debug)]
pub(super) struct Live<T>(Arc<Mutex<Option<Arc<Fresh<T>>>>>);

/// A catalogue that follows a live place.
pub(super) type LiveCatalogue = Live<Catalogue>;

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Live(Arc::clone(&self.0))
    }
}

impl<T> Default for Live<T> {
    fn default() -> Self {
        Live(Arc::default())
    }
}

impl<T: Send + Sync + 'static> Live<T> {
    /// What is there, at most about `age` old; `make` reads the place. Whoever asks first waits,
    /// and others with them: it is read once.
    pub(super) fn get(
        &self,
        age: Duration,
        make: impl Fn() -> Result<T, EndError> + Send + Sync + 'static,
    ) -> Result<Arc<T>, EndError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = match &*held {
            Some(fresh) => Arc::clone(fresh),
            None => {
                let fresh = Arc::new(Fresh::new(Changes::After(age), make)?);
                Arc::clone(held.insert(fresh))
            }
        };
        drop(held);
        fresh.get()
    }
}

/// Where records are put that memory should not hold.
pub(super) fn scratch() -> Scratch {
    Scratch::from(std::env::temp_dir().as_path())
}

/// Gives the ids that `read` adds, until `give` breaks off: once all of them are read, as who is
/// given one asks the same server about it.
pub(super) fn each_of_all(
    read: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), EndError>,
    give: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<(), EndError> {
    let (mut ids, mut added) = (Spool::new(&scratch())?, Ok(()));
    read(&mut |id| {
        if added.is_ok() {
            added = ids.add(&key_of(id), id);
        }
    })?;
    added?;
    let is_over = Cell::new(false);
    Ok(ids.finish()?.each(
        |_| !is_over.get(),
        |_, id| {
            is_over.set(give(&String::from_utf8_lossy(id)).is_break());
            Ok(())
        },
    )?)
}
