//! What moved since a plan was saved, part by part.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::ends::{LivePlace, Origin, PlannedSource, PlannedTarget, TargetReader};
use reshelve::plan::{
    Change, Changes, Comparison, Reading, SavedPlan, SourceSums, Tool, hash_of_file, read_source,
    state_of,
};
use reshelve::run::RunRequest;
use reshelve::store::Files;

use super::{Difference, differences_of, tell};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::overlap::is_same_path;
use crate::text::{agree, counted, number, plain};

/// The list of rejects in the folder of a run.
const REJECTS_FILE: &str = "rejects.jsonl";

/// What a plan is compared with.
pub(super) struct Now<'n> {
    pub(super) tool: &'n Tool,
    pub(super) origin: &'n dyn Origin,
    pub(super) target: &'n PlannedTarget,
    pub(super) reader: &'n dyn TargetReader,
    pub(super) asked: &'n RunRequest,
}

/// What was found.
pub(super) struct Compared {
    /// A line for each part that moved, some with lines of their own.
    pub(super) moved: Vec<String>,
    /// What the source holds.
    pub(super) source: SourceSums,
}

/// Compares every part of a plan with what is there: by content, never by size.
///
/// # Errors
/// If source or target cannot be read.
pub(super) fn compare(
    plan: &SavedPlan,
    file: &Path,
    now: &Now<'_>,
    handle: &Handle,
) -> Result<Compared, Failure> {
    let mut moved = Vec::new();
    let mut part = |part: &str, planned: &str, found: &str| {
        if planned != found {
            let (planned, found) = (planned.to_owned(), found.to_owned());
            moved.push(Difference { part: part.to_owned(), planned, found }.to_string());
        }
    };
    part("tool version", &plan.tool.tool_version, &now.tool.tool_version);
    part("build", &plan.tool.build, &now.tool.build);
    part("mapping", &plan.tool.mapping, &now.tool.mapping);
    if let Some(planned) = &plan.options.rejects_hash {
        let found = rejects_hash(now.asked)?.unwrap_or_default();
        part("rejects of the other run", planned, &found);
    }
    if !is_same_target(&plan.target.place, now.target) {
        part("target", &target_words(&plan.target.place), &target_words(now.target));
    }
    let state = state_of(now.reader)
        .map_err(|error| Failure { code: ExitCode::Refused, ..Failure::from(error) })?;
    let of_target = differences_of(&plan.target.collections, &state).into_iter();
    moved.extend(of_target.map(|it| format!("target, {it}")));
    let (place, source, changes) = source_changes(file, now, handle)?;
    if !is_same_source(&plan.source.place, &place) {
        let (planned, found) = (source_words(&plan.source.place), source_words(&place));
        let part = "source".to_owned();
        moved.insert(0, Difference { part, planned, found }.to_string());
    }
    if !changes.are_none() {
        moved.push(documents(&plan.source.sums, &source, &changes));
    } else if changes.is_reordered && plan.depends_on_order() {
        moved.push(
            Difference {
                part: "order of the documents in the source".to_owned(),
                planned: format!("running hash {}", plan.source.sums.running_hash),
                found: format!("running hash {}", source.running_hash),
            }
            .to_string(),
        );
    } else if changes.is_reordered {
        handle.watcher().note(
            "note: the documents of the source come in another order than in the plan; nothing \
             that it says depends on that",
        );
    }
    Ok(Compared { moved, source })
}

/// Reads the source, and compares it with the documents of the plan.
fn source_changes(
    file: &Path,
    now: &Now<'_>,
    handle: &Handle,
) -> Result<(PlannedSource, SourceSums, Changes), Failure> {
    let files: Arc<dyn Files> = Arc::clone(&now.asked.files);
    files.create_folders(&now.asked.runs_folder)?;
    let mut comparison = Comparison::new(&files, file, &now.asked.runs_folder)?;
    let reading = reading(now.asked, handle);
    let mut give = |entry| comparison.add(&entry);
    let read = read_source(now.origin, &reading, &mut tell(handle), &mut give)?;
    Ok((read.place, read.sums, comparison.finish()?))
}

