//! A live target from the first look to the end of a run: preflight, lease, sink.

use std::sync::Arc;

use mongodb::bson::doc;
use reshelve::ends::{
    Abandoned, Base, Claim, Destination, DrySink, EndError, Held, Hint, Left, Look, Members, Notes,
    OnExisting, PlannedTarget, Position, Sink, TargetIdentity, TargetRequest, WrittenJobs,
};
use reshelve::target_schema::Collection;

use super::ended;
use super::follows;
use super::going;
use super::held;
use super::lag::LiveMembers;
use super::lease::{Holder, Lease, Over, RUNS, Tenant, holder, last_writer};
use super::look::LiveLook;
use super::preflight::{Findings, Obstacle, counts, examples, findings, forecast};
use super::sink::LiveSink;
use super::undo_forget;
use super::used_plans;
use crate::catalog::{list, uuid_of};
use crate::connection::Connection;

/// A live database that a run writes to.
#[derive(Debug)]
pub struct LiveDestination {
    connection: Connection,
    lease: Option<Arc<Lease>>,
}

impl LiveDestination {
    /// The target is the database of this connection.
    pub fn new(connection: Connection) -> Self {
        LiveDestination { connection, lease: None }
    }

    /// Who holds the lease.
    pub(super) fn holder(&self) -> Result<Option<Holder>, EndError> {
        let holder = self.connection.wait(holder(&self.connection));
        holder.map_err(|error| self.connection.error("looking at the lease in", RUNS, &error))
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn lease(&self) -> Option<Arc<Lease>> {
        self.lease.clone()
    }

    pub(super) fn take(&mut self, claim: &Claim, over: Over) -> Result<(), EndError> {
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

    /// Checks that the target is as the run that is resumed left it.
    fn check_again(&self, left: &Left<'_>) -> Result<(), EndError> {
        let counts = self.connection.wait(counts(&self.connection))?;
        let [jobs, ..] = counts;
        let written = left.jobs;
        if jobs < written {
            return Err(EndError::refused(
                format!(
                    "the target database {} holds {jobs} jobs, and the run had written {written}",
                    self.connection.db
                ),
                Hint::LookWhoWrites,
            ));
        }
        let findings = self.connection.wait(findings(&self.connection))?;
        match findings.obstacles.into_iter().next() {
            Some(Obstacle { message, hint }) => Err(EndError::refused(message, hint)),
            None => Ok(()),
        }
    }

    /// Refuses a run whose lease is gone because another one has written since. If the lease was
    /// removed by hand, the fence still names the run; if both were, nothing names another one, and
    /// the journal tells what is the run's own.
    pub(super) fn expect_last(&self, run: &str) -> Result<(), EndError> {
        match self.last_writer()? {
            Some(last) if last != run => Err(EndError::refused(
                format!(
                    "the run's lease is gone: {last} took the target database {} over since, and \
                     ended",
                    self.connection.db
                ),
                Hint::StartOverOnExisting,
            )),
            _ => Ok(()),
        }
    }

    /// The run that wrote last, as the fence tells.
    fn last_writer(&self) -> Result<Option<String>, EndError> {
        let last = self.connection.wait(last_writer(&self.connection));
        last.map_err(|error| self.connection.error("looking at the fence in", RUNS, &error))
    }

    fn give_back(&mut self, how: fn(Lease) -> Result<(), EndError>) -> Result<(), EndError> {
        match self.lease.take().map(Arc::try_unwrap) {
            Some(Ok(lease)) => Ok(how(lease)?),
            // A sink still holds it: the run is not finished.
            _ => Ok(()),
        }
    }
}

impl Destination for LiveDestination {
    fn planned(&self) -> PlannedTarget {
        PlannedTarget::Live(self.connection.planned())
    }

    /// The collection of the jobs, by its UUID: no server gives one twice.
    fn identity(&self) -> Result<TargetIdentity, EndError> {
        let connection = &self.connection;
        let question = doc! {
            "listCollections": 1,
            "filter": { "name": Collection::Jobs.name() },
            "authorizedCollections": true,
        };
        let listed = connection.wait(list(connection, question))?;
        Ok(match listed.first().map(uuid_of) {
            None => TargetIdentity::Nothing,
            Some(None) => TargetIdentity::Untold,
            Some(Some(uuid)) => TargetIdentity::Told(format!("{} {uuid}", Collection::Jobs)),
        })
    }

    /// A run leaves its name in the lease, the fence, or, once it is done, in a document of its own.
    fn names_run(&self, run: &str) -> Result<Option<bool>, EndError> {
        let is_held = self.holder()?.is_some_and(|holder| holder.run == run);
        let is_last = is_held || self.last_writer()?.is_some_and(|last| last == run);
        let has_ended = self.connection.wait(ended::jobs(&self.connection, run))?.is_some();
        Ok(Some(is_last || has_ended))
    }

    fn members(&self) -> Option<Box<dyn Members>> {
        Some(Box::new(LiveMembers(self.connection.clone())))
    }

    fn look(&mut self, request: &TargetRequest, notes: &mut dyn Notes) -> Result<Base, EndError> {
        let connection = &self.connection;
        let Findings { obstacles, remarks } = connection.wait(findings(connection))?;
        for remark in remarks {
            notes.note(&format!("note: {remark}"));
        }
        if let Some(Obstacle { message, hint }) = obstacles.into_iter().next() {
            return Err(EndError::refused(message, hint));
        }
        if let Some(holder) = self.holder()?
            && (request.abandoned == Abandoned::Keep || !holder.expired || holder.is_rolling_back)
        {
            return Err(holder.refusal(connection));
        }
        let documents = connection.wait(counts(connection))?.iter().sum();
        if documents > 0 && request.on_existing == OnExisting::Refuse {
            return Err(EndError::refused(
                format!(
                    "the target database {} already holds {documents} documents, such as {}",
                    connection.db,
                    connection.wait(examples(connection))?.join(", ")
                ),
                Hint::DecideOnExisting,
            ));
        }
        if request.apply
            && let Some(forecast) = connection.wait(forecast(connection, request.source))
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
        // Under this lease nobody else takes it: who left it is who is taken over.
        let left = self.holder()?.filter(|left| left.run != claim.run);
        self.take(claim, over)?;
        let documents: u64 = match self.connection.wait(counts(&self.connection)) {
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
                Hint::LookWhoWrites,
            ));
        }
        let Some(left) = left else { return Ok(()) };
        let noted = self.connection.wait(follows::add(&self.connection, &left.run, &claim.run));
        if noted.is_err() {
            self.unlock()?;
        }
        noted
    }

