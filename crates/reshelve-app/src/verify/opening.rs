//! A source that makes the file of all mismatches when it was opened: nothing is written for a source
//! that cannot be read at all.

use reshelve::ends::{EndError, Opened, Origin, PlannedSource, SourceDescription};

use crate::lines::Lines;

/// A source that begins the file when it was opened.
pub(super) struct Opening<'o> {
    pub(super) origin: &'o dyn Origin,
    pub(super) log: Option<&'o Lines>,
}

impl Origin for Opening<'_> {
    fn open(&self) -> Result<Opened, EndError> {
        let opened = self.origin.open()?;
        if let Some(log) = self.log {
            log.begin().map_err(|why| EndError::failed(why, None))?;
        }
        Ok(opened)
    }

    fn is_rewindable(&self) -> bool {
        self.origin.is_rewindable()
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        self.origin.for_each_status(give)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        self.origin.planned(description)
    }
}
