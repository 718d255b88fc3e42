//! Whether the collection that is read is still the one that it was, and was read to its end.
//!
//! A server answers a query on a collection that is gone with no documents, which looks like the
//! end of it.

use mongodb::bson::doc;
use mongodb::error::Error;
use mongodb::options::{ReadConcern, ReadPreference, SelectionCriteria};
use reshelve::ends::LiveCollection;

use crate::catalog::{first_batch, uuid_of};
use crate::connection::Connection;
use crate::patience::limited;

/// What is wrong with a collection that was being read.
pub(super) enum Lost {
    /// The server could not be asked.
    Unknown(Error),
    /// Another collection has its name, or none; or documents are missing. Says so.
    Sure(String),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Lost::Unknown(error)
    }
}

/// A collection, as it can be asked whether it is still the same.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) connection: Connection,
    pub(super) name: String,
    pub(super) read_preference: Option<ReadPreference>,
}

impl Identity {
    /// What the collection is now; none if there is no collection of that name. Its documents are
    /// counted, which takes long, only if nothing is known of what it `was`.
    pub(super) async fn now(
        &self,
        was: Option<&LiveCollection>,
    ) -> Result<Option<LiveCollection>, Error> {
        let Some(uuid) = self.uuid().await? else { return Ok(None) };
        let documents = match was {
            Some(was) => was.documents,
            None => self.count().await?,
        };
        Ok(Some(LiveCollection { uuid, documents }))
    }

    /// The UUID of the collection, if the server shows it; none if there is no collection.
    async fn uuid(&self) -> Result<Option<Option<String>>, Error> {
        let question = doc! {
            "listCollections": 1, "filter": { "name": &self.name }, "authorizedCollections": true,
        };
        let database = self.connection.database();
        let reply = limited(database.run_command(question).into_future()).await?;
        Ok(first_batch(&reply).first().map(uuid_of))
    }

    async fn count(&self) -> Result<u64, Error> {
        let collection = self.connection.decoded(&self.name);
        let count = collection.count_documents(doc! {}).read_concern(ReadConcern::majority());
        match self.read_preference.clone() {
            Some(preference) => {
                count.selection_criteria(SelectionCriteria::ReadPreference(preference)).await
            }
            None => count.await,
        }
    }

    /// Checks that the collection is still the one that it `was`.
    pub(super) async fn check_same(&self, was: &LiveCollection) -> Result<(), Lost> {
        match self.uuid().await? {
            None => Err(Lost::Sure("it was dropped or renamed while it was read".to_owned())),
            Some(now) if differs(now.as_deref(), was) => Err(Lost::Sure(
                "it was dropped or renamed while it was read, and another collection has its \
                 name now"
                    .to_owned(),
            )),
            Some(_) => Ok(()),
        }
    }

    /// Checks that the end of the collection is an end: it is still the same one, and no fewer
    /// documents were `read` of it than it held all the time. Returns a note if documents are gone.
    pub(super) async fn check_end(
        &self,
        was: &LiveCollection,
        read: u64,
    ) -> Result<Option<String>, Lost> {
        self.check_same(was).await?;
        if read >= was.documents {
            return Ok(None);
        }
        // Documents that were deleted meanwhile need not have been read.
        let now = self.count().await?;
        self.check_same(was).await?;
        if read >= now {
            return Ok(Some(format!(
                "{read} documents were read of the {} at the beginning: the others were deleted \
                 while it was read",
                was.documents
            )));
        }
        Err(Lost::Sure(format!(
            "{read} documents were read, and it held {} at the beginning and {now} at the end",
            was.documents
        )))
    }
}

/// Whether both UUIDs are known, and are not the same.
pub(super) fn differs(now: Option<&str>, was: &LiveCollection) -> bool {
    matches!((now, &was.uuid), (Some(now), Some(was)) if now != was)
}
