//! The runs that a server shows, and what can be done to them through it: those of its folder of
//! runs, and those that lie beside the target that it serves.

mod board;
mod changes;
mod details;
mod documents;
mod files;
mod known;
mod looks;
mod parity;
mod summary;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reshelve::ends::{PlannedTarget, TargetFolder};
use reshelve_mongo::Place;
use reshelve_serve::runs::{
    Change, Checked, Command, Looked, Refused, RejectList, RejectedDocument, RunFile, RunList,
    RunPage, Runs,
};

use crate::failure::Failure;
use crate::handle::Handle;
use crate::lately::Lately;
use crate::places::{SourcePlace, TARGET_DB_DEFAULT, TargetPlace};
use crate::sides;
use crate::status::status_of;
use board::{Board, Told};
use known::{Known, Place as RunsPlace};
use looks::Looks;

/// The folder of runs that needs no flag.
pub const RUNS_FOLDER_USUAL: &str = ".reshelve/runs";
/// Runs whose last checkpoints are kept, to tell how fast they are, at most.
const FOLLOWED_MAX: usize = 32;

/// What a server is told of its runs.
pub struct Request<'r> {
    /// The folder of run folders.
    pub runs_folder: PathBuf,
    /// What is served.
    pub sides: &'r sides::Request,
    /// The same, opened: it tells whether a PLACE is a target.
    pub opened: &'r sides::Sides,
    /// What the work that this server does with runs may do, and the passwords for it.
    pub handle: Handle,
    /// Hears what has ended that was begun through the server.
    pub told: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The runs of a server.
pub struct ServedRuns {
    places: Vec<RunsPlace>,
    /// The target that is served, if there is one.
    target: Option<PlannedTarget>,
    /// Its connection string, if it has one.
    target_name: Option<PathBuf>,
    /// The source that is served, if there is one.
    source: Option<SourcePlace>,
    handle: Handle,
    told: Told,
    board: Board,
    looks: Looks,
    /// What was seen of runs at work.
    lately: Mutex<HashMap<String, Lately>>,
}

/// Finds out where the runs of a server are.
///
/// # Errors
/// If the folder of runs has a name that is none.
pub fn open(request: Request<'_>) -> Result<ServedRuns, Failure> {
    crate::outside::check("--runs-dir", &request.runs_folder)?;
    let sides::Request { place, legacy, .. } = request.sides;
    let named = target(&request)?;
    let target = named.as_ref().map(|(planned, _)| planned.clone());
    let target_name = named.and_then(|(planned, name)| planned.folder().is_none().then_some(name));
    let as_source = place.clone().filter(|_| request.opened.legacy.is_some());
    let source = legacy.clone().or(as_source);
    let mut places = vec![RunsPlace::all(request.runs_folder.clone())];
    // The runs of another folder than the one that is named are nobody's wish.
    if request.runs_folder == Path::new(RUNS_FOLDER_USUAL)
        && let Some(PlannedTarget::Folder(folder)) = &target
    {
        places.extend(beside(folder).map(RunsPlace::of_target));
    }
    Ok(ServedRuns {
        places,
        target,
        target_name,
        source,
        handle: request.handle,
        told: request.told,
        board: Board::default(),
        looks: Looks::default(),
        lately: Mutex::default(),
    })
}

/// The target that is served, as a run folder would describe it, and its name.
fn target(request: &Request<'_>) -> Result<Option<(PlannedTarget, PathBuf)>, Failure> {
    let sides::Request { place, normalized, .. } = request.sides;
    let as_target =
        |place: &SourcePlace| TargetPlace { name: place.name.clone(), db: place.db.clone() };
    let place = place.as_ref().map(as_target).filter(|_| request.opened.normalized.is_some());
    let Some(target) = normalized.clone().or(place) else { return Ok(None) };
    let db = target.db.as_deref();
    let Some(uri) = target.uri()? else {
        let found = TargetFolder::find(&target.name, db)?.map(PlannedTarget::Folder);
        return Ok(found.map(|found| (found, target.name)));
    };
    let place = Place::parse(uri)?;
    let db = db.or(place.database()).unwrap_or(TARGET_DB_DEFAULT);
    let planned = PlannedTarget::Live(place.planned(db, None));
    Ok(Some((planned, target.name)))
}

/// Where the runs into a target folder may be, if nobody says it: beside the target.
fn beside(target: &TargetFolder) -> impl Iterator<Item = PathBuf> {
    let root = reshelve::store::absolute(&target.root);
    let parents =
        [root.parent(), root.parent().and_then(Path::parent)].map(|it| it.map(Path::to_owned));
    let names = ["runs", RUNS_FOLDER_USUAL];
    parents.into_iter().flatten().flat_map(move |parent| names.map(|name| parent.join(name)))
}

impl ServedRuns {
    fn lately(&self) -> MutexGuard<'_, HashMap<String, Lately>> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops what this server does with runs, at a place from which it can be continued, and waits
    /// for that. Nothing more is begun.
    pub fn close(&self) {
        self.looks.close();
        self.board.close();
    }

    /// A run by its whole id.
    fn find(&self, id: &str) -> Option<Known> {
        known::find(&self.places, self.target.as_ref(), id)
    }
}

impl Runs for ServedRuns {
    fn newest(&self, after: u64, count: usize) -> Result<RunList, String> {
        let mut list = RunList::default();
        let runs = known::all(&self.places, self.target.as_ref(), &mut list.unreadable);
        list.looked_in = known::shown(&self.places);
        list.total = crate::text::length(&runs);
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        for run in runs.iter().rev().skip(after).take(count) {
            match status_of(&run.folder).map(|status| self.summary(run, status)) {
                Ok(summary) => list.runs.push(summary),
                Err(failure) => list.unreadable.push(failure.message),
            }
        }
        Ok(list)
    }

    fn run(&self, id: &str) -> Result<Option<RunPage>, String> {
        self.find(id).map(|known| self.details(&known)).transpose().map_err(|it| it.message)
    }

    fn rejects(&self, id: &str, after: u64, count: usize) -> Result<Option<RejectList>, String> {
        let Some(known) = self.find(id) else { return Ok(None) };
        documents::rejects(&known.folder, after, count).map(Some).map_err(|it| it.to_string())
    }

    fn reject(&self, id: &str, at: u64) -> Result<Option<RejectedDocument>, String> {
        let Some(known) = self.find(id) else { return Ok(None) };
        documents::reject(&known.folder, at).map_err(|it| it.to_string())
    }

    fn file(&self, id: &str, name: &str) -> Result<Option<RunFile>, String> {
        let Some(known) = self.find(id) else { return Ok(None) };
        files::read(&known.folder, name)
    }

    fn checked(&self, count: usize) -> Result<Vec<Checked>, String> {
        Ok(self.checked_runs(count))
    }

    fn checked_run(&self, id: &str) -> Result<Option<Checked>, String> {
        let known = self.find(id).filter(|known| known.plan.apply);
        known.map(|known| self.checked_of(&known)).transpose()
    }

    fn seen(&self, id: &str, command: Command) -> Result<String, Refused> {
        ServedRuns::seen(self, id, command).map_err(|it| it.0)
    }

    fn look(&self, id: &str, change: &Change) -> Result<Looked, Refused> {
        ServedRuns::look(self, id, change).map_err(|it| it.0)
    }

    fn make(&self, id: &str, change: &Change, reason: &str) -> Result<String, Refused> {
        ServedRuns::make(self, id, change, reason).map_err(|it| it.0)
    }
}
