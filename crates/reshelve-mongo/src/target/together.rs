//! Inserting the jobs of a batch in one fenced transaction: parts first, then the jobs. A job is
//! written with all its documents or not at all, so nothing has to be taken back.

use std::collections::HashMap;

use futures_util::future::join;
use mongodb::action::InsertMany;
use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error, ErrorKind};
use mongodb::{ClientSession, Collection as Stored};
use reshelve::ends::{EndError, Fate};
use reshelve::target_schema::Collection;

use super::by_ids::{id_of, stored, with_the_id_of};
use super::fenced::{Fenced, Undone, delete_same_in, in_session};
use super::insert::{commands, is_duplicate, is_too_large};
use super::lease::Lease;
use crate::connection::Connection;
use crate::error::{at_document, sentence};
use crate::error_class::{Blame, blame};

/// The order in which collections are written: a job comes after its parts.
pub(super) const PARTS_FIRST: [Collection; 4] =
    [Collection::Events, Collection::Metrics, Collection::Metadata, Collection::Jobs];

/// A job that is to be inserted.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Its place among the writes of the batch.
    pub(super) at: usize,
    /// Whether an earlier process of this run had begun to write it.
    pub(super) begun: bool,
    /// The documents that are to be written, by collection.
    pub(super) documents: [Vec<RawDocumentBuf>; 4],
    /// Documents that turned out to be there already, the same bytes.
    pub(super) there: [Vec<RawDocumentBuf>; 4],
}

impl Unit {
    /// Its job document, if that is to be written, or is there.
    pub(super) fn job(&self) -> Option<&RawDocumentBuf> {
        let at = Collection::Jobs.index();
        self.documents[at].first().or_else(|| self.there[at].first())
    }

    fn is_empty(&self) -> bool {
        self.documents.iter().all(Vec::is_empty)
    }
}

/// Where documents are written together.
pub(super) struct Together<'t> {
    pub(super) connection: &'t Connection,
    pub(super) lease: &'t Lease,
    pub(super) fenced: &'t mut Fenced,
}

/// Jobs that go into one transaction.
struct Group {
    units: Vec<Unit>,
    /// Whether the target was asked which of their documents are there.
    is_looked_up: bool,
}

impl Together<'_> {
    /// Inserts jobs, and tells what became of each. Gives them back if the server has no
    /// transactions: then nothing is written.
    ///
    /// # Errors
    /// If the target cannot be written, or this process may not any more.
    pub(super) async fn insert(
        &mut self,
        units: Vec<Unit>,
    ) -> Result<Result<Vec<(Unit, Fate)>, Vec<Unit>>, EndError> {
        let whole = units.len();
        let (mut done, mut refused) = (Vec::new(), 0);
        let mut groups = vec![Group { units, is_looked_up: false }];
        while let Some(group) = groups.pop() {
            if group.units.is_empty() {
                continue;
            }
            let (name, error) = match self.write(&group.units).await {
                Ok(()) => {
                    let is_unknown = self.fenced.is_unknown;
                    done.extend(group.units.into_iter().map(|unit| written(unit, is_unknown)));
                    continue;
                }
                Err(Undone::Failed { name, error }) => (name, error),
                Err(Undone::Unsupported) if done.is_empty() && group.units.len() == whole => {
                    return Ok(Err(group.units));
                }
                Err(undone) => {
                    return Err(undone.error(self.connection, self.lease, "writing to").await);
                }
            };
            if blame(&error) == Blame::Everything {
                return Err(self.connection.error("writing to", name, &error));
            }
            // The server names the document, and nobody knows that it is to blame.
            if blame(&error) == Blame::Unknown
                && let Some(document) = failed_document(name, &error, &group.units)
            {
                let error = at_document(error, document);
                return Err(self.connection.error("writing to", name, &error));
            }
            if !group.is_looked_up {
                groups.push(self.look_up(group.units, &mut done).await?);
                continue;
            }
            let mut units = group.units;
            if units.len() > 1 {
                let second = units.split_off(units.len() / 2);
                groups.push(Group { units: second, is_looked_up: true });
                groups.push(Group { units, is_looked_up: true });
                continue;
            }
            // A server that refuses a command as a whole names no document: if it does so with every
            // single one of many, the documents are not the cause.
            let is_whole = !matches!(*error.kind, ErrorKind::InsertMany(_));
            refused += usize::from(is_whole);
            if refused == whole && whole > 1 {
                return Err(self.connection.error("writing to", name, &error));
            }
            let fate = fate_of(self.connection, name, error, &units[0].documents)?;
            done.extend(units.into_iter().map(|unit| (unit, fate.clone())));
        }
        Ok(Ok(done))
    }

    async fn write(&mut self, units: &[Unit]) -> Result<(), Undone> {
        if units.iter().all(Unit::is_empty) {
            return Ok(());
        }
        let connection = self.connection;
        let steps = async |session: &mut ClientSession| {
            let targets = PARTS_FIRST.map(|collection| in_session(connection, collection.name()));
            let commands = |at: usize| {
                let Some(target) = targets.get(at) else { return Vec::new() };
                let documents =
                    units.iter().flat_map(|unit| &unit.documents[PARTS_FIRST[at].index()]);
                inserts(target, documents)
            };
            let mut next = commands(0);
            for (at, collection) in PARTS_FIRST.into_iter().enumerate() {
                // While the server is busy with these, the ones after them are made ready.
                let sending = send(session, collection.name(), next);
                let (sent, ready) = join(sending, async { commands(at + 1) }).await;
                sent?;
                next = ready;
            }
            Ok(())
        };
        self.fenced.run(connection, steps).await
    }

    /// Looks which documents are there. Those with the same bytes are not written again; a job with
    /// another document under one of its ids is a conflict.
    async fn look_up(
        &self,
        mut units: Vec<Unit>,
        done: &mut Vec<(Unit, Fate)>,
    ) -> Result<Group, EndError> {
        let mut conflicts: HashMap<usize, &str> = HashMap::new();
        for collection in PARTS_FIRST {
            let name = collection.name();
            let sent = units.iter().flat_map(|unit| &unit.documents[collection.index()]);
            let sent: Vec<&[u8]> = sent.map(|document| document.as_bytes()).collect();
            let stored = stored(self.connection, name, sent.into_iter()).await?;
            for unit in &mut units {
                for document in std::mem::take(&mut unit.documents[collection.index()]) {
                    match stored.get(id_of(document.as_bytes())) {
                        None => unit.documents[collection.index()].push(document),
                        Some(found) if found.as_slice() == document.as_bytes() => {
                            unit.there[collection.index()].push(document);
                        }
                        Some(_) => {
                            conflicts.insert(unit.at, name);
                        }
                    }
                }
            }
        }
        let mut left = Vec::new();
        for unit in units {
            match conflicts.get(&unit.at) {
                Some(name) => {
                    let what = format!("the target holds another document with this _id in {name}");
                    done.push((unit, Fate::Conflict(what)));
                }
                None => left.push(unit),
            }
        }
        Ok(Group { units: left, is_looked_up: true })
    }

    /// Takes back documents that this run wrote of a job, if no job with its `_id` stands.
    ///
    /// # Errors
    /// As for [`insert`](Self::insert).
    pub(super) async fn take_back(
        &mut self,
        job: &RawDocumentBuf,
        parts: &[Vec<RawDocumentBuf>; 4],
    ) -> Result<(), EndError> {
        let connection = self.connection;
        let steps = async |session: &mut ClientSession| {
            let name = Collection::Jobs.name();
            let jobs = in_session(connection, name);
            let stands = jobs.find_one(with_the_id_of(job)).session(&mut *session).await;
            if stands.map_err(Undone::on(name))?.is_some() {
                return Ok(());
            }
            for collection in PARTS_FIRST {
                let parts = &parts[collection.index()];
                delete_same_in(connection, session, collection.name(), parts).await?;
            }
            Ok(())
        };
        match self.fenced.run(connection, steps).await {
            Ok(()) => Ok(()),
            Err(undone) => Err(undone.error(connection, self.lease, "taking back from").await),
        }
    }
}

