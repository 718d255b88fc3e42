//! The clock of this machine, and what is made of it: dates in files, spans of time, ids.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reshelve_core::raw::iso;

/// The time now, since 1970; nothing before that.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    i64::try_from(now().as_millis()).unwrap_or(i64::MAX)
}

/// The time now, as ISO text.
pub fn now_iso() -> String {
    iso(now_ms()).as_str().to_owned()
}

/// A span of time in whole milliseconds.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// An id for a run, or for what is named like one: the date for people, and a part that nothing else
/// of the same second has.
pub fn new_id() -> String {
    let unique = format!("{}/{}", std::process::id(), now().as_nanos());
    let unique = blake3::hash(unique.as_bytes());
    let stamp: String = now_iso().chars().filter(char::is_ascii_digit).take(17).collect();
    format!("{}-{}-{}", &stamp[..8], &stamp[8..], &unique.to_hex()[..6])
}
