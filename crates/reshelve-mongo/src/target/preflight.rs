//! Checks of a live target before a run: what it holds, what speaks against the run, and how much
//! the run will write.

use futures_util::future::try_join4;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use reshelve::ends::{EndError, Hint, SourceSize};
use reshelve::store::size;
use reshelve_core::mapping::COLLECTIONS;

use super::indexes::{Status, status};
use super::indexes_up::different;
use crate::catalog::{first_batch, whole_number};
use crate::connection::{Connection, Topology};
use crate::patience::limited;
use crate::privileges::{held, needs_of_target};

/// How many examples a refusal names.
const NAMED_MAX: usize = 5;

/// Why a run is refused, a dry one too: it says what a run that writes would meet.
pub(super) struct Obstacle {
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: Hint,
}

/// What the checks found.
#[derive(Default)]
pub(super) struct Findings {
    /// Reasons to refuse a run.
    pub(super) obstacles: Vec<Obstacle>,
    /// What is worth a note.
    pub(super) remarks: Vec<String>,
}

/// Looks for reasons to refuse a run.
pub(super) async fn findings(connection: &Connection) -> Result<Findings, EndError> {
    let mut findings = Findings::default();
    let missing = held(connection).await.missing(&needs_of_target(&connection.db));
    if !missing.is_empty() {
        findings.obstacles.push(Obstacle {
            message: format!("the user may not: {}", missing.join("; ")),
            hint: Hint::PrintTheTargetRole,
        });
        // The other checks would fail for the same reason.
        return Ok(findings);
    }
    let Status { state, unfit } = status(connection).await?;
    let unfit = unfit.into_iter().map(|(message, hint)| Obstacle { message, hint });
    findings.obstacles.extend(unfit);
    if let Some(index) = state.different() {
        let EndError { message, .. } = different(connection, index);
        findings.obstacles.push(Obstacle { message, hint: Hint::CreateTheIndexAgain });
    }
    let wanting = state.wanting();
    if !wanting.is_empty() {
        findings.obstacles.push(Obstacle {
            message: format!(
                "the database {} lacks {} of the target's indexes: {}",
                connection.db,
                wanting.len(),
                wanting.join(", ")
            ),
            hint: Hint::CreateTheIndexes,
        });
    }
    findings.remarks = state.remarks;
    Ok(findings)
}

/// How many documents each target collection holds.
pub(super) async fn counts(connection: &Connection) -> Result<[u64; 4], EndError> {
    let [first, second, third, fourth] = COLLECTIONS.map(|name| count(connection, name));
    // A server with several processors counts them side by side.
    let counts = try_join4(first, second, third, fourth).await?;
    Ok(counts.into())
}

async fn count(connection: &Connection, name: &str) -> Result<u64, EndError> {
    let collection = connection.decoded(name);
    let counting = || collection.count_documents(doc! {}).into_future();
    let counted = connection.patience.retry_long(counting).await;
    counted.map_err(|error| connection.error("counting", name, &error))
}

/// Some of the documents in the target collections, by collection and job.
pub(super) async fn examples(connection: &Connection) -> Result<Vec<String>, EndError> {
    let mut named = Vec::new();
    for name in COLLECTIONS {
        let wanted = i64::try_from(NAMED_MAX.saturating_sub(named.len())).unwrap_or(0);
        if wanted == 0 {
            break;
        }
        let some = connection.patience.retry(|| first_documents(connection, name, wanted)).await;
        let some = some.map_err(|error| connection.error("reading", name, &error))?;
        for document in some {
            let id = document.get_str("jobId").map(str::to_owned);
            let id = id.unwrap_or_else(|_| {
                document.get("_id").map(ToString::to_string).unwrap_or_default()
            });
            let text = format!("{name} {id}");
            if !named.contains(&text) {
                named.push(text);
            }
        }
    }
    Ok(named)
}

async fn first_documents(
    connection: &Connection,
    collection: &str,
    wanted: i64,
) -> Result<Vec<Document>, Error> {
    let collection = connection.decoded(collection);
    let find = collection.find(doc! {}).projection(doc! { "jobId": 1 });
    let mut cursor = find.limit(wanted).await?;
    let mut documents = Vec::new();
    while cursor.advance().await? {
        documents.push(cursor.deserialize_current()?);
    }
    Ok(documents)
}

/// What a run will write, and whether the oplog is large enough for a member to catch up.
pub(super) async fn forecast(connection: &Connection, source: SourceSize) -> Option<String> {
    let bytes = source.estimated_target_bytes()?;
    let mut text = format!("forecast: about {} of target documents", size(bytes));
    if connection.topology() != Topology::Standalone {
        text.push_str(", and as much of oplog");
        if let Some(held) = oplog_bytes(connection).await {
            text.push_str(&format!(", which holds {}", size(held)));
            if held < bytes {
                text.push_str(": a member that is down during the run must be synced from scratch");
            }
        }
    }
    Some(text)
}

/// The size of the oplog, from its options: its statistics may take a server seconds. Most users
/// may not read it.
async fn oplog_bytes(connection: &Connection) -> Option<u64> {
    let local = connection.client.database("local");
    let question = doc! { "listCollections": 1, "filter": { "name": "oplog.rs" } };
    let reply = limited(local.run_command(question).into_future()).await.ok()?;
    let first = first_batch(&reply).into_iter().next()?;
    whole_number(first.get_document("options").ok()?, "size")
}
