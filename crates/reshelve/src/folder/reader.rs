//! A target folder as it is read back.

use super::TargetFolder;
use crate::dump::Documents;
use crate::ends::{DocumentStream, EndError, TargetReader};

impl DocumentStream for Documents {
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError> {
        Ok(Documents::next_document(self)?)
    }
}

impl TargetReader for TargetFolder {
    fn name(&self) -> String {
        TargetFolder::database(self).display().to_string()
    }

    fn database(&self) -> &str {
        &self.db
    }

    fn has(&self, collection: usize) -> Result<bool, EndError> {
        Ok(self.file(collection).exists())
    }

    fn documents(&self, collection: usize) -> Result<Box<dyn DocumentStream>, EndError> {
        Ok(Box::new(Documents::open(&self.file(collection), u64::MAX)?))
    }
}
