//! Which documents of a target belong to what a run wrote.

use std::cell::OnceCell;

use super::part::Part;
use crate::ends::{Action, EndError, Found, Hint, How, OwnJob, TakenBack};
use crate::target_schema::{Collection, OwnEvents};

/// What becomes of a document when its job is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Goes,
    /// It stays: it was there before, or is nobody's version of the job.
    Stays,
    /// It is not what was to be taken back: somebody has changed it since.
    Changed,
}

/// A job of a run, with what its documents are told by.
#[derive(Clone, Debug)]
pub struct OwnDocuments {
    /// The job.
    pub job: OwnJob,
    /// How it is taken back.
    pub how: Option<How>,
    /// Made when an event is asked about: most collections have none.
    events: OnceCell<OwnEvents>,
}

impl OwnDocuments {
    /// The documents of a job.
    pub fn new(job: OwnJob, how: Option<How>) -> Self {
        OwnDocuments { job, how, events: OnceCell::new() }
    }

    pub(super) fn events(&self) -> &OwnEvents {
        self.events.get_or_init(|| OwnEvents::of(&self.job.job_id, self.job.wrote.events))
    }

    /// What becomes of a document that a collection holds of this job. Events of the new
    /// application that stood before their job was replaced are no documents of it.
    pub fn fate(&self, collection: Collection, document: &[u8]) -> Fate {
        match self.how {
            None => Fate::Stays,
            _ if self.was_there(collection, document) => Fate::Stays,
            Some(How::Discard) => Fate::Goes,
            // Whether their content is what the run wrote, only all of them together tell.
            Some(How::AsWritten) if collection == Collection::Events => {
                if self.is_foreign(collection, document) { Fate::Stays } else { Fate::Goes }
            }
            Some(How::AsWritten) => match self.part(collection, &[document]) {
                Part::Same => Fate::Goes,
                _ => Fate::Changed,
            },
        }
    }

    /// Whether a document goes that a collection holds of this job.
    ///
    /// # Errors
    /// Refused where it is not what was to be taken back, or would be lost without a copy.
    pub fn goes(
        &self,
        collection: Collection,
        document: &[u8],
        run: &TakenBack<'_>,
    ) -> Result<bool, EndError> {
        let is_lost = self.how == Some(How::Discard);
        match self.fate(collection, document) {
            Fate::Stays => Ok(false),
            Fate::Goes if !is_lost || (run.is_copied)(document)? => Ok(true),
            Fate::Goes | Fate::Changed => Err(was_changed(&self.job, collection)),
        }
    }

    /// Whether a document is an event that the run did not write.
    pub fn is_foreign(&self, collection: Collection, document: &[u8]) -> bool {
        collection == Collection::Events && self.events().place(document).is_none()
    }

    /// Whether a job that the run completed had that document before.
    pub fn was_there(&self, collection: Collection, document: &[u8]) -> bool {
        let OwnJob { action, found, events_before, .. } = &self.job;
        *action == Action::Complete
            && match found[collection.index()] {
                Found::Absent | Found::Other => false,
                Found::Same => true,
                Found::Partly => self
                    .events()
                    .place(document)
                    .is_none_or(|place| events_before.get(place).copied().unwrap_or(false)),
            }
    }
}

/// The refusal where a job is no longer what was looked at.
pub fn was_changed(job: &OwnJob, collection: Collection) -> EndError {
    let job = String::from_utf8_lossy(&job.job_id).into_owned();
    let message = format!("{collection} was changed since it was looked at, at the job {job}");
    EndError::refusal(message, Hint::LookWhoWrites)
}
