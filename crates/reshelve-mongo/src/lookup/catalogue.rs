//! All jobs of a live place, for lists: read when a list is first asked for, and again from time to
//! time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reshelve::ends::EndError;
use reshelve::lookup::{Catalogue, Changes, Fresh};
use reshelve::store::Scratch;

/// A catalogue that follows a live place. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveCatalogue(Arc<Mutex<Option<Arc<Fresh<Catalogue>>>>>);

impl LiveCatalogue {
    /// The catalogue, at most about `age` old; `make` reads the place. Whoever asks first waits,
    /// and others with them: it is read once.
    pub(super) fn get(
        &self,
        age: Duration,
        make: impl Fn() -> Result<Catalogue, EndError> + Send + Sync + 'static,
    ) -> Result<Arc<Catalogue>, EndError> {
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
