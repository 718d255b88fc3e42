//! How many bytes may be on their way between a reader and a writer.

use std::sync::{Condvar, Mutex, PoisonError};

/// Source bytes that may be on their way between the reader and the writer: enough that nobody
/// waits, few enough that they and what is made of them stay in the caches of a processor.
pub(super) const IN_FLIGHT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes on their way.
#[derive(Default)]
pub(super) struct Budget {
    state: Mutex<BudgetState>,
    changed: Condvar,
}

#[derive(Default)]
struct BudgetState {
    bytes: usize,
    closed: bool,
}

impl Budget {
    /// Waits until so many bytes may be sent on their way; false where nobody waits for them.
    pub(super) fn acquire(&self, bytes: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.closed && state.bytes > 0 && state.bytes + bytes > IN_FLIGHT_BYTES_MAX {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.bytes += bytes;
        !state.closed
    }

    pub(super) fn release(&self, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes = state.bytes.saturating_sub(bytes);
        self.changed.notify_one();
    }

    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }
}
