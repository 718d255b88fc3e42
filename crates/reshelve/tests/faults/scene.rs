//! What is run, and on what: everything in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve::ends::{BatchLimits, Compression, OnExisting, TargetFolder};
use reshelve::folder::FolderDestination;
use reshelve::run::{
    Ends, Report, ResumeRequest, RunError, RunFolder, RunRequest, Throttle, resume, start,
};
use reshelve::store::{Files, Keep, Memory};
use reshelve_core::mapping::{InFlight, OnUnknownStatus, StatusPolicy};

use super::in_memory::{InMemory, RUNS, Silent, TARGET, corpus};

/// What is run, and on what.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) documents: Vec<Vec<u8>>,
    pub(crate) compression: Compression,
    pub(crate) on_existing: OnExisting,
    pub(crate) status_policy: StatusPolicy,
    /// What the target holds before the run.
    pub(crate) before: Memory,
}

pub(crate) const BATCH: BatchLimits = BatchLimits { docs_max: 4, bytes_max: 1 << 20 };

impl Scene {
    /// What kind of target it is, for people.
    pub(crate) fn ends_words(&self) -> &'static str {
        match self.compression {
            Compression::None => "folder, in memory",
            _ => "gzip folder, in memory",
        }
    }

    pub(crate) fn target(&self) -> TargetFolder {
        TargetFolder {
            root: PathBuf::from(TARGET),
            db: "novels".to_owned(),
            compression: self.compression,
        }
    }

    pub(crate) fn start(&self, memory: &Memory) -> Result<Report, RunError> {
        let request = RunRequest {
            apply: true,
            on_unknown_status: OnUnknownStatus::Reject,
            status_policy: self.status_policy,
            in_flight: Some(InFlight::Include),
            on_existing: self.on_existing,
            only_rejects: None,
            take_over: false,
            batch: BATCH,
            jobs: 1,
            checkpoint_bytes: 1,
            throttle: Throttle::default(),
            limit: None,
            fail_fast: false,
            skip_disk_check: false,
            ignore_oplog: false,
            from_plan: None,
            saves_plan: None,
            runs_folder: PathBuf::from(RUNS),
            files: Arc::new(memory.clone()),
        };
        let (origin, mut destination) = self.ends(memory);
        let ends = Ends { origin: &origin, destination: &mut destination };
        start(&request, ends, &AtomicBool::new(false), &mut Silent)
    }

    pub(crate) fn resume(&self, memory: &Memory, folder: RunFolder) -> Result<Report, RunError> {
        let request = ResumeRequest {
            folder,
            in_flight: None,
            batch: BATCH,
            jobs: 1,
            checkpoint_bytes: 1,
            throttle: Throttle::default(),
        };
        let (origin, mut destination) = self.ends(memory);
        let ends = Ends { origin: &origin, destination: &mut destination };
        resume(&request, ends, &AtomicBool::new(false), &mut Silent)
    }

    pub(crate) fn ends(&self, memory: &Memory) -> (InMemory, FolderDestination) {
        let destination = FolderDestination::on(Arc::new(memory.clone()), self.target());
        (InMemory(self.documents.clone()), destination)
    }

    /// The state before the run.
    pub(crate) fn memory(&self) -> Memory {
        let memory = self.before.crash(Keep::Everything);
        memory.settle();
        memory
    }

    /// Finishes a run that met a fault, as a person would: resume it if it exists, else start it.
    pub(crate) fn end(&self, memory: &Memory) -> Result<Report, RunError> {
        match run_folder(memory) {
            Some(folder) => self.resume(memory, folder),
            None => self.start(memory),
        }
    }
}

pub(crate) fn run_folder(memory: &Memory) -> Option<RunFolder> {
    let runs = Path::new(RUNS);
    if !memory.exists(runs).unwrap() {
        return None;
    }
    let names = memory.list(runs).unwrap();
    let visible: Vec<_> =
        names.into_iter().filter(|name| !name.to_string_lossy().starts_with('.')).collect();
    assert!(visible.len() <= 1, "{visible:?}");
    let name = visible.into_iter().next()?;
    Some(RunFolder::on(Arc::new(memory.clone()), runs.join(name)))
}

pub(crate) fn scenes() -> Vec<Scene> {
    let empty = Scene {
        name: "plain",
        documents: corpus(7, 18),
        compression: Compression::None,
        on_existing: OnExisting::Refuse,
        status_policy: StatusPolicy::Legacy,
        before: Memory::new(),
    };
    let after = |scene: &Scene, documents: Vec<Vec<u8>>| {
        let first = Scene { documents, status_policy: StatusPolicy::Evidence, ..scene.clone() };
        let memory = first.memory();
        first.start(&memory).unwrap();
        let done = run_folder(&memory).unwrap();
        memory.remove_folder(done.path()).unwrap();
        memory
    };
    let half = after(&empty, empty.documents[..9].to_vec());
    let gzip = Scene { name: "gzip", compression: Compression::Gzip, ..empty.clone() };
    let zipped = after(&gzip, empty.documents[..9].to_vec());
    vec![
        Scene {
            name: "existing",
            on_existing: OnExisting::Keep,
            before: half.clone(),
            ..empty.clone()
        },
        Scene { name: "replace", on_existing: OnExisting::Replace, before: half, ..empty.clone() },
        Scene {
            name: "replace gzip",
            on_existing: OnExisting::Replace,
            before: zipped,
            ..gzip.clone()
        },
        gzip,
        empty,
    ]
}
