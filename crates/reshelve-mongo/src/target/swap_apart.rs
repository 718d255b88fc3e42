//! Replacing a job without a transaction: deleting by content, then inserting; the job document is
//! deleted first and inserted last. Documents that are the same in both versions stay, so that no
//! late deletion of the earlier one can hit them.

use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{EndError, Fate};
use reshelve::target_schema::Collection;

use super::delete::delete_same;
use super::insert::{Taken, insert};
use super::lease::Lease;
use super::replace::{Replacement, Swapped};
use super::standing::Documents;
use super::together::PARTS_FIRST;
use crate::connection::Connection;

pub(super) async fn swap_apart(
    connection: &Connection,
    lease: &Lease,
    what: &Replacement<'_>,
    earlier: &Documents,
) -> Result<Swapped, EndError> {
    let new = Collection::ALL.map(|collection| what.documents(collection));
    let swap = Swap { connection, lease };
    for collection in Collection::ALL {
        let gone = without(&earlier[collection.index()], &new[collection.index()]);
        if !delete_same(connection, lease, collection.name(), &gone).await?.is_empty() {
            swap.put_back(&new, earlier).await?;
            return Ok(Swapped::Changed);
        }
    }
    let mut fate = None;
    for collection in PARTS_FIRST {
        let documents = new[collection.index()].clone();
        let taken = insert(connection, lease, collection.name(), documents).await?;
        fate = taken.into_iter().find_map(|taken| fate_of(collection, taken));
        if fate.is_some() {
            break;
        }
    }
    let Some(fate) = fate else { return Ok(Swapped::Done) };
    swap.put_back(&new, earlier).await?;
    Ok(Swapped::Not(fate))
}

fn fate_of(collection: Collection, taken: Taken) -> Option<Fate> {
    match taken {
        Taken::Refused(why) => Some(Fate::Refused(format!("{collection}: {why}"))),
        Taken::Other(what) => Some(Fate::Conflict(what)),
        Taken::Inserted | Taken::Same | Taken::Retried => None,
    }
}

struct Swap<'s> {
    connection: &'s Connection,
    lease: &'s Lease,
}

impl Swap<'_> {
    /// Puts the earlier version back. What was edited since stays.
    async fn put_back(&self, new: &Documents, earlier: &Documents) -> Result<(), EndError> {
        for collection in Collection::ALL {
            let ours = without(&new[collection.index()], &earlier[collection.index()]);
            delete_same(self.connection, self.lease, collection.name(), &ours).await?;
        }
        for collection in PARTS_FIRST {
            let documents = earlier[collection.index()].clone();
            insert(self.connection, self.lease, collection.name(), documents).await?;
        }
        Ok(())
    }
}

/// The documents that are not among others.
fn without(documents: &[RawDocumentBuf], others: &[RawDocumentBuf]) -> Vec<RawDocumentBuf> {
    documents.iter().filter(|document| !others.contains(document)).cloned().collect()
}
