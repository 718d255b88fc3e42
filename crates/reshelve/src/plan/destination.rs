//! The target of a plan: as it is, but for what a plan adds to a step.

use super::carrying::Carrying;
use super::foreseeing::{Foreseeing, Foresight};
use super::target::state_of;
use crate::ends::{
    Abandoned, Base, ChangedDocuments, Claim, Destination, EndError, Held, JobSet, Left, LeftOver,
    Members, Notes, OwnJob, OwnJobs, PlannedTarget, Position, SaveStep, Sink, Standing, TakenBack,
    TakesBack, TargetIdentity, TargetReader, TargetRequest, WrittenJobs,
};
use crate::store::DiskError;

/// What a plan adds to the target of a run.
pub enum Role<'p> {
    /// It is made: the dry run is listened to.
    Foreseeing {
        /// What is heard.
        foresight: Foresight,
        /// How the target is read.
        target: &'p dyn TargetReader,
    },
    /// It is carried out.
    Carrying(Carrying<'p>),
}

/// The target of a run that makes a plan, or carries one out.
pub struct PlanDestination<'p> {
    /// The target.
    pub inner: &'p mut dyn Destination,
    /// What the plan adds.
    pub role: Role<'p>,
}

impl std::fmt::Debug for PlanDestination<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PlanDestination").finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods, reason = "what is not passed on would be lost")]
impl Destination for PlanDestination<'_> {
    fn planned(&self) -> PlannedTarget {
        self.inner.planned()
    }

    fn identity(&self) -> Result<TargetIdentity, EndError> {
        self.inner.identity()
    }

    fn names_run(&self, run: &str) -> Result<Option<bool>, EndError> {
        self.inner.names_run(run)
    }

    fn members(&self) -> Option<Box<dyn Members>> {
        self.inner.members()
    }

    fn look(&mut self, request: &TargetRequest, notes: &mut dyn Notes) -> Result<Base, EndError> {
        let base = self.inner.look(request, notes)?;
        if let Role::Foreseeing { foresight, target } = &mut self.role {
            foresight.before = state_of(*target)?;
        }
        Ok(base)
    }

    fn lock(&mut self, claim: &Claim, abandoned: Abandoned) -> Result<(), EndError> {
        self.inner.lock(claim, abandoned)?;
        if let Role::Carrying(carrying) = &self.role
            && let Err(error) = carrying.begin(claim, self.inner)
        {
            // The first error is the one to tell.
            drop(self.inner.forget(claim));
            drop(self.inner.unlock());
            return Err(error);
        }
        Ok(())
    }

    fn lock_again(
        &mut self,
        claim: &Claim,
        left: &Left<'_>,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        self.inner.lock_again(claim, left, notes)?;
        if let Role::Carrying(carrying) = &self.role
            && let Err(error) = carrying.begin_again(claim, self.inner)
        {
            drop(self.inner.leave());
            return Err(error);
        }
        Ok(())
    }

    fn sink<'s>(
        &'s mut self,
        claim: &Claim,
        position: &Position,
        threads: usize,
    ) -> Result<Box<dyn Sink + 's>, EndError> {
        let sink = self.inner.sink(claim, position, threads)?;
        match &mut self.role {
            Role::Carrying(_) => Ok(sink),
            Role::Foreseeing { foresight, .. } => {
                foresight.begin(claim);
                Ok(Box::new(Foreseeing { sink, foresight }))
            }
        }
    }

    fn finishes(&self) -> bool {
        self.inner.finishes()
    }

    fn finish(
        &mut self,
        claim: &Claim,
        replaced: &dyn JobSet,
        from: &Position,
        save: &mut dyn FnMut(&Position) -> Result<(), EndError>,
    ) -> Result<Position, EndError> {
        self.inner.finish(claim, replaced, from, save)
    }

    fn check_held(
        &mut self,
        claim: &Claim,
        held: &Held,
        written: &dyn WrittenJobs,
    ) -> Result<(), EndError> {
        self.inner.check_held(claim, held, written)
    }

    fn note_end(&mut self, claim: &Claim, jobs: u64) -> Result<(), EndError> {
        self.inner.note_end(claim, jobs)
    }

    fn plan_user(&mut self, plan: &str) -> Result<Option<String>, EndError> {
        self.inner.plan_user(plan)
    }

    fn use_plan(&mut self, plan: &str, run: &str) -> Result<(), EndError> {
        self.inner.use_plan(plan, run)
    }

    fn leave(&mut self) -> Result<(), EndError> {
        self.inner.leave()
    }

    fn forget(&mut self, claim: &Claim) -> Result<(), EndError> {
        self.inner.forget(claim)
    }

    fn unlock(&mut self) -> Result<(), EndError> {
        self.inner.unlock()
    }

    fn tidy(&mut self, claim: &Claim) -> Result<(), EndError> {
        self.inner.tidy(claim)
    }
}

#[deny(clippy::missing_trait_methods, reason = "what is not passed on would be lost")]
impl TakesBack for PlanDestination<'_> {
    fn is_undone_by_position(&self) -> bool {
        self.inner.is_undone_by_position()
    }

    fn lock_back(&mut self, run: &TakenBack<'_>) -> Result<bool, EndError> {
        self.inner.lock_back(run)
    }

    fn look_at_tail(&mut self, run: &TakenBack<'_>, tail: &dyn OwnJobs) -> Result<(), EndError> {
        self.inner.look_at_tail(run, tail)
    }

    fn cut_tail(
        &mut self,
        run: &TakenBack<'_>,
        tail: &dyn OwnJobs,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        self.inner.cut_tail(run, tail, notes)
    }

    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        self.inner.survey(run, jobs, each)
    }

    fn replaced_by(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
    ) -> Result<Option<String>, EndError> {
        self.inner.replaced_by(run, jobs)
    }

    fn later_writers(&mut self, run: &str) -> Result<Vec<String>, EndError> {
        self.inner.later_writers(run)
    }

    fn expect_free_ids(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<(), EndError> {
        self.inner.expect_free_ids(run, jobs)
    }

    fn discarded(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError> {
        self.inner.discarded(run, jobs, each)
    }

    fn take_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        from: (&Position, ChangedDocuments),
        save: &mut SaveStep<'_>,
    ) -> Result<ChangedDocuments, EndError> {
        self.inner.take_back(run, jobs, from, save)
    }

    fn tidy_back(&mut self, claim: &Claim) -> Result<(), EndError> {
        self.inner.tidy_back(claim)
    }

    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<LeftOver, EndError> {
        self.inner.left_over(run, jobs)
    }
}
