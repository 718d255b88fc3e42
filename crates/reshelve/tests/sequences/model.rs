//! What must stand in the target: a model that knows documents and owners, and nothing of files,
//! checkpoints or journals. Of the product it uses the mapper alone.

use std::collections::HashSet;

use reshelve::ends::{Action, OnExisting};
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::mapping::{InFlight, Mapper, OnUnknownStatus, Options, Outcome, StatusPolicy};
use reshelve_core::raw::{self, Document, Value};

pub(crate) type Bytes = Vec<u8>;
/// The documents of the four collections, in their order.
pub(crate) type Shelf = [Vec<Bytes>; 4];

/// The place of the events among the collections.
pub(crate) const EVENTS: usize = 1;

/// The job that a target document belongs to.
pub(crate) fn job_of(document: &[u8]) -> Bytes {
    let job = Document::new(document).get("jobId").and_then(Value::string);
    job.unwrap_or_default().to_vec()
}

fn id_of(document: &[u8]) -> Bytes {
    Document::new(document).get("_id").map(|id| id.bytes.to_vec()).unwrap_or_default()
}

/// The `_id` of a legacy document, as text.
pub(crate) fn legacy_id(document: &[u8]) -> String {
    let id = Document::new(document).get("_id").and_then(Value::object_id).unwrap();
    raw::hex(&id)
}

/// What a run does with one job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: Bytes,
    pub(crate) action: Action,
    /// All documents of the job, as they are mapped.
    pub(crate) whole: Shelf,
    /// Those that the run writes.
    pub(crate) wrote: Shelf,
    /// Those that it takes out of the target.
    pub(crate) replaced: Shelf,
    /// The ids of events of others that stand beside what it takes out.
    pub(crate) stood: Vec<Bytes>,
}

/// How a run takes its documents.
#[derive(Clone, Debug)]
pub(crate) struct How {
    pub(crate) on_existing: OnExisting,
    pub(crate) status_policy: StatusPolicy,
}

/// What a run does, and the target after it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) jobs: Vec<Job>,
    pub(crate) read: u64,
    pub(crate) unchanged: u64,
    /// The ids of rejected legacy documents, in the order of the source.
    pub(crate) rejected: Vec<String>,
    pub(crate) after: Shelf,
}

/// Events that others added; the only documents that belong to no version of a job.
pub(crate) type Strangers = HashSet<Bytes>;

/// The target documents of a legacy document; none if it is rejected.
pub(crate) fn mapped(legacy: &[u8], status_policy: StatusPolicy) -> Option<(Bytes, Shelf)> {
    let mut mapper = Mapper::new(Options {
        on_unknown_status: OnUnknownStatus::Reject,
        status_policy,
        in_flight: InFlight::Include,
    });
    let mut out = TargetDocuments::default();
    let Outcome::Mapped(mapped) = mapper.map(legacy, &mut out) else { return None };
    let documents = |bytes: &[u8]| raw::documents(bytes).map(|it| bytes[it].to_vec()).collect();
    Some((mapped.job_id, out.bytes().map(documents)))
}

/// What a run does that begins on this target.
pub(crate) fn effects(
    before: &Shelf,
    documents: &[Bytes],
    how: &How,
    only: Option<&[String]>,
    strangers: &Strangers,
) -> Effects {
    let mut effects = Effects::default();
    for legacy in documents {
        let id = legacy_id(legacy);
        if only.is_some_and(|only| !only.contains(&id)) {
            continue;
        }
        effects.read += 1;
        let Some((job, whole)) = mapped(legacy, how.status_policy) else {
            effects.rejected.push(id);
            continue;
        };
        match decide(before, job, whole, how.on_existing, strangers) {
            Decided::Job(job) => effects.jobs.push(*job),
            Decided::Unchanged => effects.unchanged += 1,
            Decided::Conflict => effects.rejected.push(id),
        }
    }
    let mut after = before.clone();
    for job in &effects.jobs {
        remove(&mut after, &job.replaced);
    }
    for job in &effects.jobs {
        add(&mut after, &job.wrote);
    }
    effects.after = after;
    effects
}

enum Decided {
    Job(Box<Job>),
    Unchanged,
    Conflict,
}

fn decide(
    before: &Shelf,
    id: Bytes,
    whole: Shelf,
    on_existing: OnExisting,
    strangers: &Strangers,
) -> Decided {
    let mut missing = Shelf::default();
    let (mut same, mut conflicts) = (0, 0);
    for (at, documents) in whole.iter().enumerate() {
        for document in documents {
            let clashes = |there: &&Bytes| {
                id_of(there) == id_of(document) || at != EVENTS && job_of(there) == id
            };
            match before[at].iter().find(clashes) {
                Some(there) if there == document => same += 1,
                Some(_) => conflicts += 1,
                None => missing[at].push(document.clone()),
            }
        }
    }
    let nothing = Shelf::default();
    let (action, wrote, replaced) = match (conflicts, same) {
        (0, 0) => (Action::Insert, whole.clone(), nothing),
        (0, _) if missing == nothing => return Decided::Unchanged,
        (0, _) => (Action::Complete, missing, nothing),
        _ if on_existing != OnExisting::Replace => return Decided::Conflict,
        _ => (Action::Replace, whole.clone(), versions(before, &id, strangers)),
    };
    let mut others = all_of(before, &id);
    remove(&mut others, &versions(before, &id, strangers));
    let stood = others[EVENTS].iter().map(|it| id_of(it)).collect();
    Decided::Job(Box::new(Job { id, action, whole, wrote, replaced, stood }))
}

