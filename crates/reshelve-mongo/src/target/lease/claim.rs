//! Taking the lease with plain documents: read it, decide, and replace what was read on condition
//! that it is still what was read.

use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::Error;

use super::clock::server_now;
use super::holder::{Holder, ROLLING_BACK, has_expired, is_rolling_back};
use super::{LOCK, RUNS};
use crate::connection::Connection;

/// How long a lease lasts that is not renewed.
pub(super) const EXPIRES_AFTER_MS: i64 = 60_000;
/// How often a claim looks again, because the lease was changed between its look and its write.
const CLAIMS_MAX: u32 = 20;

/// Who wants the lease.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) run: String,
    pub(crate) folder: String,
    /// Which lease of another run may be broken.
    pub(crate) over: Over,
}

/// Which lease of another run may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// None.
    Nobody,
    /// One that has expired.
    Expired,
}

/// Takes the lease if it is free; otherwise returns who holds it.
///
/// Each step is a condition on what was read, so a step that arrives late or twice changes nothing
/// that somebody else has written since.
pub(super) async fn claim_lease(
    connection: &Connection,
    claim: &Tenant,
    token: &str,
) -> Result<Result<(), Holder>, Error> {
    let runs = connection.decoded(RUNS);
    let mut holder = Holder::default();
    for _ in 0..CLAIMS_MAX {
        let find = || runs.find_one(doc! { "_id": LOCK }).into_future();
        let found = connection.patience.retry(find).await?;
        let now = server_now(connection).await?;
        if let Some(found) = &found {
            holder = Holder::of(found, now);
            if found.get_str("token").ok() == Some(token) {
                return Ok(Ok(()));
            }
            if !is_free(found, claim, now) {
                return Ok(Err(holder));
            }
        }
        let mut mine = lease_document(claim, token, now);
        if found.as_ref().is_some_and(|found| is_own(found, claim) && is_rolling_back(found)) {
            // A rollback that goes on may stop again before its first write.
            mine.insert(ROLLING_BACK, true);
        }
        let condition = as_read(found.as_ref());
        let replace = || {
            let replace = runs.find_one_and_replace(condition.clone(), mine.clone());
            replace.upsert(found.is_none()).into_future()
        };
        match connection.patience.retry(replace).await {
            Ok(replaced) if replaced.is_some() || found.is_none() => return Ok(Ok(())),
            // Somebody was faster.
            Ok(_) => {}
            Err(error) if crate::error::code(&error) == Some(11_000) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Err(holder))
}

/// Whether a lease may be taken that is there.
fn is_free(found: &Document, claim: &Tenant, now: DateTime) -> bool {
    !found.contains_key("token")
        || is_own(found, claim)
        || claim.over == Over::Expired && has_expired(found, now) && !is_rolling_back(found)
}

/// Whether a lease was left by an earlier process of the same run.
fn is_own(found: &Document, claim: &Tenant) -> bool {
    found.get_str("run").ok() == Some(claim.run.as_str())
}

/// The filter for the lease exactly as it was read: a renewal in between is seen.
fn as_read(found: Option<&Document>) -> Document {
    let mut filter = doc! { "_id": LOCK };
    for name in ["token", "expires"] {
        let value = found.and_then(|found| found.get(name)).cloned();
        filter.insert(name, value.unwrap_or_else(|| doc! { "$exists": false }.into()));
    }
    filter
}

fn lease_document(claim: &Tenant, token: &str, now: DateTime) -> Document {
    doc! {
        "_id": LOCK,
        "run": claim.run.as_str(),
        "folder": claim.folder.as_str(),
        "host": host(),
        "process": i64::from(std::process::id()),
        "since": now,
        "expires": in_a_while(now),
        "written": 0_i64,
        "token": token,
    }
}

/// When a lease expires that is renewed now, by the server's clock.
pub(super) fn in_a_while(now: DateTime) -> DateTime {
    DateTime::from_millis(now.timestamp_millis().saturating_add(EXPIRES_AFTER_MS))
}

pub(super) fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name =
        if name.trim().is_empty() { std::env::var("HOSTNAME").unwrap_or_default() } else { name };
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}
