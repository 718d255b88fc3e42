//! What is kept of a session.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A session of a client, of either kind.
#[derive(Default)]
pub(super) struct Session {
    /// Whether it has joined the namespace.
    pub(super) has_joined: AtomicBool,
    /// One subscription at a time is caught up, in the order in which they came.
    pub(super) lane: tokio::sync::Mutex<()>,
    /// Subscriptions that are not caught up.
    pub(super) waiting: AtomicUsize,
    subscribed: Mutex<BTreeSet<String>>,
}

impl Session {
    /// The jobs that it is subscribed to.
    pub(super) fn subscribed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
