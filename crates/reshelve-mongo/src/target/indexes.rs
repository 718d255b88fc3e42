//! Which collections and indexes a live target has, by the names that the new stack's own migration
//! gives them.

use mongodb::bson::{Bson, Document, doc};
use reshelve::ends::{EndError, Hint};
use reshelve::target_schema::{Collection, Index, TargetState};

use crate::catalog::{first_batch, list};
use crate::connection::Connection;
use crate::error_class::is_namespace_not_found;

/// The new stack's migration that creates the same collections and indexes (target-schema,
/// "Indexes").
pub const MIGRATION: &str = "20251005120000-initialize-novel-collections";
/// Where the new stack records the migrations that were applied.
const MIGRATIONS: &str = "persistence_migrations";

/// Which collections and indexes are there; nothing is changed.
///
/// # Errors
/// If the server cannot be asked.
pub fn indexes_status(connection: &Connection) -> Result<TargetState, EndError> {
    Ok(connection.wait(status(connection))?.state)
}

/// Which collections and indexes are there, with what only a run needs to know.
pub(crate) struct Status {
    pub(crate) state: TargetState,
    /// Why nothing may be written to a collection, with what to do about it.
    pub(crate) unfit: Vec<(String, Hint)>,
}

pub(crate) async fn status(connection: &Connection) -> Result<Status, EndError> {
    let mut state = TargetState::default();
    let mut unfit = Vec::new();
    let mut no_collections = Vec::new();
    let question = doc! { "listCollections": 1, "authorizedCollections": true };
    for found in list(connection, question).await? {
        let name = found.get_str("name").unwrap_or_default();
        let Some(known) = Collection::from_name(name) else { continue };
        state.collections.push(known);
        if let Ok(kind @ ("view" | "timeseries")) = found.get_str("type") {
            let remark =
                format!("{known} is a {kind}, not a collection: nothing can be written to it");
            state.remarks.push(remark.clone());
            unfit.push((remark, Hint::ChooseATargetDatabase));
            no_collections.push(known);
        }
        let options = found.get_document("options").cloned().unwrap_or_default();
        if options.contains_key("validator") {
            state.remarks.push(format!(
                "{known} has a validator, which may refuse documents: they would be rejected as \
                 target-refused"
            ));
        }
        if options.get_bool("capped").unwrap_or(false) {
            let remark = format!("{known} is capped: it drops documents when it is full");
            state.remarks.push(remark.clone());
            unfit.push((remark, Hint::ChooseATargetDatabase));
        }
        if options.contains_key("expireAfterSeconds") {
            let remark =
                format!("{known} deletes documents when they are old (expireAfterSeconds)");
            state.remarks.push(remark.clone());
            unfit.push((remark, Hint::ChooseATargetDatabase));
        }
    }
    state.collections.sort();
    for collection in Collection::ALL {
        let there = match no_collections.contains(&collection) {
            true => Vec::new(),
            false => indexes_of_collection(connection, collection.name()).await?,
        };
        for index in there.iter().filter(|index| index.deletes_documents()) {
            let remark = format!(
                "{collection} has the index {}, which deletes documents when they are old \
                 (expireAfterSeconds)",
                index.name
            );
            state.remarks.push(remark.clone());
            unfit.push((remark, Hint::DropTheIndexThatDeletes));
        }
        state.add_indexes(collection, &there);
    }
    let migrations = connection.decoded(MIGRATIONS);
    let pattern = doc! { "fileName": { "$regex": format!("^{MIGRATION}") } };
    // Without the privilege to read that collection, the answer is unknown.
    let applied =
        connection.patience.retry(|| migrations.find_one(pattern.clone()).into_future()).await;
    state.migration_applied = matches!(applied, Ok(Some(_)));
    Ok(Status { state, unfit })
}

/// The indexes of a collection; none if it does not exist.
pub(crate) async fn indexes_of_collection(
    connection: &Connection,
    collection: &str,
) -> Result<Vec<Index>, EndError> {
    match connection.command(doc! { "listIndexes": collection }).await {
        Ok(reply) => Ok(first_batch(&reply).iter().map(index_of).collect()),
        Err(error) if is_namespace_not_found(&error) => Ok(Vec::new()),
        Err(error) => Err(connection.error("listing the indexes of", collection, &error)),
    }
}

fn index_of(document: &Document) -> Index {
    let key = document.get_document("key").cloned().unwrap_or_default();
    let part = |(name, direction): (&String, &Bson)| {
        let direction = match direction {
            // The shell writes every number as a double.
            Bson::Double(number) if number.fract() == 0.0 => format!("{number:.0}"),
            other => other.to_string(),
        };
        format!("{}:{direction}", Bson::from(name.as_str()))
    };
    let parts: Vec<String> = key.iter().map(part).collect();
    let options = document.iter().map(|(name, value)| (name.clone(), value.to_string()));
    Index {
        name: document.get_str("name").unwrap_or_default().to_owned(),
        key: format!("{{{}}}", parts.join(",")),
        unique: document.get_bool("unique").unwrap_or(false),
        options: options.filter(|(name, value)| Index::is_option(name, value)).collect(),
    }
}
