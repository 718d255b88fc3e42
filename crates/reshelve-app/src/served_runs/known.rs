//! Which runs a server knows, and where they are.

use std::path::{Path, PathBuf};

use reshelve::ends::PlannedTarget;
use reshelve::run::{Plan, RunFolder};
use reshelve::store::absolute;

use super::RUNS_FOLDER_USUAL;
use crate::family::without_copies;
use crate::overlap::is_same_target;
use crate::text::shell_word;

/// A folder of runs.
pub(super) struct Place {
    folder: PathBuf,
    which: Which,
}

/// Which of the runs in a folder count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those into the target that is served.
    IntoTarget,
}

impl Place {
    pub(super) fn all(folder: PathBuf) -> Self {
        Place { folder, which: Which::All }
    }

    pub(super) fn of_target(folder: PathBuf) -> Self {
        Place { folder, which: Which::IntoTarget }
    }
}

/// A run that is known.
pub(super) struct Known {
    pub(super) folder: RunFolder,
    pub(super) plan: Plan,
    /// The folder of runs in which it is.
    pub(super) runs_folder: PathBuf,
}

impl Known {
    /// The command line that gives this run a command; none if it cannot be shown.
    pub(super) fn command_line(&self, command: &str, flags: &[&str]) -> Option<String> {
        let mut line = format!("reshelve {command} {}", self.plan.run);
        for flag in flags {
            line.push_str(&format!(" {flag}"));
        }
        if self.runs_folder != Path::new(RUNS_FOLDER_USUAL) {
            line.push_str(&format!(" --runs-dir {}", shell_word(self.runs_folder.as_os_str())?));
        }
        Some(line)
    }
}

/// Where runs are looked for, for people; of the folders beside the target only those that are
/// there.
pub(super) fn shown(places: &[Place]) -> Vec<String> {
    let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| absolute(folder));
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut is_shown = |place: &&Place| {
        let folder = real(&place.folder);
        let is_new = !seen.contains(&folder);
        seen.push(folder);
        is_new && (place.which == Which::All || place.folder.is_dir())
    };
    let shown = places.iter().filter(|place| is_shown(place));
    shown.map(|place| place.folder.display().to_string()).collect()
}

/// All runs, oldest first, without copies of a run's folder; says what cannot be read.
pub(super) fn all(
    places: &[Place],
    target: Option<&PlannedTarget>,
    unreadable: &mut Vec<String>,
) -> Vec<Known> {
    let mut found: Vec<Known> = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for place in places {
        let real = place.folder.canonicalize().unwrap_or_else(|_| absolute(&place.folder));
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        let runs = of_place(place, target, unreadable);
        let is_new = |run: &Known| !found.iter().any(|other| other.plan.run == run.plan.run);
        let runs: Vec<Known> = runs.into_iter().filter(is_new).collect();
        found.extend(runs);
    }
    // In one folder they are in the order in which they were begun, whatever the clock said.
    if seen.len() > 1 && found.iter().any(|run| run.runs_folder != places[0].folder) {
        found.sort_by(|one, other| one.plan.begun_at.cmp(&other.plan.begun_at));
    }
    found
}

fn of_place(
    place: &Place,
    target: Option<&PlannedTarget>,
    unreadable: &mut Vec<String>,
) -> Vec<Known> {
    let listed = match RunFolder::list(&place.folder) {
        Ok(listed) => listed,
        Err(error) => {
            unreadable.push(error.to_string());
            return Vec::new();
        }
    };
    let mut runs = Vec::new();
    for folder in listed {
        match folder.plan() {
            Ok(plan) => runs.push((folder, plan)),
            Err(_) if place.which == Which::IntoTarget => {}
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let counts = |plan: &Plan| place.which == Which::All || plan.apply && is_into(target, plan);
    let runs = without_copies(runs).into_iter().filter(|(_, plan)| counts(plan));
    let runs_folder = || place.folder.clone();
    runs.map(|(folder, plan)| Known { folder, plan, runs_folder: runs_folder() }).collect()
}

/// Whether a run goes into the target that is served.
pub(super) fn is_into(target: Option<&PlannedTarget>, plan: &Plan) -> bool {
    target.is_some_and(|target| is_same_target(&plan.target, target))
}

/// A run by its whole id. It names no path: only what is listed is found.
pub(super) fn find(places: &[Place], target: Option<&PlannedTarget>, id: &str) -> Option<Known> {
    let is_of_an_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.starts_with('.') || !id.chars().all(is_of_an_id) {
        return None;
    }
    all(places, target, &mut Vec::new()).into_iter().find(|known| known.plan.run == id)
}
