//! Earlier versions of replaced jobs, kept in the target database.

use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{EndError, Fate, Found};
use reshelve::target_schema::Collection;
use reshelve_core::raw::{self, Writer, kind};

use super::insert::{Taken, insert};
use super::replace::Replacement;
use crate::connection::Connection;

/// Where earlier versions are kept, in the target database.
pub(crate) const UNDO: &str = "reshelve_undo";

/// Keeps the earlier version. Rollback goes back to the first one that a run meets, so what is kept
/// already stays.
pub(super) async fn keep(
    connection: &Connection,
    what: &Replacement<'_>,
    earlier: &[Vec<RawDocumentBuf>],
) -> Result<Option<Fate>, EndError> {
    let mut kept = Vec::new();
    for (collection, documents) in Collection::ALL.into_iter().zip(earlier) {
        let own = what.own(collection);
        // What this run wrote before it was killed is not an earlier version; only where the
        // journal says that nothing equal was there before is it known to be the run's own.
        let is_own = what.begun
            && match what.found[collection.index()] {
                Found::Absent => true,
                // One document for each job: it was another one.
                Found::Other => collection != Collection::Events,
                Found::Same | Found::Partly => false,
            };
        for document in documents {
            if is_own && own.contains(&document.as_bytes()) {
                continue;
            }
            kept.extend(undo_document(what.run, collection.name(), document.as_bytes()));
        }
    }
    let taken = insert(connection, UNDO, kept).await;
    let taken = taken.map_err(|error| connection.error("writing to", UNDO, &error))?;
    let refused = taken.into_iter().find_map(|taken| match taken {
        Taken::Refused(why) => Some(why),
        // Neither what this run replaced nor what it wrote: somebody has edited it since.
        Taken::Other(_) => Some("another version is kept: it was edited since".to_owned()),
        _ => None,
    });
    Ok(refused
        .map(|why| Fate::Conflict(format!("its earlier version cannot be kept in {UNDO}: {why}"))))
}

/// `{_id: {run, collection, id}, document}`, with the document as it is.
fn undo_document(run: &str, collection: &str, document: &[u8]) -> Option<RawDocumentBuf> {
    let id = raw::Document::new(document).get("_id")?;
    let mut writer = Writer::default();
    let outer = writer.begin();
    let inner = writer.begin_document("_id");
    writer.string("run", run.as_bytes());
    writer.string("collection", collection.as_bytes());
    writer.header(id.kind, b"id");
    writer.extend(id.bytes);
    writer.end(inner);
    writer.header(kind::DOCUMENT, b"document");
    writer.extend(document);
    writer.end(outer);
    RawDocumentBuf::from_bytes(writer.bytes().to_vec()).ok()
}