    fn lock_again(
        &mut self,
        claim: &Claim,
        left: &Left<'_>,
        _: &mut dyn Notes,
    ) -> Result<(), EndError> {
        let had_lease = self.holder()?.is_some();
        if !had_lease {
            self.expect_last(&claim.run)?;
        }
        self.take(claim, Over::Nobody)?;
        let checked = self.check_again(left);
        if checked.is_err() {
            // The run keeps it, and can be resumed when the target is repaired.
            self.leave()?;
        }
        checked
    }

    fn sink<'s>(
        &'s mut self,
        claim: &Claim,
        _position: &Position,
        _threads: usize,
    ) -> Result<Box<dyn Sink + 's>, EndError> {
        let all_ours = claim.base.documents == 0;
        if !claim.apply {
            let look = (!all_ours)
                .then(|| -> Box<dyn Look> { Box::new(LiveLook::new(self.connection.clone())) });
            return Ok(Box::new(DrySink::new(look)));
        }
        let Some(lease) = &self.lease else {
            return Err(EndError::failed("a run writes without a lease: a bug in reshelve", None));
        };
        let (connection, lease) = (self.connection.clone(), Arc::clone(lease));
        Ok(Box::new(LiveSink::new(connection, lease, claim.run.clone(), all_ours)))
    }

    fn check_held(
        &mut self,
        claim: &Claim,
        held: &Held,
        written: &dyn WrittenJobs,
    ) -> Result<(), EndError> {
        held::check(&self.connection, claim, held, written)
    }

    fn note_end(&mut self, claim: &Claim, jobs: u64) -> Result<(), EndError> {
        self.connection.wait(ended::add(&self.connection, &claim.run, jobs))
    }

    fn plan_user(&mut self, plan: &str) -> Result<Option<String>, EndError> {
        self.connection.wait(used_plans::user(&self.connection, plan))
    }

    fn use_plan(&mut self, plan: &str, run: &str) -> Result<(), EndError> {
        self.connection.wait(used_plans::add(&self.connection, plan, run))
    }

    fn leave(&mut self) -> Result<(), EndError> {
        self.give_back(Lease::leave)
    }

    fn forget(&mut self, claim: &Claim) -> Result<(), EndError> {
        self.connection.wait(follows::forget(&self.connection, &claim.run))?;
        self.connection.wait(ended::forget(&self.connection, &claim.run))?;
        self.connection.wait(going::forget(&self.connection, &claim.run))?;
        let Some(lease) = &self.lease else { return Ok(()) };
        self.connection.wait(async {
            undo_forget::forget(&self.connection, lease, &claim.run).await?;
            lease.note_rolled_back().await
        })
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
