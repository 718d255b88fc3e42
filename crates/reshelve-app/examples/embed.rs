//! A program that embeds `reshelve`: it generates a legacy dump, runs it into a folder, watches the
//! progress, cancels the run from another thread, resumes it, and verifies the target. It needs no
//! terminal and no command line.
//!
//! ```sh
//! cargo run --package reshelve-app --example embed -- SOME-EMPTY-FOLDER
//! ```

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use reshelve::run::{Plan, Progress, RunFolder};
use reshelve_app::places::{SourcePlace, TargetPlace};
use reshelve_app::{
    BatchOptions, ExitCode, Failure, Handle, MappingOptions, RunName, Watcher, generate, resume,
    run, verify,
};
use reshelve_core::mapping::InFlight;

/// How many documents are generated.
const DOCUMENTS: u64 = 3_000;

/// What the program learned; another one would show it to its users.
#[derive(Debug)]
pub(crate) struct Told {
    /// How the run ended that was cancelled.
    pub cancelled: ExitCode,
    /// Documents that the last checkpoint before that has read.
    pub read_before: u64,
    /// How the resumed run ended.
    pub resumed: ExitCode,
    /// Documents that all processes of the run have read.
    pub read: u64,
    /// What `verify` found: jobs that come back byte for byte.
    pub identical: u64,
    /// How `verify` ended.
    pub verified: ExitCode,
}

/// Passes the run's folder and its progress to another thread.
struct Dashboard {
    folder: Mutex<Option<PathBuf>>,
    /// Each progress, until nobody listens any more.
    read: SyncSender<u64>,
    /// Answers the first one.
    answered: Mutex<Receiver<()>>,
}

impl Watcher for Dashboard {
    fn begun(&self, _plan: &Plan, folder: &RunFolder, _bytes_total: Option<u64>) {
        if let Ok(mut kept) = self.folder.lock() {
            *kept = Some(folder.path().to_owned());
        }
    }

    fn progress(&self, progress: &Progress) {
        if self.read.send(progress.totals.documents.read).is_ok()
            && let Ok(answered) = self.answered.lock()
        {
            // Waits for the other thread to decide. One that is gone has decided before.
            let _gone = answered.recv();
        }
    }
}

/// Generates, runs, cancels, resumes, verifies, all in `folder`.
///
/// # Errors
/// Where one of the commands fails.
pub(crate) fn move_novels(folder: &Path) -> Result<Told, Failure> {
    let (dump, target, runs) = (folder.join("dump"), folder.join("target"), folder.join("runs"));
    let plan =
        generate::Plan { size: generate::Size::Small, ..generate::Plan::lifecycle(7, DOCUMENTS) };
    let request = generate::Request {
        out: dump.clone(),
        form: None,
        overwrite: false,
        plan,
        fault: None,
        runs_folder: runs.clone(),
    };
    generate::generate(&request, &Handle::silent())?;

    let (read, reads) = sync_channel(0);
    let (answer, answered) = sync_channel(0);
    let dashboard =
        Arc::new(Dashboard { folder: Mutex::default(), read, answered: Mutex::new(answered) });
    let handle = Handle::new(dashboard.clone());
    let remote = handle.clone();
    let canceller = thread::spawn(move || {
        let read = reads.recv().unwrap_or_default();
        remote.cancel();
        let _gone = answer.send(());
        read
    });

    // Small batches and checkpoints: the run can stop soon, and tells often how far it is.
    let batch = BatchOptions {
        docs_max: 5,
        threads: Some(1),
        checkpoint_bytes: 1,
        ..BatchOptions::default()
    };
    let mapping = MappingOptions { in_flight: Some(InFlight::Include), ..Default::default() };
    let (source, place) = (SourcePlace::new(&dump), TargetPlace::new(&target));
    let request = run::Request {
        apply: true,
        mapping,
        batch,
        ..run::Request::new(source.clone(), place.clone(), &runs)
    };
    let ran = run::run(&request, &handle)?;
    let read_before = canceller.join().unwrap_or_default();

    let name = match dashboard.folder.lock() {
        Ok(folder) => folder.clone().unwrap_or_default().display().to_string(),
        Err(_) => return Err(Failure::failed("the thread of the run has panicked")),
    };
    let run = RunName { name, runs_folder: runs };
    let resumed = resume::resume(&resume::Request::new(run), &Handle::silent())?;
    let verified = verify::verify(&verify::Request::new(source, place), &Handle::silent())?;
    Ok(Told {
        cancelled: ran.exit_code(),
        read_before,
        resumed: resumed.exit_code(),
        read: resumed.report.checkpoint.totals.documents.read,
        identical: verified.verification.restored.identical,
        verified: verified.exit_code(),
    })
}

fn main() -> Result<(), Failure> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("embedded"), PathBuf::from);
    let told = move_novels(&folder)?;
    match told.verified {
        ExitCode::Done => {
            let Told { cancelled, read_before, resumed, read, identical, .. } = told;
            let lines = [
                format!("cancelled after {read_before} documents ({cancelled:?})"),
                format!("resumed to {read} documents ({resumed:?})"),
                format!("{identical} jobs come back byte for byte"),
            ];
            let mut out = std::io::stdout();
            std::io::Write::write_all(&mut out, lines.join("\n").as_bytes())
                .map_err(|error| Failure::failed(error.to_string()))
        }
        _ => Err(Failure::failed(format!("parity does not hold: {told:?}"))),
    }
}
