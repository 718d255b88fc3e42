//! Who holds the lease, according to its document.

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use reshelve::ends::{EndError, Hint};

use super::{LOCK, RUNS};
use crate::connection::Connection;

/// What a lease document says.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) run: String,
    pub(crate) host: String,
    pub(crate) process: i64,
    pub(crate) expired: bool,
}

impl Holder {
    pub(super) fn of(document: &Document) -> Holder {
        let text = |name: &str| document.get_str(name).unwrap_or("unknown").to_owned();
        Holder {
            run: text("run"),
            host: text("host"),
            process: match document.get("process") {
                Some(Bson::Int64(process)) => *process,
                Some(Bson::Int32(process)) => i64::from(*process),
                _ => 0,
            },
            expired: document.get_bool("expired").unwrap_or(false),
        }
    }

    /// Why a new run may not start.
    pub(crate) fn refusal(&self, connection: &Connection) -> EndError {
        let Holder { run, host, process, expired } = self;
        let db = &connection.db;
        if *expired {
            return EndError::refused(
                format!(
                    "a run on the database {db} has not finished: {run}, last on {host} (process \
                     {process})"
                ),
                Hint::ResumeOrTakeOver { run: run.into() },
            );
        }
        EndError::refused(
            format!(
                "another run is writing to the database {db}: {run} on {host} (process {process})"
            ),
            Hint::WaitForTheLease,
        )
    }
}

/// Who holds the lease; nothing is changed.
pub(crate) async fn holder(connection: &Connection) -> Result<Option<Holder>, Error> {
    let pipeline = vec![
        doc! { "$match": { "_id": LOCK } },
        doc! { "$set": { "expired": { "$lt": ["$expires", "$$NOW"] } } },
    ];
    let runs = connection.decoded(RUNS);
    let found = connection
        .patience
        .retry(|| async {
            let mut cursor = runs.aggregate(pipeline.clone()).await?;
            if cursor.advance().await? { cursor.deserialize_current().map(Some) } else { Ok(None) }
        })
        .await?;
    Ok(found.as_ref().map(Holder::of))
}
