//! The limits of the server, each with its name.

use std::time::Duration;

/// The target, the names and the values of a request's head, in bytes, are fewer than this.
/// Counted as Node counts them, without what separates them.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The head as it is sent, including white space and line ends, in bytes. Node has no such limit.
pub(super) const HEAD_RAW_BYTES_MAX: usize = 4 * HEAD_BYTES_MAX;

/// The fields of a head that are passed on, at most. Of a head with more, those that this server
/// reads come first.
pub(super) const FIELDS_MAX: usize = 90;

/// A body that is parsed, in bytes: 100 kB, before and after it is decompressed.
pub(super) const BODY_BYTES_MAX: usize = 100 * 1024;

/// What is read and thrown away of a body that is too long, so that a client that sends first and
/// reads then gets its answer.
pub(super) const DRAINED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that are read from a connection at a time.
pub(super) const READ_BYTES: usize = 8 * 1024;

/// Connections that wait to be accepted, at most; the operating system may allow fewer.
pub(super) const BACKLOG: u32 = 1024;

/// How long the rest of a connection is read that ends while its client still sends.
pub(super) const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

/// How long a client may take that does not read its answer, between two pieces of it.
pub(super) const WRITE_TIME_MAX: Duration = Duration::from_secs(60);

/// How much longer than it is told a client may leave a connection idle: its next request may be
/// on the way.
pub(super) const IDLE_GRACE: Duration = Duration::from_secs(1);

/// A pause after a connection could not be accepted, for example because there are too many files.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits that a server may be given others of.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. Further ones wait until one ends.
    pub connections: usize,
    /// Requests that are looked up at once. Further ones wait; a connection has one at a time.
    pub lookups: usize,
    /// How long a head may take, from the connection or the first byte of a later request.
    pub head_time: Duration,
    /// How long a whole request may take to arrive.
    pub request_time: Duration,
    /// How long a connection may be idle between two requests, as clients are told.
    pub idle_time: Duration,
    /// How long requests may take that are not answered when the server is stopped.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 4096,
            lookups: 32,
            head_time: Duration::from_secs(60),
            request_time: Duration::from_secs(300),
            idle_time: Duration::from_secs(5),
            stop_time: Duration::from_secs(10),
        }
    }
}