/// Inserts documents of a collection in a transaction.
pub(super) async fn insert_in(
    connection: &Connection,
    session: &mut ClientSession,
    name: &'static str,
    documents: impl Iterator<Item = &RawDocumentBuf>,
) -> Result<(), Undone> {
    let target = in_session(connection, name);
    send(session, name, inserts(&target, documents)).await
}

/// The commands that insert documents, as they will be sent.
fn inserts<'c, 'd>(
    target: &'c Stored<RawDocumentBuf>,
    documents: impl Iterator<Item = &'d RawDocumentBuf>,
) -> Vec<InsertMany<'c>> {
    let commands = commands(documents, |document| document.as_bytes().len()).into_iter();
    commands.map(|documents| target.insert_many(documents)).collect()
}

/// Sends commands for a collection, one after the other, in a transaction.
async fn send(
    session: &mut ClientSession,
    name: &'static str,
    commands: Vec<InsertMany<'_>>,
) -> Result<(), Undone> {
    for command in commands {
        command.session(&mut *session).await.map_err(Undone::on(name))?;
    }
    Ok(())
}

/// A job that is committed. If all of it was there, somebody else wrote it since the look, unless
/// it was an earlier try of this run.
fn written(unit: Unit, is_unknown: bool) -> (Unit, Fate) {
    let is_own = !unit.is_empty() || unit.begun || is_unknown;
    let fate = if is_own { Fate::Written } else { Fate::Unchanged };
    (unit, fate)
}

/// What an error says of the only job of a transaction.
///
/// # Errors
/// If no document is to blame, or nobody knows which.
pub(super) fn fate_of(
    connection: &Connection,
    name: &'static str,
    error: Error,
    documents: &[Vec<RawDocumentBuf>; 4],
) -> Result<Fate, EndError> {
    let mut all = documents.iter().flatten();
    let blame = match blame(&error) {
        Blame::Unknown if all.any(|it| is_too_large(connection, it)) => Blame::Document,
        blame => blame,
    };
    if blame == Blame::Document {
        let said = sentence(&error);
        return Ok(match is_duplicate(&error) {
            true => Fate::Conflict(format!("a unique key is taken: {said}")),
            false => Fate::Refused(format!("{name}: {said}")),
        });
    }
    let error = match documents[Collection::Jobs.index()].first() {
        Some(document) if blame == Blame::Unknown => at_document(error, document),
        _ => error,
    };
    Err(connection.error("writing to", name, &error))
}

/// The document that the server names when an insert of these jobs fails.
fn failed_document<'d>(name: &str, error: &Error, units: &'d [Unit]) -> Option<&'d RawDocumentBuf> {
    let ErrorKind::InsertMany(many) = error.kind.as_ref() else { return None };
    let index = many.write_errors.iter().flatten().next()?.index;
    let at = Collection::from_name(name)?.index();
    units.iter().flat_map(|unit| &unit.documents[at]).nth(index)
}
