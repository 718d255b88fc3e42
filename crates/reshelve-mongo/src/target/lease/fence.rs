//! The fence: a document beside the lease that every transaction of a run updates.
//!
//! The lease says who may begin to write. The fence sees to it that nobody else can: a transaction
//! updates it on condition of the run's token, and a take-over replaces the token. Whichever of the
//! two comes second waits, or fails. The document stays when a run is done: were it removed, a
//! write of it that arrives late could put an old token back.

use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;

use super::RUNS;
use crate::connection::Connection;
use crate::patience::limited;

/// The `_id` of the fence.
const FENCE: &str = "fence";
/// How often a take-over looks again, because the fence was changed between its look and its write.
pub(super) const RAISES_MAX: u32 = 20;

/// The fence as it was read.
pub(super) struct Seen(Option<Document>);

impl Seen {
    /// Reads the fence, if there is one.
    pub(super) async fn read(connection: &Connection) -> Result<Seen, Error> {
        let runs = connection.decoded(RUNS);
        let find = || runs.find_one(doc! { "_id": FENCE }).into_future();
        connection.patience.retry(find).await.map(Seen)
    }

    /// Whether this token is in it.
    pub(super) fn is_of(&self, token: &str) -> bool {
        self.text("token") == Some(token)
    }

    /// The run that wrote last, or may have.
    pub(super) fn run(&self) -> Option<&str> {
        self.text("run")
    }

    /// Whether nothing is left of what that run wrote.
    pub(super) fn is_rolled_back(&self) -> bool {
        self.0.as_ref().is_some_and(|fence| fence.get_bool("rolledBack").unwrap_or(false))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.as_ref()?.get_str(name).ok()
    }

    /// Ends the transaction that its process may have left open, so that nobody has to wait until
    /// the server does. A user may end their own sessions; who may not has to wait.
    pub(super) async fn end_session(&self, connection: &Connection) {
        let session = self.0.as_ref().and_then(|fence| fence.get_document("session").ok());
        let Some(session) = session else { return };
        let database = connection.database();
        let kill = doc! { "killSessions": [session.clone()] };
        drop(limited(database.run_command(kill).into_future()).await);
    }

    /// Puts a token into the fence, on condition that it is still as it was read; tells whether it
    /// was. Waits for an open transaction that has updated it.
    pub(super) async fn replace(
        &self,
        connection: &Connection,
        run: &str,
        token: &str,
        session: Option<&ClientSession>,
    ) -> Result<bool, Error> {
        let runs = connection.decoded(RUNS);
        let mut mine = doc! { "_id": FENCE, "run": run, "token": token, "batches": 0_i64 };
        if let Some(session) = session {
            mine.insert("session", session.id().clone());
        }
        let earlier = self.0.as_ref().and_then(|fence| fence.get("token")).cloned();
        let earlier = earlier.unwrap_or_else(|| doc! { "$exists": false }.into());
        let condition = doc! { "_id": FENCE, "token": earlier };
        let replace = || {
            let replace = runs.find_one_and_replace(condition.clone(), mine.clone());
            replace.upsert(self.0.is_none()).into_future()
        };
        match connection.patience.retry(replace).await {
            Ok(replaced) => Ok(replaced.is_some() || self.0.is_none()),
            Err(error) if crate::error::code(&error) == Some(11_000) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The filter and the update that say that nothing is left of what the run of this token wrote.
pub(super) fn rolled_back(token: &str) -> (Document, Document) {
    (doc! { "_id": FENCE, "token": token }, doc! { "$set": { "rolledBack": true } })
}

/// The filter and the update with which a transaction holds the fence. The update changes it: one
/// that only reads it, or writes what is there, would conflict with nothing.
pub(crate) fn hold(token: &str) -> (Document, Document) {
    (doc! { "_id": FENCE, "token": token }, doc! { "$inc": { "batches": Bson::Int64(1) } })
}
