//! Single jobs, found by their ids, in a live database: what a server reads.

mod cards;
mod catalogue;
mod gathered;
mod legacy;
mod target;
mod traces;

use futures_util::StreamExt;
use mongodb::bson::Document;
use mongodb::error::Error;
use mongodb::options::{FindOptions, ReadConcern, ReadPreference, SelectionCriteria};
use reshelve::ends::EndError;

pub use legacy::LiveLegacyLookup;
pub use target::LiveLookup;

use crate::connection::Connection;
use crate::patience::limited;

/// Where and how documents are looked up.
#[derive(Clone, Debug)]
struct Reading {
    connection: Connection,
    collection: String,
    read_preference: Option<ReadPreference>,
}

impl Reading {
    /// Gives each document that a filter matches. Nobody waits long for an answer: what fails is
    /// not tried again beyond what the driver does.
    fn each(
        &self,
        filter: Document,
        mut options: FindOptions,
        mut give: impl FnMut(&[u8]),
    ) -> Result<(), EndError> {
        let Reading { connection, collection, read_preference } = self;
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = read_preference.clone().map(SelectionCriteria::ReadPreference);
        let read = connection.wait(limited(async {
            let collection = connection.raw(collection);
            let mut cursor = collection.find(filter).with_options(options).batch().await?;
            while let Some(batch) = cursor.next().await {
                for document in batch?.doc_slices()?.into_iter().flatten() {
                    give(document.as_document().map_or(&[], |document| document.as_bytes()));
                }
            }
            Ok::<_, Error>(())
        }));
        read.map_err(|error| connection.error("reading", collection, &error))
    }

    /// The documents that a filter matches.
    fn found(&self, filter: Document, options: FindOptions) -> Result<Vec<Vec<u8>>, EndError> {
        let mut found = Vec::new();
        self.each(filter, options, |document| found.push(document.to_vec()))?;
        Ok(found)
    }
}
