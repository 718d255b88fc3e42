//! Kills a rollback before each of its effects on files, then rolls back again: the target must be
//! what it was before the run, byte for byte where nothing had been replaced.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
mod killing;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use common::counts::{Ended, count};
use common::{Place, Tree, plant, strace_is_there};
use killing::{is_long, killer, points};
use taken_back::{applied, checksums, document, place};

/// A target with a run in it, and what it held before that.
struct Scene {
    name: &'static str,
    place: Place,
    ends: &'static str,
    /// The target and the folder of runs, as the run left them.
    target: Tree,
    runs: Tree,
    run: String,
    /// The checksums before the run, and the files, where these come back as they were.
    before: serde_json::Value,
    files: Option<Tree>,
    /// How many documents are edited, and discarded.
    edited: &'static [&'static str],
}

impl Scene {
    /// Carries `first` to the target, if there is one, and then everything with these options.
    fn new(name: &'static str, first: Option<&str>, more: &[&str]) -> Scene {
        let place = place();
        let is_gzip = more.contains(&"--gzip");
        let zipped: &[&str] = if is_gzip { &["--gzip"] } else { &[] };
        if let Some(first) = first {
            applied(&place, 0, first, zipped);
        }
        let before = match first {
            Some(_) => checksums(&place),
            None => serde_json::Value::Null,
        };
        let files = place.tree("target");
        let run = applied(&place, 0, "jobs.bson", more);
        let is_replaced = more.contains(&"--replace");
        Scene {
            name,
            ends: if is_gzip { "gzip folder" } else { "folder" },
            target: place.tree("target"),
            runs: place.tree(".reshelve"),
            run,
            before,
            files: (first.is_some() && !is_replaced && !is_gzip).then_some(files),
            edited: &[],
            place,
        }
    }

    /// One job of the target is edited, and will be discarded.
    fn edited(self) -> Scene {
        let name = "letswriteabook/novel_jobs.bson".to_owned();
        let mut target = self.target.clone();
        let jobs = target.get_mut(&name).unwrap();
        let title = jobs.windows(6).rposition(|it| it == b"title\0").unwrap();
        // The last job is the run's. After the name comes the length, then the first letter.
        jobs[title + 6 + 4] ^= 1;
        Scene { target, edited: &["--edited", "discard=1"], ..self }
    }

    /// The place as the run left it: a run knows its target by its path.
    fn place(&self) -> &Place {
        for (name, tree) in [("target", &self.target), (".reshelve", &self.runs)] {
            std::fs::remove_dir_all(self.place.path(name)).unwrap();
            plant(tree, &self.place.path(name));
        }
        &self.place
    }

    fn args(&self) -> Vec<&str> {
        [&["rollback", &self.run, "--apply", "--json"], self.edited].concat()
    }

    fn expect_back(&self, place: &Place, what: &str) {
        let told = place.call(&self.args()).finish();
        assert_eq!(told.code, Some(0), "{what}: {}", told.stderr);
        let ended = document(&told)["ended"].clone();
        assert!(ended == "rolled-back" || ended == "already", "{what}: {ended}");
        let now = match &self.before {
            serde_json::Value::Null => {
                let told = place.call(&["checksums", "target", "--json"]).finish();
                let told = document(&told);
                let of = |name: &str| told["collections"][name]["documents"].clone();
                assert!(taken_back::COLLECTIONS.iter().all(|name| of(name) == 0), "{what}: {told}");
                serde_json::Value::Null
            }
            _ => checksums(place),
        };
        assert_eq!(now, self.before, "{what}");
        if let Some(files) = &self.files {
            common::assert_same(&place.tree("target"), files, what);
        }
        if !self.edited.is_empty() {
            let copy = place.read(&format!(".reshelve/runs/{}/discarded.bson", self.run));
            assert!(common::split(&copy).len() >= 3, "{what}: the discarded job has no copy");
        }
        let again = document(&place.expect(0, &self.args()));
        assert_eq!(again["ended"], "already", "{what}");
        place.expect(3, &["resume", &self.run]).says(&["was rolled back"]);
    }

    /// A part is taken back: only the same rollback knows the rest, and nobody takes over.
    fn expect_no_take_over(&self, place: &Place) {
        let told = document(&place.expect(0, &["status", &self.run, "--json"]));
        if told["state"] == "rolling-back" {
            let form: &[&str] = if self.ends == "folder" { &[] } else { &["--gzip"] };
            let run = ["run", "second.bson", "target", "--take-over"];
            let refused = place.expect(3, &[&run[..], &taken_back::APPLY, form].concat());
            refused.says(&["a rollback on this target has not finished", "reshelve rollback"]);
        }
    }

    /// Kills at every point, or at every fifth one.
    fn kill_everywhere(&self) {
        let all = points(self.place(), &self.args(), 0);
        let all =
            all.iter().flat_map(|(effect, points)| points.iter().map(move |at| (*effect, *at)));
        let mut kills = 0;
        for (effect, point) in all.step_by(if is_long() { 1 } else { 5 }) {
            let place = self.place();
            let what = format!("{}: killed at {effect} {point}", self.name);
            let told = place.call_through(&killer(effect, point).line(), &self.args()).finish();
            kills += usize::from(told.code.is_none());
            assert!(told.code.is_none_or(|code| code == 0), "{what}: {}", told.stderr);
            self.expect_no_take_over(place);
            self.expect_back(place, &what);
        }
        println!("{}: {kills} kills", self.name);
        assert!(kills > 3, "{kills}");
        let fault = format!("kill -9 of a rollback before a system call ({})", self.name);
        count(&fault, self.ends, Ended::same(kills));
    }
}

#[test]
fn of_a_target_that_was_empty() {
    if strace_is_there() {
        Scene::new("empty before", None, &[]).kill_everywhere();
        Scene::new("empty before", None, &["--gzip"]).kill_everywhere();
    }
}

#[test]
fn of_a_target_with_documents() {
    if strace_is_there() {
        for more in [&["--allow-existing"][..], &["--allow-existing", "--gzip"]] {
            Scene::new("documents before", Some("first.bson"), more).kill_everywhere();
        }
    }
}

#[test]
fn of_a_run_that_replaced() {
    if strace_is_there() {
        for more in [&["--replace"][..], &["--replace", "--gzip"]] {
            Scene::new("replaced", Some("old.bson"), more).kill_everywhere();
        }
    }
}

#[test]
fn of_a_run_with_an_edited_job() {
    if strace_is_there() {
        Scene::new("an edited job is discarded", Some("first.bson"), &["--allow-existing"])
            .edited()
            .kill_everywhere();
    }
}
