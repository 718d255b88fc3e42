//! A source in a file, what an undisturbed run makes of it, and disturbed runs beside the test.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::documents::aged;
use crate::common::{Place, Told, split};
use crate::live::{Database, Server};

/// What a run that writes is told.
pub(crate) const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];

/// How long a run may take until it has written what a test waits for.
const WRITE_MAX: Duration = Duration::from_secs(120);

/// The last line of an answer.
pub(crate) fn json(told: &Told) -> Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

fn checksums(place: &Place, target: &str) -> Value {
    json(&place.expect(0, &["checksums", target, "--json"]))["collections"].clone()
}

/// A source in a file, with what an undisturbed run makes of it.
pub(crate) struct Rehearsal {
    pub(crate) place: Place,
    expected: Value,
}

impl Rehearsal {
    pub(crate) fn new(documents: u32, size: &str) -> Rehearsal {
        let place = Place::new();
        let documents = documents.to_string();
        let args = ["generate", "jobs.bson", "--preset", "lifecycle", "--size", size];
        place.expect(0, &[&args[..], &["--documents", &documents]].concat());
        place.expect(0, &[&["run", "jobs.bson", "folder"], &APPLY[..]].concat());
        std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
        let expected = checksums(&place, "folder");
        Rehearsal { place, expected }
    }

    /// A file with an older version of every second job.
    pub(crate) fn older(&self) -> &'static str {
        let documents = split(&self.place.read("jobs.bson"));
        let old: Vec<Vec<u8>> = documents.iter().step_by(2).map(|it| aged(it)).collect();
        self.place.write("old.bson", &old.concat());
        "old.bson"
    }

    /// An empty target with its indexes.
    pub(crate) fn target(&self, server: &Server) -> Database {
        let target = server.database();
        self.place.expect(0, &["indexes", "up", &target.uri]);
        target
    }

    /// The source as a live collection.
    pub(crate) fn legacy(&self, server: &Server) -> Database {
        let legacy = server.database();
        legacy.seed("jobs", &split(&self.place.read("jobs.bson")));
        legacy
    }

    /// Expects that the target is as an undisturbed run leaves it.
    pub(crate) fn expect_whole(&self, target: &Database, what: &str) {
        self.expect_whole_at(&target.uri, what);
    }

    /// The same for a target by its name: a folder, for instance.
    pub(crate) fn expect_whole_at(&self, target: &str, what: &str) {
        assert_eq!(checksums(&self.place, target), self.expected, "{what}");
    }
}

/// Waits until the target has this many jobs; false where the process ended before.
pub(crate) fn wait_for(target: &Database, jobs: u64, child: &mut Child) -> bool {
    let start = Instant::now();
    while target.count("novel_jobs") < jobs {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < WRITE_MAX, "nothing is written");
    }
    child.try_wait().unwrap().is_none()
}

/// Sends a signal, such as `INT`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}
