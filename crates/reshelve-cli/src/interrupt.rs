//! Ctrl-C: the first one asks the run to stop at the next batch, the second one ends the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::Failure;

/// From now on the flag is set by the first Ctrl-C, or by SIGTERM.
pub(crate) fn listen(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the default action comes into force with the second signal.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(flag)))
            .map_err(|error| Failure::failed(format!("cannot listen for Ctrl-C: {error}")))?;
    }
    Ok(())
}
