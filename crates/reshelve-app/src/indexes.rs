//! `indexes`: the collections and indexes of a target.

use std::path::Path;

use reshelve::dump;
use reshelve::ends::{Compression, Hint, TargetFolder, TargetReader};
use reshelve::restore::{self, ChangedJob, ChangedParts, Look, RestoreFolderError};
use reshelve::target_schema::{Collection, TargetState};
use reshelve_mongo::{Connection, LiveTarget, indexes_down, indexes_status, indexes_up};
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::places::{self, TARGET_DB_DEFAULT, TargetPlace};
use crate::text::{counted, length, were};

pub use reshelve_mongo::MIGRATION;

/// What `indexes` is asked.
pub struct Request {
    /// The target.
    pub target: TargetPlace,
    /// What to do.
    pub action: Action,
}

/// What to do with collections and indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Say which are there.
    Status,
    /// Create those that are missing.
    Up,
    /// Drop the collections of a live target.
    Down {
        /// Collections that are dropped whatever they hold; others only if this tool wrote all
        /// their documents.
        forced: Vec<String>,
    },
}

/// What is there, or what changed.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// What is there; as JSON, `reshelve.indexes/1`.
    State(StateAnswer),
    /// What was created or dropped; as JSON, `reshelve.indexes-changed/1`.
    Changed(ChangedAnswer),
}

/// What is there.
#[derive(Clone, Debug, Serialize)]
pub struct StateAnswer {
    schema: &'static str,
    /// Collections and indexes.
    #[serde(flatten)]
    pub state: TargetState,
}

/// What was created or dropped.
#[derive(Clone, Debug, Serialize)]
pub struct ChangedAnswer {
    schema: &'static str,
    /// Collections, and indexes as `collection.index`.
    pub changed: Vec<String>,
}

/// Looks at the indexes of a target, creates or drops them.
///
/// # Errors
/// If the target cannot be read or written, or holds documents of others.
pub fn indexes(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    match request.action {
        Action::Status => {}
        Action::Up => handle.check_may_write("`indexes up`")?,
        Action::Down { .. } => handle.check_may_write("`indexes down`")?,
    }
    let TargetPlace { name, db } = &request.target;
    let connection = match request.target.uri()? {
        Some(uri) => Some(places::written_target(uri, db.as_deref(), handle)?),
        None => None,
    };
    let changed = match (&request.action, connection) {
        (Action::Status, connection) => {
            let state = match connection {
                Some(connection) => indexes_status(&connection)?,
                None => folder_for(name, db.as_deref())?.state()?,
            };
            return Ok(Outcome::State(StateAnswer { schema: "reshelve.indexes/1", state }));
        }
        (Action::Up, Some(connection)) => indexes_up(&connection)?,
        (Action::Up, None) => folder_for(name, db.as_deref())?.make_indexes()?,
        (Action::Down { forced }, Some(connection)) => {
            check_unchanged(&connection, forced)?;
            indexes_down(&connection, forced)?
        }
        (Action::Down { .. }, None) => {
            let message = "this command does not drop folders";
            return Err(Failure::usage(message, hints::FOLDERS_ARE_REMOVED));
        }
    };
    Ok(Outcome::Changed(ChangedAnswer { schema: "reshelve.indexes-changed/1", changed }))
}

/// Checks that the new application has not changed what would be dropped: what is not as it was
/// mapped, no run brings back.
fn check_unchanged(connection: &Connection, forced: &[String]) -> Result<(), Failure> {
    let is_forced = |collection: Collection| forced.iter().any(|name| name == collection.name());
    let target = LiveTarget::new(connection.clone(), None);
    if !target.has(Collection::Jobs)? {
        return Ok(());
    }
    let refused = |message: String, collection: Collection| {
        let collection = collection.to_string();
        Failure::refused(message, hints::of_end(&Hint::ForceTheDropOfCopies { collection }))
    };
    let Look { summary, parts } = match restore::look(&target, &std::env::temp_dir()) {
        Ok(look) => look,
        Err(RestoreFolderError::Target(error)) => return Err(error.into()),
        Err(RestoreFolderError::Disk(error)) => return Err(error.into()),
        // What cannot be read cannot be compared either.
        Err(_) if is_forced(Collection::Jobs) => return Ok(()),
        Err(edited) => return Err(refused(edited.to_string(), Collection::Jobs)),
    };
    let changed = summary.changed.first().filter(|_| !is_forced(Collection::Jobs));
    if let Some(ChangedJob { job, .. }) = changed {
        let changed = length(&summary.changed);
        let (documents, were) = (counted(changed, "document"), were(changed));
        let message = format!(
            "{documents} of {} {were} changed since they were written, such as {job}",
            Collection::Jobs
        );
        return Err(refused(message, Collection::Jobs));
    }
    match parts.into_iter().find(|parts| !is_forced(parts.collection)) {
        None => Ok(()),
        Some(ChangedParts { collection, documents, job }) => Err(refused(
            format!(
                "{} of {collection} {} added or changed since a run wrote them, such as one of the \
                 job {job}",
                counted(documents, "document"),
                were(documents)
            ),
            collection,
        )),
    }
}

/// The folder of a target, which need not exist yet.
fn folder_for(root: &Path, db: Option<&str>) -> Result<TargetFolder, Failure> {
    if root.is_dir()
        && let Some(found) = TargetFolder::find(root, db)?
    {
        return Ok(found);
    }
    let db = db.unwrap_or(TARGET_DB_DEFAULT).to_owned();
    let folder = TargetFolder { root: root.to_owned(), db, compression: Compression::None };
    let legacy =
        Compression::ALL.map(|it| format!("{}.bson{}", dump::COLLECTION_DEFAULT, it.suffix()));
    let places = [folder.database(), root.to_owned()];
    let paths = places.iter().flat_map(|place| legacy.iter().map(|name| place.join(name)));
    match paths.into_iter().find(|path| path.is_file()) {
        None => Ok(folder),
        Some(path) => {
            let message =
                format!("this is no target: the legacy collection is there, {}", path.display());
            Err(Failure::refused(message, hints::LEGACY_IS_THERE))
        }
    }
}
