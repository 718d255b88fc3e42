//! Sources that can be read once only: standard input, and whatever else is not a regular file.
//!
//! A pipe may be silent for as long as its writer likes. It is read in a thread of its own, so that
//! whoever waits for it notices when the command is to stop.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::STANDARD_INPUT;

/// Buffers in transit between the threads …
const BUFFERS: usize = 4;
/// … and the bytes of each: what a pipe holds by default.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long a silent pipe may delay a stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Whether a path names something that can be read once only.
pub(super) fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
        || fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
}

/// What messages call it.
pub(super) fn name(path: &Path) -> String {
    match path.as_os_str() == STANDARD_INPUT {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// Opens it. With a flag, a read ends with an error soon after that is set.
pub(super) fn open(
    path: &Path,
    stop: Option<&Arc<AtomicBool>>,
) -> io::Result<Box<dyn Read + Send>> {
    let path = path.to_owned();
    // Opening a named pipe waits for its writer.
    let open = move || -> io::Result<Box<dyn Read + Send>> {
        match path.as_os_str() == STANDARD_INPUT {
            true => Ok(Box::new(io::stdin())),
            false => Ok(Box::new(fs::File::open(path)?)),
        }
    };
    match stop {
        Some(stop) => Ok(Box::new(Patient::start(open, Arc::clone(stop))?)),
        None => open(),
    }
}

/// The receiving end.
struct Patient {
    full: Receiver<io::Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    stop: Arc<AtomicBool>,
}

impl Patient {
    /// Starts the thread. It ends at the end of the input, at an error, or with the process: a read
    /// that waits cannot be called back.
    fn start(
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Patient> {
        let (to_reader, full) = bounded(BUFFERS);
        let (empty, from_reader) = bounded(BUFFERS + 1);
        std::thread::Builder::new()
            .name("pipe".to_owned())
            .spawn(move || pump(open, &to_reader, &from_reader))?;
        Ok(Patient { full, empty, current: Vec::new(), at: 0, stop })
    }

    /// Waits for more; returns `false` at the end.
    fn wait(&mut self) -> io::Result<bool> {
        loop {
            match self.full.recv_timeout(LOOK_EVERY) {
                Ok(next) => {
                    let used = std::mem::replace(&mut self.current, next?);
                    self.at = 0;
                    // This only returns memory for reuse: nothing is lost if nobody takes it.
                    let _unused = self.empty.try_send(used);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Ordering::Relaxed) => {
                    return Err(io::Error::other("interrupted while waiting for the pipe"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.current.len() && !self.wait()? {
            return Ok(0);
        }
        let count = buffer.len().min(self.current.len() - self.at);
        buffer[..count].copy_from_slice(&self.current[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// The thread's side.
fn pump(
    open: impl FnOnce() -> io::Result<Box<dyn Read + Send>>,
    full: &Sender<io::Result<Vec<u8>>>,
    empty: &Receiver<Vec<u8>>,
) {
    let mut reader = match open() {
        Ok(reader) => reader,
        // If the receiver is gone, nobody needs to know; the same below.
        Err(error) => return drop(full.send(Err(error))),
    };
    loop {
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.resize(BUFFER_BYTES, 0);
        let sent = match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                buffer.truncate(count);
                full.send(Ok(buffer))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return drop(full.send(Err(error))),
        };
        if sent.is_err() {
            return;
        }
    }
}
