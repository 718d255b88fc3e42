//! What a dry run would leave in its target, collected while it decides.

use super::error::PlanError;
use super::target::{Collections, two_sums};
use crate::ends::{
    Action, Claim, EndError, Fate, Hint, JobAhead, JobWrite, Look, Looked, Position, Sink, Syncer,
    TargetReader,
};
use crate::pass::Checksum;
use crate::store::{DiskError, Sorted, Sorter, key_of};
use crate::target_schema::{Collection, job_id};
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw;

/// Most keys of replaced jobs held in memory, 16 MiB; then sorted files.
const HELD_MAX: usize = 1 << 20;

/// What a dry run would leave in its target.
#[derive(Debug, Default)]
pub struct Foresight {
    /// What the target held before.
    pub(super) before: Collections,
    written: [Checksum; 4],
    jobs: u64,
    replacing: Option<Sorter<16>>,
}

/// The jobs that would be replaced.
#[derive(Debug)]
pub(super) struct Replaced(Sorted<16>);

impl Replaced {
    pub(super) fn has(&self, job_id: &[u8]) -> Result<bool, DiskError> {
        Ok(self.0.get(&key_of(job_id))?.is_some())
    }
}

impl Foresight {
    /// What the target held before.
    pub fn before(&self) -> &Collections {
        &self.before
    }

    /// How many jobs would be written or completed.
    pub fn jobs_to_write(&self) -> u64 {
        self.jobs
    }

    pub(super) fn begin(&mut self, claim: &Claim) {
        self.replacing = Some(Sorter::new(&claim.scratch, HELD_MAX));
    }

    fn add(&mut self, target: &TargetDocuments, write: &JobWrite) -> Result<(), DiskError> {
        self.jobs += 1;
        let bytes = target.bytes();
        for section in write.sections() {
            for ((sum, bytes), range) in self.written.iter_mut().zip(bytes).zip(section) {
                let bytes = &bytes[range.clone()];
                raw::documents(bytes).for_each(|place| sum.add(&bytes[place]));
            }
        }
        if let Some(replacing) = self.replacing.as_mut().filter(|_| write.action == Action::Replace)
        {
            let jobs = Collection::Jobs.index();
            replacing.add(key_of(job_id(&bytes[jobs][write.section[jobs].clone()])))?;
        }
        Ok(())
    }

    /// What the target will hold: what stays of what it holds, which must be what it held before,
    /// and what would be written.
    ///
    /// # Errors
    /// Refused if the target was changed meanwhile; others if it cannot be read.
    pub fn reaches(&mut self, target: &dyn TargetReader) -> Result<Collections, PlanError> {
        let replaced = match self.replacing.take() {
            Some(sorter) => Some(Replaced(sorter.finish()?)),
            None => None,
        };
        let mut reaches = Collections::new();
        for (collection, written) in Collection::ALL.into_iter().zip(&self.written) {
            let (all, mut staying) = two_sums(target, collection, replaced.as_ref())?;
            if self.before.get(collection.name()) != Some(&all.finish()) {
                let message = format!(
                    "{collection} of the target {} was changed while the plan was made",
                    target.name()
                );
                return Err(EndError::refusal(message, Hint::LookWhoWrites).into());
            }
            staying.add_all(written);
            reaches.insert(collection.name().to_owned(), staying.finish());
        }
        Ok(reaches)
    }
}

/// The sink of a dry run that is listened to.
pub(super) struct Foreseeing<'s> {
    pub(super) sink: Box<dyn Sink + 's>,
    pub(super) foresight: &'s mut Foresight,
}

impl Look for Foreseeing<'_> {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        self.sink.look(target, jobs)
    }
}

#[deny(clippy::missing_trait_methods, reason = "what is not passed on would be lost")]
impl Sink for Foreseeing<'_> {
    fn is_undone_by_position(&self) -> bool {
        self.sink.is_undone_by_position()
    }

    fn write(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError> {
        let fates = self.sink.write(target, writes)?;
        for (write, _) in writes.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Written) {
            self.foresight.add(target, write)?;
        }
        Ok(fates)
    }

    fn cut_bytes(&self) -> Option<usize> {
        self.sink.cut_bytes()
    }

    fn cut(&mut self) -> Result<(), EndError> {
        self.sink.cut()
    }

    fn written_cuts(&mut self, is_waiting: bool) -> Result<Vec<Position>, EndError> {
        self.sink.written_cuts(is_waiting)
    }

    fn position(&self) -> Position {
        self.sink.position()
    }

    fn finish(&mut self) -> Result<(), EndError> {
        self.sink.finish()
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, EndError> {
        self.sink.syncer()
    }
}
