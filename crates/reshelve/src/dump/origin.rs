//! A file, a folder or standard input as the origin of a run.

use super::{STANDARD_INPUT, for_each_status, open};
use crate::ends::{EndError, Opened, Origin, PlannedSource, SourceDescription, SourceSpec};

impl Origin for SourceSpec {
    fn open(&self) -> Result<Opened, EndError> {
        Ok(open(self)?)
    }

    fn is_rewindable(&self) -> bool {
        self.path.as_os_str() != STANDARD_INPUT
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        Ok(for_each_status(self, give)?)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        let path = &self.path;
        PlannedSource {
            path: match path.as_os_str() == STANDARD_INPUT {
                true => path.clone(),
                false => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
            },
            db: self.db.clone(),
            collection: self.collection.clone(),
            form: description.form_words(),
            bytes: description.bytes_total,
            live: None,
        }
    }
}
