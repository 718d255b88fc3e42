//! The limits of the realtime part, each with its name.

use std::time::Duration;

/// Sessions at once. A session of the polling kind needs no open connection.
pub(super) const SESSIONS_MAX: usize = 5000;

/// Sessions of one origin: no fewer.
pub(super) const SESSIONS_PER_ORIGIN_MAX: usize = SESSIONS_MAX;

/// Jobs that one session is subscribed to.
pub(super) const SUBSCRIPTIONS_MAX: usize = 100;

/// The ids of these jobs together, in bytes.
pub(super) const SUBSCRIBED_BYTES_MAX: usize = 64 * 1024;

/// Subscriptions of one session that wait for their events.
pub(super) const WAITING_MAX: usize = 32;

/// Jobs whose last catch-up is remembered, for the metrics.
pub(super) const CATCH_UPS_MAX: usize = 100;

/// Packets that wait for a client to take them: more than a catch-up has.
pub(super) const PACKETS_MAX: usize = 512;

/// What a client may send at a time, in bytes.
pub(super) const PAYLOAD_BYTES_MAX: u64 = 1_000_000;

/// A session that has not joined by then is closed.
pub(super) const JOIN_TIME_MAX: Duration = Duration::from_secs(45);

/// How long a client may leave its packets, before the rest of a catch-up is dropped with the
/// session; looked at so often.
pub(super) const TAKE_TIME_MAX: Duration = Duration::from_secs(60);
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);