/// The documents of a job, but for events that others added.
pub(crate) fn versions(shelf: &Shelf, job: &[u8], strangers: &Strangers) -> Shelf {
    let mine = |it: &&Bytes| job_of(it) == job && !strangers.contains(*it);
    std::array::from_fn(|at| shelf[at].iter().filter(mine).cloned().collect())
}

/// Every document of a job.
pub(crate) fn all_of(shelf: &Shelf, job: &[u8]) -> Shelf {
    versions(shelf, job, &Strangers::new())
}

/// Removes documents, each once.
pub(crate) fn remove(shelf: &mut Shelf, documents: &Shelf) {
    for (documents, of) in documents.iter().zip(shelf) {
        for document in documents {
            if let Some(at) = of.iter().position(|it| it == document) {
                of.remove(at);
            }
        }
    }
}

pub(crate) fn add(shelf: &mut Shelf, documents: &Shelf) {
    for (documents, of) in documents.iter().zip(shelf) {
        of.extend(documents.iter().cloned());
    }
}

/// The documents in an order that says nothing.
pub(crate) fn sorted(shelf: &Shelf) -> Shelf {
    let mut sorted = shelf.clone();
    sorted.iter_mut().for_each(|documents| documents.sort());
    sorted
}

/// What a person decides of edited jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Nothing,
    Keep,
    Discard,
    DiscardWrongNumber,
}

/// How a job of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    AsWritten,
    Edited,
    Gone,
}

/// How a job of a run stands in a target.
pub(crate) fn stands(shelf: &Shelf, job: &Job) -> Stands {
    let found = without_stood(all_of(shelf, &job.id), job);
    if sorted(&found) == sorted(&job.whole) {
        return Stands::AsWritten;
    }
    let is_gone = found == Shelf::default();
    if is_gone && job.action != Action::Replace { Stands::Gone } else { Stands::Edited }
}

/// Without events of others that stood beside a job when it was replaced.
fn without_stood(mut shelf: Shelf, job: &Job) -> Shelf {
    if job.action == Action::Replace {
        shelf[EVENTS].retain(|event| !job.stood.contains(&id_of(event)));
    }
    shelf
}

/// What taking back does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Back {
    pub(crate) deleted: u64,
    pub(crate) put_back: u64,
    pub(crate) edited: Vec<Bytes>,
    pub(crate) gone: u64,
    pub(crate) after: Shelf,
    /// Earlier versions that come back.
    pub(crate) comes_back: Shelf,
    /// What goes though the run did not write it: there must be a copy of it.
    pub(crate) discarded: Shelf,
    /// Events of others that may be discarded with their job, or stay.
    pub(crate) may_go: Shelf,
}

/// What taking back these jobs does.
pub(crate) fn taken_back(
    before: &Shelf,
    jobs: &[Job],
    discards: bool,
    strangers: &Strangers,
) -> Back {
    let mut back = Back { after: before.clone(), ..Back::default() };
    for job in jobs {
        let stands = stands(before, job);
        match stands {
            Stands::AsWritten => remove(&mut back.after, &job.wrote),
            Stands::Gone => back.gone += 1,
            Stands::Edited => back.edited.push(job.id.clone()),
        }
        if stands == Stands::Edited && discards {
            discard(before, job, strangers, &mut back);
        }
        let goes = stands == Stands::AsWritten || stands == Stands::Edited && discards;
        match job.action {
            Action::Replace if goes => {
                back.put_back += 1;
                add(&mut back.after, &job.replaced);
                add(&mut back.comes_back, &job.replaced);
            }
            _ => back.deleted += u64::from(goes),
        }
    }
    back
}

/// Discards what stands of an edited job.
fn discard(before: &Shelf, job: &Job, strangers: &Strangers, back: &mut Back) {
    let versions = versions(before, &job.id, strangers);
    let mut others = without_stood(all_of(before, &job.id), job);
    remove(&mut others, &versions);
    let goes = match job.action {
        Action::Insert | Action::Replace => versions,
        // What was there before the run stays.
        Action::Complete => {
            let ids = |at: usize| job.wrote[at].iter().map(|it| id_of(it)).collect::<Vec<_>>();
            let has = |at: usize, it: &&Bytes| ids(at).contains(&id_of(it));
            std::array::from_fn(|at| {
                versions[at].iter().filter(|it| has(at, it)).cloned().collect()
            })
        }
    };
    remove(&mut back.after, &goes);
    add(&mut back.discarded, &goes);
    add(&mut back.may_go, &others);
}
