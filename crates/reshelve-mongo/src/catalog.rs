//! What a server lists: its databases, their collections, and how large these are.

use mongodb::bson::{Bson, Document, doc};
use reshelve::ends::{EndError, Hint};

use crate::connection::Connection;

/// Databases of the server itself.
const SYSTEM: [&str; 3] = ["admin", "config", "local"];
/// Most entries that a listing asks for.
const LISTED_MAX: i32 = 100_000;
/// About this many bytes come in one reply: a server would send 16 MiB.
const REPLY_BYTES: u64 = 2 * 1024 * 1024;
/// Most documents in one reply.
const REPLY_DOCS_MAX: u64 = 10_000;
/// The assumed size of documents if the server does not report it.
const DOCUMENT_BYTES_DEFAULT: u64 = 16 * 1024;

/// Everything that a listing command returns: a server has few collections, and sends them in one
/// batch unless there are hundreds.
pub(crate) async fn list(
    connection: &Connection,
    mut command: Document,
) -> Result<Vec<Document>, EndError> {
    command.insert("cursor", doc! { "batchSize": LISTED_MAX });
    let reply = connection.command(command).await;
    let reply = reply.map_err(|error| connection.error("listing", "*", &error))?;
    Ok(first_batch(&reply))
}

/// The documents in the first batch of a reply.
pub(crate) fn first_batch(reply: &Document) -> Vec<Document> {
    let batch = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let batch = batch.map(Vec::as_slice).unwrap_or_default();
    batch.iter().filter_map(Bson::as_document).cloned().collect()
}

/// The databases that are not the server's own; none if the user may not list them.
pub(crate) async fn databases(connection: &Connection) -> Option<Vec<String>> {
    let question = doc! { "listDatabases": 1, "nameOnly": true, "authorizedDatabases": true };
    let answer = connection.admin(question).await.ok()?;
    let names = answer.get_array("databases").ok()?.iter();
    let names = names.filter_map(|it| it.as_document()?.get_str("name").ok());
    Some(names.filter(|name| !SYSTEM.contains(name)).map(str::to_owned).collect())
}

/// The only database that has the collection.
pub(crate) async fn find_database(
    connection: &Connection,
    collection: &str,
) -> Result<String, EndError> {
    let hint = Hint::NameALiveDatabase;
    let name = connection.place.name();
    let Some(databases) = databases(connection).await else {
        return Err(EndError::usage(format!("{name}: no database is named"), hint));
    };
    let mut found = Vec::new();
    for db in databases {
        let here = connection.at(&db);
        let question =
            doc! { "listCollections": 1, "filter": { "name": collection }, "nameOnly": true };
        if !list(&here, question).await?.is_empty() {
            found.push(db);
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            Err(EndError::usage(format!("{name}: no database has a collection {collection}"), hint))
        }
        several => Err(EndError::usage(
            format!(
                "{name}: the collection {collection} is in several databases: {}",
                several.join(", ")
            ),
            Hint::ChooseADatabase,
        )),
    }
}

/// Checks that a collection is there, and stores documents.
pub(crate) async fn check_collection(connection: &Connection, name: &str) -> Result<(), EndError> {
    let question = doc! {
        "listCollections": 1, "filter": { "name": name }, "authorizedCollections": true,
    };
    let reply = connection.command(question).await;
    let reply = reply.map_err(|error| connection.error("looking for", name, &error))?;
    let namespace = format!("{}.{name}", connection.db);
    let Some(found) = first_batch(&reply).into_iter().next() else {
        return Err(EndError::usage(
            format!("{}: no collection {namespace}", connection.place.name()),
            Hint::ChooseACollection,
        ));
    };
    match found.get_str("type") {
        Ok(kind @ ("view" | "timeseries")) => Err(EndError::usage(
            format!("{namespace} is a {kind}, not a collection"),
            Hint::ChooseStoredDocuments,
        )),
        _ => Ok(()),
    }
}

/// What a server reports about a collection's size. It is empty if the user lacks the privilege:
/// then progress has no total.
pub(crate) async fn statistics(connection: &Connection, collection: &str) -> Document {
    connection.command(doc! { "collStats": collection }).await.unwrap_or_default()
}

/// How many documents of a collection make a reply of the size wanted.
pub(crate) fn reply_docs(statistics: &Document) -> u32 {
    let average = whole_number(statistics, "avgObjSize").unwrap_or(DOCUMENT_BYTES_DEFAULT).max(1);
    u32::try_from((REPLY_BYTES / average).clamp(1, REPLY_DOCS_MAX)).unwrap_or(1)
}

/// A number that is not negative, in whichever type the server sends it.
pub(crate) fn whole_number(document: &Document, name: &str) -> Option<u64> {
    match document.get(name)? {
        Bson::Int32(number) => u64::try_from(*number).ok(),
        Bson::Int64(number) => u64::try_from(*number).ok(),
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates"
        )]
        Bson::Double(number) if *number >= 0.0 => Some(*number as u64),
        _ => None,
    }
}

/// The UUID of a listed collection in hex, if the server shows it.
pub(crate) fn uuid_of(listed: &Document) -> Option<String> {
    match listed.get_document("info").ok()?.get("uuid")? {
        Bson::Binary(binary) => Some(reshelve_core::raw::hex(&binary.bytes)),
        _ => None,
    }
}
