//! A live target as a run meets it: the look before, the lease, the sink, the end.

use std::sync::Arc;

use mongodb::bson::doc;
use reshelve::ends::{
    Abandoned, Base, Claim, Destination, DrySink, EndError, Left, Notes, OnExisting, PlannedTarget,
    Position, Sink, SourceSize, TargetRequest,
};
use reshelve_core::mapping::COLLECTIONS;

use crate::connection::{Connection, Topology};
use crate::indexes::{Status, status};
use crate::lease::{Holder, Lease, Over, RUNS, Tenant, look};
use crate::look::LiveLook;
use crate::origin::number;
use crate::privileges::{held, needs_of_target};
use crate::retry::limited;
use crate::sink::LiveSink;

/// How many examples a refusal names.
const NAMED_MAX: usize = 5;

/// Why a run that writes would be refused, and what to do about it.
type Obstacle = (String, &'static str);

/// A live database that a run writes to.
#[derive(Debug)]
pub struct LiveDestination {
    connection: Connection,
    lease: Option<Arc<Lease>>,
}

impl LiveDestination {
    /// The run's target is the database of this connection.
    pub fn new(connection: Connection) -> Self {
        LiveDestination { connection, lease: None }
    }

    /// How many documents each target collection holds.
    fn counts(&self) -> Result<[u64; 4], EndError> {
        let connection = &self.connection;
        connection.wait(async {
            let mut counts = [0; 4];
            for (count, name) in counts.iter_mut().zip(COLLECTIONS) {
                let collection = connection.own(name);
                let counting = || collection.count_documents(doc! {}).into_future();
                let counted = connection.patience.retry_long(counting).await;
                *count = counted.map_err(|error| connection.error("counting", name, &error))?;
            }
            Ok(counts)
        })
    }

    /// Some of the documents that the target collections hold.
    fn examples(&self) -> Result<Vec<String>, EndError> {
        let connection = &self.connection;
        connection.wait(async {
            let mut named = Vec::new();
            for name in COLLECTIONS {
                let collection = connection.own(name);
                let wanted = i64::try_from(NAMED_MAX.saturating_sub(named.len())).unwrap_or(0);
                if wanted == 0 {
                    break;
                }
                let some = connection.patience.retry(|| async {
                    let find = collection.find(doc! {}).projection(doc! { "jobId": 1 });
                    let mut cursor = find.limit(wanted).await?;
                    let mut some = Vec::new();
                    while cursor.advance().await? {
                        some.push(cursor.deserialize_current()?);
                    }
                    Ok(some)
                });
                let some = some.await.map_err(|error| connection.error("reading", name, &error))?;
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
        })
    }

    /// Who holds the lease.
    fn holder(&self) -> Result<Option<Holder>, EndError> {
        let holder = self.connection.wait(look(&self.connection));
        holder.map_err(|error| self.connection.error("looking at the lease in", RUNS, &error))
    }

    /// What a writing run is refused for, and a dry one is told; and what both are told.
    fn obstacles(&self) -> Result<(Vec<Obstacle>, Vec<String>), EndError> {
        let connection = &self.connection;
        connection.wait(async {
            let mut obstacles = Vec::new();
            let missing = held(connection).await.missing(&needs_of_target(&connection.db));
            if !missing.is_empty() {
                obstacles.push((
                    format!("the user may not: {}", missing.join("; ")),
                    "`reshelve inspect URI --print-role target` prints a role that has all it needs",
                ));
                // What cannot be read is not asked for.
                return Ok((obstacles, Vec::new()));
            }
            let Status { state, no_collections } = status(connection).await?;
            if let Some((_, remark)) = no_collections.into_iter().next() {
                obstacles.push((remark, "look who made it; take another --target-db"));
            }
            let wanting = state.wanting();
            if !wanting.is_empty() {
                obstacles.push((
                    format!(
                        "the database {} lacks {} of the target's indexes: {}",
                        connection.db,
                        wanting.len(),
                        wanting.join(", ")
                    ),
                    "`reshelve indexes up TARGET` makes them",
                ));
            }
            Ok((obstacles, state.remarks))
        })
    }

    /// What the run will write, and whether the oplog is large enough for a member to catch up.
    fn forecast(&self, source: SourceSize) -> Option<String> {
        let bytes = source.estimated_target_bytes()?;
        let mib = bytes.div_ceil(1 << 20);
        let mut text = format!("forecast: about {mib} MiB of target documents");
        if self.connection.topology() != Topology::Standalone {
            text.push_str(", and as much of oplog");
            if let Some(size) = self.connection.wait(oplog_bytes(&self.connection)) {
                text.push_str(&format!(", which holds {} MiB", size.div_ceil(1 << 20)));
                if size < bytes {
                    text.push_str(": a member that is down meanwhile has to be synced anew");
                }
            }
        }
        Some(text)
    }

    fn take(&mut self, claim: &Claim, over: Over) -> Result<(), EndError> {
        let path = std::path::absolute(&claim.folder).unwrap_or_else(|_| claim.folder.clone());
        let tenant = Tenant { run: claim.run.clone(), folder: path.display().to_string(), over };
        match Lease::take(&self.connection, &tenant)? {
            Ok(lease) => {
                self.lease = Some(Arc::new(lease));
                Ok(())
            }
            Err(holder) => Err(holder.refusal(&self.connection)),
        }
    }

    /// Whether the target is still as a run that goes on has left it.
    fn check_again(&self, claim: &Claim, left: &Left<'_>, had_lease: bool) -> Result<(), EndError> {
        let counts = self.counts()?;
        // A run loses its lease to nobody but one that took over, and ended since: what is in the
        // target now, that one wrote.
        if !had_lease && counts.iter().sum::<u64>() != claim.base.documents {
            return Err(EndError::refused(
                "the run's lease is gone: another run took the target over since, and ended",
                "start a new run with --allow-existing: what is there counts as unchanged",
            ));
        }
        let [jobs, ..] = counts;
        let written = left.jobs;
        if jobs < written {
            return Err(EndError::refused(
                format!(
                    "the target database {} holds {jobs} jobs, and the run had written {written}",
                    self.connection.db
                ),
                "look what else writes there; a run whose target is gone has to be started anew",
            ));
        }
        match self.obstacles()?.0.into_iter().next() {
            Some((message, hint)) => Err(EndError::refused(message, hint)),
            None => Ok(()),
        }
    }

    fn give_back(&mut self, how: fn(Lease) -> Result<(), EndError>) -> Result<(), EndError> {
        match self.lease.take().map(Arc::try_unwrap) {
            Some(Ok(lease)) => Ok(how(lease)?),
            // A sink still holds it: the run is not over.
            _ => Ok(()),
        }
    }
}

/// How much the oplog holds, from its options: its statistics may take a server seconds. Most users
/// may not look there.
async fn oplog_bytes(connection: &Connection) -> Option<u64> {
    let local = connection.client.database("local");
    let question = doc! { "listCollections": 1, "filter": { "name": "oplog.rs" } };
    let reply = limited(local.run_command(question).into_future()).await.ok()?;
    let first = reply.get_document("cursor").ok()?.get_array("firstBatch").ok()?.first()?;
    number(first.as_document()?.get_document("options").ok()?, "size")
}

impl Destination for LiveDestination {
    fn planned(&self) -> PlannedTarget {
        PlannedTarget::Live(self.connection.planned())
    }

    fn look(&mut self, request: &TargetRequest, notes: &mut dyn Notes) -> Result<Base, EndError> {
        let (obstacles, remarks) = self.obstacles()?;
        for remark in remarks {
            notes.note(&format!("note: {remark}"));
        }
        match obstacles.into_iter().next() {
            Some((message, hint)) if request.apply => {
                return Err(EndError::refused(message, hint));
            }
            Some((message, hint)) => {
                notes.note(&format!("note: with --apply this would be refused: {message}; {hint}"));
            }
            None => {}
        }
        let connection = &self.connection;
        if let Some(holder) = self.holder()?
            && !(request.abandoned == Abandoned::TakeOver && holder.expired)
        {
            return Err(holder.refusal(connection));
        }
        let documents = self.counts()?.iter().sum();
        if documents > 0 && request.on_existing == OnExisting::Refuse {
            return Err(EndError::refused(
                format!(
                    "the target database {} already holds {documents} documents, such as {}",
                    connection.db,
                    self.examples()?.join(", ")
                ),
                "--allow-existing adds to what is there and leaves it as it is; --replace also \
                 replaces jobs that differ",
            ));
        }
        if request.apply
            && let Some(forecast) = self.forecast(request.source)
        {
            notes.note(&forecast);
        }
        Ok(Base { position: Position::default(), documents })
    }

    fn lock(&mut self, claim: &Claim, abandoned: Abandoned) -> Result<(), EndError> {
        let over = match abandoned {
            Abandoned::Keep => Over::Nobody,
            Abandoned::TakeOver => Over::Expired,
        };
        self.take(claim, over)?;
        let documents: u64 = match self.counts() {
            Ok(counts) => counts.iter().sum(),
            Err(error) => {
                self.unlock()?;
                return Err(error);
            }
        };
        let was_empty = claim.base.documents == 0;
        if (claim.on_existing == OnExisting::Refuse || was_empty)
            && documents != claim.base.documents
        {
            self.unlock()?;
            return Err(EndError::refused(
                format!(
                    "the target database {} holds {documents} documents now, and {} a moment ago",
                    self.connection.db, claim.base.documents
                ),
                "look what else writes there",
            ));
        }
        Ok(())
    }

    fn lock_again(&mut self, claim: &Claim, left: &Left<'_>) -> Result<(), EndError> {
        let had_lease = self.holder()?.is_some();
        self.take(claim, Over::Nobody)?;
        let checked = self.check_again(claim, left, had_lease);
        if checked.is_err() {
            match had_lease {
                // It stays this run's, for when the target is put right.
                true => self.leave()?,
                false => self.unlock()?,
            }
        }
        checked
    }

    fn sink<'s>(
        &'s mut self,
        claim: &Claim,
        _position: &Position,
    ) -> Result<Box<dyn Sink + 's>, EndError> {
        let all_ours = claim.base.documents == 0;
        if !claim.apply {
            let look = (!all_ours).then(|| -> Box<dyn reshelve::ends::Look> {
                Box::new(LiveLook::new(self.connection.clone()))
            });
            return Ok(Box::new(DrySink::new(look)));
        }
        let Some(lease) = &self.lease else {
            return Err(EndError::failed("a run writes without a lease: a bug of reshelve", None));
        };
        let (connection, lease) = (self.connection.clone(), Arc::clone(lease));
        Ok(Box::new(LiveSink::new(connection, lease, claim.run.clone(), all_ours)))
    }

    fn leave(&mut self) -> Result<(), EndError> {
        self.give_back(Lease::leave)
    }

    fn unlock(&mut self) -> Result<(), EndError> {
        self.give_back(Lease::end)
    }

    fn tidy(&mut self, claim: &Claim) -> Result<(), EndError> {
        if self.holder()?.is_some_and(|holder| holder.run == claim.run) {
            self.take(claim, Over::Nobody)?;
            self.unlock()?;
        }
        Ok(())
    }
}
