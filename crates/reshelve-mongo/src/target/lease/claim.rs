//! Taking the lease, in one atomic step: the server decides whether it is free.

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;

use super::{LOCK, RUNS};
use crate::connection::Connection;

/// How long a lease lasts that is not renewed.
const EXPIRES_AFTER_MS: i64 = 60_000;

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

/// Takes the lease if it is free, and returns the lease as it is afterwards.
pub(super) async fn claim_lease(
    connection: &Connection,
    claim: &Tenant,
    token: &str,
) -> Result<Document, Error> {
    let mut free = vec![
        doc! { "$eq": [{ "$type": "$token" }, "missing"] },
        doc! { "$eq": ["$run", claim.run.as_str()] },
        // The same process again, after the answer to its first try was lost.
        doc! { "$eq": ["$token", token] },
    ];
    if claim.over == Over::Expired {
        free.push(doc! { "$lt": ["$expires", "$$NOW"] });
    }
    let mine = |name: &str, value: Bson| {
        doc! { "$cond": ["$free", value, format!("${name}")] }
    };
    let literal = |text: &str| Bson::from(doc! { "$literal": text });
    let process = Bson::from(i64::from(std::process::id()));
    let pipeline = vec![
        doc! { "$set": { "free": { "$or": free } } },
        doc! { "$set": {
            "run": mine("run", literal(&claim.run)),
            "folder": mine("folder", literal(&claim.folder)),
            "host": mine("host", literal(&host())),
            "process": mine("process", process),
            "since": mine("since", "$$NOW".into()),
            "expires": mine("expires", in_a_while()),
            "written": mine("written", 0_i64.into()),
            "token": mine("token", literal(token)),
        } },
        doc! { "$set": { "expired": { "$lt": ["$expires", "$$NOW"] } } },
        doc! { "$unset": "free" },
    ];
    let runs = connection.decoded(RUNS);
    let take = || {
        runs.find_one_and_update(doc! { "_id": LOCK }, pipeline.clone())
            .upsert(true)
            .return_document(ReturnDocument::After)
            .into_future()
    };
    match connection.patience.retry(take).await {
        // Of two claims at the same time, one created the lease, and the other finds it now.
        Err(error) if crate::error::code(&error) == Some(11_000) => {
            connection.patience.retry(take).await
        }
        other => other,
    }
    .map(Option::unwrap_or_default)
}

/// When a lease expires that is renewed now, by the server's clock.
pub(super) fn in_a_while() -> Bson {
    doc! { "$toDate": { "$add": [{ "$toLong": "$$NOW" }, EXPIRES_AFTER_MS] } }.into()
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
