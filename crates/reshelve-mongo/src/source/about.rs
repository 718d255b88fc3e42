//! What a live server says of a collection beside its documents.

use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use reshelve::ends::{About, EndError};
use reshelve_core::extjson::{Style, write_document};
use reshelve_core::raw;

use crate::catalog::{first_batch, list, uuid_of};
use crate::connection::Connection;
use crate::error_class::is_namespace_not_found;

/// Asks for options, indexes and versions.
pub(super) async fn about(connection: &Connection, name: &str) -> Result<About, EndError> {
    let question = doc! { "listCollections": 1, "filter": { "name": name } };
    let listed = list(connection, question).await?.into_iter().next().unwrap_or_default();
    let mut metadata = doc! {};
    if let Ok(options) = listed.get_document("options") {
        metadata.insert("options", options.clone());
    }
    metadata.insert("indexes", indexes(connection, name).await?);
    metadata.extend(uuid_of(&listed).map(|uuid| ("uuid".to_owned(), Bson::String(uuid))));
    metadata.insert("collectionName", name);
    metadata.insert("type", "collection");
    let built = connection.admin(doc! { "buildInfo": 1 }).await.unwrap_or_default();
    Ok(About {
        namespace: Some((connection.db.clone(), name.to_owned())),
        metadata: text(&metadata),
        spoiled_metadata: None,
        server_version: built.get_str("version").ok().map(str::to_owned),
        tool_version: None,
        cluster_time: connection.server.operation_time.clone(),
    })
}

async fn indexes(connection: &Connection, name: &str) -> Result<Vec<Document>, EndError> {
    let mut indexes = match connection.command(doc! { "listIndexes": name }).await {
        Ok(reply) => first_batch(&reply),
        Err(error) if is_namespace_not_found(&error) => Vec::new(),
        Err(error) => return Err(connection.error("listing the indexes of", name, &error)),
    };
    for index in &mut indexes {
        // Older servers name the collection in each, and newer ones refuse that.
        index.remove("ns");
    }
    Ok(indexes)
}

/// As canonical Extended JSON, which keeps the types of numbers.
fn text(document: &Document) -> Option<String> {
    let raw = RawDocumentBuf::try_from(document).ok()?;
    let mut text = Vec::new();
    write_document(&mut text, raw::Document::new(raw.as_bytes()), Style::Canonical);
    String::from_utf8(text).ok()
}
