//! Ctrl-C: the first one asks the run to stop at the next batch, the second one ends the process.
//! SIGHUP asks a server to read its settings again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// From now on the flag is set by the first Ctrl-C, or by SIGTERM.
pub(crate) fn listen(stop: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the default action comes into force with the second signal.
        flag::register_conditional_default(signal, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}

/// From now on SIGHUP does not end the process, but sets the flag that is returned.
pub(crate) fn hangups() -> io::Result<Arc<AtomicBool>> {
    let asked = Arc::default();
    flag::register(SIGHUP, Arc::clone(&asked))?;
    Ok(asked)
}
