//! Which documents of a target belong to what a run wrote.

use super::part::{Part, part};
use crate::ends::{Action, Found, How, OwnJob};
use crate::target_schema::{Collection, OwnEvents, is_of_a_version};

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
    events: OwnEvents,
}

impl OwnDocuments {
    /// The documents of a job.
    pub fn new(job: OwnJob, how: Option<How>) -> Self {
        let events = OwnEvents::of(&job.job_id, job.wrote.events);
        OwnDocuments { job, how, events }
    }

    /// Whether a document belongs to a version of the job. Of a job that was replaced, events of
    /// the new application do not.
    pub fn is_version(&self, document: &[u8]) -> bool {
        self.job.action != Action::Replace || is_of_a_version(document)
    }

    /// What becomes of a document that a collection holds of this job.
    pub fn fate(&self, collection: Collection, document: &[u8]) -> Fate {
        match self.how {
            None => Fate::Stays,
            _ if !self.is_version(document) || self.was_there(collection, document) => Fate::Stays,
            Some(How::Discard) => Fate::Goes,
            // Whether their content is what the run wrote, only all of them together tell.
            Some(How::AsWritten) if collection == Collection::Events => {
                if self.is_foreign(collection, document) { Fate::Stays } else { Fate::Goes }
            }
            Some(How::AsWritten) => match part(&self.job, collection, &[document]) {
                Part::Same => Fate::Goes,
                _ => Fate::Changed,
            },
        }
    }

    /// Whether a document is an event that the run did not write.
    pub fn is_foreign(&self, collection: Collection, document: &[u8]) -> bool {
        collection == Collection::Events && self.events.place(document).is_none()
    }

    /// Whether a job that the run completed had that document before.
    fn was_there(&self, collection: Collection, document: &[u8]) -> bool {
        let OwnJob { action, found, events_before, .. } = &self.job;
        *action == Action::Complete
            && match found[collection.index()] {
                Found::Absent | Found::Other => false,
                Found::Same => true,
                Found::Partly => self
                    .events
                    .place(document)
                    .is_none_or(|place| events_before.get(place).copied().unwrap_or(false)),
            }
    }
}
