//! Creating the target's collections and indexes that are missing.

use mongodb::bson::{Document, doc};
use reshelve::ends::{EndError, Hint};
use reshelve::target_schema::{Collection, IndexState, IndexStatus, TargetState, indexes_of};

use super::indexes::status;
use crate::connection::Connection;
use crate::error::code;

/// The collection exists already.
const NAMESPACE_EXISTS: i32 = 48;

/// Creates the collections and indexes that are missing, and leaves the others as they are. Returns
/// the names of what was created.
///
/// # Errors
/// If an index exists with another definition, or the server refuses.
pub fn indexes_up(connection: &Connection) -> Result<Vec<String>, EndError> {
    connection.wait(async {
        let before = status(connection).await?.state;
        if let Some(index) = before.different() {
            return Err(different(connection, index));
        }
        let mut made = Vec::new();
        for collection in Collection::ALL {
            if !before.collections.contains(&collection) {
                match connection.command(doc! { "create": collection.name() }).await {
                    Ok(_) => made.push(collection.name().to_owned()),
                    // Another process was faster.
                    Err(error) if code(&error) == Some(NAMESPACE_EXISTS) => {}
                    Err(error) => {
                        return Err(connection.error("creating", collection.name(), &error));
                    }
                }
            }
            let missing = missing_indexes(&before, collection);
            if missing.is_empty() {
                continue;
            }
            made.extend(missing.iter().map(|name| format!("{collection}.{name}")));
            let specs = specifications(collection, &missing);
            connection
                .command(doc! { "createIndexes": collection.name(), "indexes": specs })
                .await
                .map_err(|error| {
                    connection.error("creating the indexes of", collection.name(), &error)
                })?;
        }
        Ok(made)
    })
}

/// An index of the target with another definition.
pub(super) fn different(connection: &Connection, index: &IndexStatus) -> EndError {
    let IndexStatus { collection, name, difference, .. } = index;
    EndError::refused(
        format!(
            "{}.{collection}: the index {name} has another definition: {}",
            connection.db,
            difference.as_deref().unwrap_or_default()
        ),
        Hint::CreateTheIndexAgain,
    )
}

fn missing_indexes(state: &TargetState, collection: Collection) -> Vec<&'static str> {
    let of_collection = state.indexes.iter().filter(|index| index.collection == collection);
    let missing = of_collection.filter(|index| index.state == IndexState::Missing);
    missing.map(|index| index.name).collect()
}

/// The indexes with these names, as `createIndexes` takes them.
fn specifications(collection: Collection, names: &[&str]) -> Vec<Document> {
    let wanted = indexes_of(collection).iter().filter(|index| names.contains(&index.name));
    wanted
        .map(|index| {
            let key = index.key.iter().map(|(name, way)| ((*name).to_owned(), (*way).into()));
            let mut specification = doc! { "key": Document::from_iter(key), "name": index.name };
            if index.unique {
                specification.insert("unique", true);
            }
            specification
        })
        .collect()
}
