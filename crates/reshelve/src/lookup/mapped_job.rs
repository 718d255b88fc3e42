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
}

/// What a place has of a job that it maps: nothing where no document maps to it.
impl OneJob for Option<MappedJob> {
    fn card(&self) -> Result<Option<Vec<u8>>, EndError> {
        Ok(self.as_ref().map(|MappedJob(all)| card(all.jobs.bytes())))
    }

    fn document(&self, collection: Collection) -> Result<Option<Vec<u8>>, EndError> {
        Ok(self.as_ref().map(|MappedJob(all)| all.bytes()[collection.index()].to_vec()))
    }

    fn events(&self, before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        let Some(MappedJob(all)) = self else { return Ok(Vec::new()) };
        let bytes = all.events.bytes();
        Ok(newest_events(documents(bytes).map(|range| bytes[range].to_vec()).collect(), before))
    }
}
