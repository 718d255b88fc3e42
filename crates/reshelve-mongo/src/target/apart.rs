//! Inserting the jobs of a batch without a transaction: parts first, then the jobs, each command
//! within what is left of the lease. Of a job that is not taken, its parts are taken back.

use std::collections::HashSet;

use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{EndError, Fate};
use reshelve::target_schema::Collection;

use super::by_ids::{id_of, stored};
use super::delete::delete_same;
use super::insert::{Taken, insert};
use super::lease::Lease;
use super::together::Unit;
use crate::connection::Connection;

/// The parts of a job, which are written before it.
const PARTS: [Collection; 3] = [Collection::Events, Collection::Metrics, Collection::Metadata];

/// Where documents are written one command after the other.
pub(super) struct Apart<'a> {
    pub(super) connection: &'a Connection,
    pub(super) lease: &'a Lease,
}

/// A document that was sent, and its result.
struct Sent {
    /// The place of its job among the units.
    unit: usize,
    collection: Collection,
    document: RawDocumentBuf,
    taken: Taken,
}

impl Apart<'_> {
    /// Inserts jobs, and tells what became of each.
    ///
    /// # Errors
    /// If the target cannot be written, or this process may not any more.
    pub(super) async fn insert(&self, units: Vec<Unit>) -> Result<Vec<(Unit, Fate)>, EndError> {
        let mut fates = vec![Fate::Written; units.len()];
        let [events, metrics, metadata] = PARTS;
        let (events, metrics, metadata) = tokio::try_join!(
            self.send(&units, events, &fates),
            self.send(&units, metrics, &fates),
            self.send(&units, metadata, &fates)
        )?;
        let mut sent: Vec<Sent> = [events, metrics, metadata].into_iter().flatten().collect();
        judge(&sent, &mut fates);
        let jobs = self.send(&units, Collection::Jobs, &fates).await?;
        judge(&jobs, &mut fates);
        sent.extend(jobs);
        self.take_back(&units, &sent, &fates).await?;
        let mut is_own: Vec<bool> = units.iter().map(|unit| unit.begun).collect();
        for Sent { unit, taken, .. } in &sent {
            is_own[*unit] |= matches!(taken, Taken::Inserted | Taken::Retried);
        }
        let done = units.into_iter().zip(fates).zip(is_own).map(|((unit, fate), is_own)| {
            match fate {
                // All of it was written by somebody else since the look, the same bytes.
                Fate::Written if !is_own => (unit, Fate::Unchanged),
                fate => (unit, fate),
            }
        });
        Ok(done.collect())
    }

    /// Sends the documents of one collection, of the jobs that nothing speaks against.
    async fn send(
        &self,
        units: &[Unit],
        collection: Collection,
        fates: &[Fate],
    ) -> Result<Vec<Sent>, EndError> {
        let wanted = units.iter().enumerate().filter(|(at, _)| fates[*at] == Fate::Written);
        let (places, documents): (Vec<usize>, Vec<RawDocumentBuf>) = wanted
            .flat_map(|(at, unit)| {
                unit.documents[collection.index()].iter().map(move |document| (at, document))
            })
            .map(|(at, document)| (at, document.clone()))
            .unzip();
        let taken = insert(self.connection, self.lease, collection.name(), documents.clone());
        let taken = taken.await?;
        let sent = places.into_iter().zip(documents).zip(taken);
        let sent = sent.map(|((unit, document), taken)| Sent { unit, collection, document, taken });
        Ok(sent.collect())
    }

    /// Of jobs that were not taken, what this run wrote: what was inserted just now, and what was
    /// there from an earlier try of this run, if no job stands that it may belong to.
    async fn take_back(
        &self,
        units: &[Unit],
        sent: &[Sent],
        fates: &[Fate],
    ) -> Result<(), EndError> {
        let is_bad = |unit: usize| fates[unit] != Fate::Written;
        if !sent.iter().any(|sent| is_bad(sent.unit)) {
            return Ok(());
        }
        let bad = units.iter().enumerate().filter(|(at, _)| is_bad(*at));
        let jobs = bad.flat_map(|(_, unit)| &unit.documents[Collection::Jobs.index()]);
        let name = Collection::Jobs.name();
        let standing: HashSet<Vec<u8>> =
            stored(self.connection, name, jobs.map(|job| job.as_bytes()))
                .await?
                .into_keys()
                .collect();
        let stands = |unit: usize| {
            let mut jobs = units[unit].documents[Collection::Jobs.index()].iter();
            jobs.any(|job| standing.contains(id_of(job.as_bytes())))
        };
        // The job first, then its parts.
        for collection in Collection::ALL {
            let documents: Vec<RawDocumentBuf> = sent
                .iter()
                .filter(|sent| sent.collection == collection && is_bad(sent.unit))
                .filter(|sent| match sent.taken {
                    Taken::Inserted => true,
                    Taken::Retried => !stands(sent.unit),
                    Taken::Same => units[sent.unit].begun && !stands(sent.unit),
                    Taken::Other(_) | Taken::Refused(_) => false,
                })
                .map(|sent| sent.document.clone())
                .collect();
            // What was edited since stays.
            delete_same(self.connection, self.lease, collection.name(), &documents).await?;
        }
        Ok(())
    }
}

/// A job one of whose documents is not taken is not taken; a refusal says more than a conflict.
fn judge(sent: &[Sent], fates: &mut [Fate]) {
    for Sent { unit, collection, taken, .. } in sent {
        let fate = &mut fates[*unit];
        match (taken, &fate) {
            (Taken::Refused(why), Fate::Written | Fate::Conflict(_)) => {
                *fate = Fate::Refused(format!("{collection}: {why}"));
            }
            (Taken::Other(what), Fate::Written) => *fate = Fate::Conflict(what.clone()),
            _ => {}
        }
    }
}
