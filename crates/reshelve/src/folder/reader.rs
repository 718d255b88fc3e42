//! A target folder as it is read back.

use super::TargetFolder;
use crate::dump::Documents;
use crate::ends::{DocumentStream, EndError, LastWriter, TargetReader};
use crate::store::Disk;
use crate::target_schema::Collection;

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

    fn has(&self, collection: Collection) -> Result<bool, EndError> {
        Ok(self.file(collection).exists())
    }

    fn documents(&self, collection: Collection) -> Result<Box<dyn DocumentStream>, EndError> {
        Ok(Box::new(Documents::open(&Disk, &self.file(collection), u64::MAX)?))
    }

    /// Only a run that is not done leaves its name in a folder.
    fn last_writer(&self) -> Result<Option<LastWriter>, EndError> {
        let left = self.left_by()?;
        Ok(left.map(|holder| LastWriter { run: holder.run, folder: Some(holder.folder) }))
    }
}