/// The hash of the list of rejects that a run takes again, if it takes one.
///
/// # Errors
/// If it cannot be read.
pub(super) fn rejects_hash(asked: &RunRequest) -> Result<Option<String>, Failure> {
    let list = asked.only_rejects.as_ref().map(|run| run.join(REJECTS_FILE));
    Ok(list.map(|list| hash_of_file(asked.files.as_ref(), &list)).transpose()?)
}

/// How the source of a run is read by a plan: as far as the run reads it.
pub(super) fn reading<'r>(asked: &RunRequest, handle: &'r Handle) -> Reading<'r> {
    Reading {
        documents_max: asked.limit.filter(|_| asked.only_rejects.is_none()),
        batch: asked.batch,
        jobs: asked.jobs,
        stop: handle.stop(),
    }
}

/// What changed in a source, and where.
fn documents(planned: &SourceSums, found: &SourceSums, changes: &Changes) -> String {
    let words = |sums: &SourceSums| {
        let SourceSums { documents, bytes, set_hash, .. } = sums;
        let documents = counted(*documents, "document");
        format!("{documents}, {} bytes, set hash {set_hash}", number(*bytes))
    };
    let Changes { added, changed, removed, named, .. } = changes;
    let sum = added + changed + removed;
    let mut text = format!(
        "documents of the source: {} in the plan, {} now; {} {} added, {} changed, {} removed",
        words(planned),
        words(found),
        number(*added),
        agree(*added, "was", "were"),
        number(*changed),
        number(*removed)
    );
    for (change, id) in named {
        let change = match change {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Removed => "removed",
        };
        let id = if id.is_empty() { "a document without _id".to_owned() } else { plain(id) };
        text.push_str(&format!("\n    {change:<8} {id}"));
    }
    let shown = u64::try_from(named.len()).unwrap_or(u64::MAX);
    if sum > shown {
        text.push_str(&format!("\n    and {} more", number(sum - shown)));
    }
    text
}

/// Whether a source is in the place that a plan names, by whatever path.
fn is_same_source(planned: &PlannedSource, found: &PlannedSource) -> bool {
    if planned.live.is_some() || found.live.is_some() {
        return source_words(planned) == source_words(found);
    }
    let moved = PlannedSource { path: planned.path.clone(), ..found.clone() };
    source_words(planned) == source_words(&moved) && is_same_path(&planned.path, &found.path)
}

/// The same for a target.
fn is_same_target(planned: &PlannedTarget, found: &PlannedTarget) -> bool {
    match (planned, found) {
        (PlannedTarget::Folder(planned), PlannedTarget::Folder(found)) => {
            planned.compression == found.compression
                && is_same_path(&planned.database(), &found.database())
        }
        _ => target_words(planned) == target_words(found),
    }
}

/// A source for people: where it is, not how large.
pub(super) fn source_words(place: &PlannedSource) -> String {
    let collection = place.collection.as_deref().unwrap_or("jobs");
    match &place.live {
        Some(live) => {
            let uuid = live.collection.as_ref().and_then(|it| it.uuid.as_deref());
            let uuid = uuid.map_or_else(String::new, |uuid| format!(" (uuid {uuid})"));
            format!("{} {}.{collection}{uuid}", server_words(live), live.db)
        }
        None => {
            let db = place.db.as_deref().map_or_else(String::new, |db| format!(", database {db}"));
            format!("{}{db}, collection {collection}", tidy(&place.path).display())
        }
    }
}

/// A target for people.
pub(super) fn target_words(place: &PlannedTarget) -> String {
    match place {
        PlannedTarget::Live(live) => format!("{} {}", server_words(live), live.db),
        PlannedTarget::Folder(folder) => {
            let (path, compression) = (tidy(&folder.database()), folder.compression.name());
            format!("{}, compression {compression}", path.display())
        }
    }
}

/// A path as one of its spellings: `dump/` and `./dump` are `dump`.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

fn server_words(live: &LivePlace) -> String {
    let set = live.replica_set.as_deref();
    let set = set.map_or_else(String::new, |set| format!(" (replica set {set})"));
    format!("{}{set}", live.hosts.join(","))
}
