//! What the mapping makes of a legacy document, read as a place of target documents is.

use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw::documents;

use super::card::card;
use super::folder::newest_events;
use crate::ends::{EndError, OneJob};
use crate::target_schema::Collection;

/// The target documents of one job, made when it is asked for.
#[derive(Debug)]
pub struct MappedJob(TargetDocuments);

impl MappedJob {
    /// The documents that a mapping made of one legacy document.
    pub fn new(documents: TargetDocuments) -> Self {
        MappedJob(documents)
    }

    /// As [`JobLookup::card`](crate::ends::JobLookup::card).
    pub fn card(&self) -> Vec<u8> {
        card(self.0.jobs.bytes())
    }

    /// As [`JobLookup::document`](crate::ends::JobLookup::document).
    pub fn document(self, collection: Collection) -> Vec<u8> {
        match collection {
            Collection::Jobs => self.0.jobs.into_bytes(),
            Collection::Events => self.0.events.into_bytes(),
            Collection::Metrics => self.0.metrics.into_bytes(),
            Collection::Metadata => self.0.metadata.into_bytes(),
        }
    }

    /// As [`JobLookup::events`](crate::ends::JobLookup::events).
    pub fn events(&self, before: Option<&[u8]>) -> Vec<Vec<u8>> {
        let bytes = self.0.events.bytes();
        newest_events(documents(bytes).map(|range| bytes[range].to_vec()).collect(), before)
    }
}

/// What a place has of a job that it maps: nothing where no document maps to it.
impl OneJob for Option<MappedJob> {
    fn card(&self) -> Result<Option<Vec<u8>>, EndError> {
        Ok(self.as_ref().map(MappedJob::card))
    }

    fn document(&self, collection: Collection) -> Result<Option<Vec<u8>>, EndError> {
        let bytes = |MappedJob(all): &MappedJob| all.bytes()[collection.index()].to_vec();
        Ok(self.as_ref().map(bytes))
    }

    fn events(&self, before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        Ok(self.as_ref().map_or_else(Vec::new, |job| MappedJob::events(job, before)))
    }
}
