//! `demo`: the first thing a newcomer runs. Every step is the real command, on a small generated
//! dump.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use reshelve::generate::{Metadata, Plan, Size};
use reshelve::run::{RunFolder, Stop};
use reshelve_core::mapping::InFlight;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::{MappingOptions, RunName};
use crate::places::{SourcePlace, TargetPlace};
use crate::{generate, profile, report, restore, run, verify};

/// The database of the dump and of the target.
const DATABASE: &str = "letswriteabook";
/// Tells a folder of an earlier demo, which may be cleared, from any other.
const MARKER: &str = ".reshelve-demo";
/// What the folder of a demo contains.
const PARTS: [&str; 5] = ["legacy", "target", "restored", "runs", "report"];
/// How much of two files is compared at a time.
const COMPARED_BYTES: u64 = 1 << 20;

/// What `demo` is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where everything goes.
    pub dir: PathBuf,
    /// How many legacy documents.
    pub documents: u64,
}

/// A demo in its folder; its steps are taken in the order of these functions.
#[derive(Debug)]
pub struct Demo {
    request: Request,
    handle: Handle,
}

/// Creates the folder of a demo, and clears what an earlier demo left in it; no other folder is
/// touched.
///
/// # Errors
/// If no demo made the folder, or it cannot be written.
pub fn demo(request: &Request, handle: &Handle) -> Result<Demo, Failure> {
    handle.check_may_write("`demo`")?;
    let demo = Demo { request: request.clone(), handle: handle.clone() };
    demo.clear()?;
    Ok(demo)
}

impl Demo {
    /// The folder of the demo.
    pub fn dir(&self) -> &Path {
        &self.request.dir
    }

    /// The mongodump folder.
    pub fn legacy(&self) -> PathBuf {
        self.dir().join("legacy")
    }

    /// The file in it that holds the legacy collection.
    pub fn legacy_file(&self) -> PathBuf {
        self.legacy().join(DATABASE).join("jobs.bson")
    }

    /// The target folder.
    pub fn target(&self) -> PathBuf {
        self.dir().join("target")
    }

    /// The file that the target is restored into.
    pub fn restored_file(&self) -> PathBuf {
        self.dir().join("restored").join("jobs.bson")
    }

    /// The folder of run folders.
    pub fn runs(&self) -> PathBuf {
        self.dir().join("runs")
    }

    /// The folder of the report.
    pub fn report_folder(&self) -> PathBuf {
        self.dir().join("report")
    }

    fn clear(&self) -> Result<(), Failure> {
        let marker = self.dir().join(MARKER);
        if self.dir().exists() && !marker.exists() {
            let empty = fs::read_dir(self.dir()).is_ok_and(|mut entries| entries.next().is_none());
            if !empty {
                let message =
                    format!("{} already exists, and no demo made it", self.dir().display());
                return Err(Failure::usage(message, hints::DEMO_DIR));
            }
        }
        for part in PARTS {
            let path = self.dir().join(part);
            if path.exists() {
                fs::remove_dir_all(&path).map_err(|error| failed("clearing", &path, &error))?;
            }
        }
        let restored = self.dir().join("restored");
        fs::create_dir_all(&restored).map_err(|error| failed("creating", &restored, &error))?;
        let text = "made by `reshelve demo`, which clears this folder when it runs again\n";
        fs::write(&marker, text).map_err(|error| failed("writing", &marker, &error))
    }

    /// Generates the legacy dump.
    ///
    /// # Errors
    /// As for [`generate`](crate::generate()).
    pub fn generate(&self) -> Result<generate::Outcome, Failure> {
        let plan = Plan {
            size: Size::Mixed,
            metadata: Metadata::Mixed,
            ..Plan::lifecycle(2025, self.request.documents)
        };
        let out = self.legacy();
        let request = generate::Request {
            out,
            form: None,
            overwrite: false,
            plan,
            fault: None,
            runs_folder: self.dir().join("runs"),
        };
        generate::generate(&request, &self.handle)
    }

    /// Profiles it.
    ///
    /// # Errors
    /// As for [`profile`](crate::profile()).
    pub fn profile(&self) -> Result<profile::Outcome, Failure> {
        profile::profile(&profile::Request::new(self.source()), &self.handle)
    }

    /// Runs the migration, dry or applied.
    ///
    /// # Errors
    /// As for [`run`](crate::run()).
    pub fn run(&self, apply: bool) -> Result<run::Outcome, Failure> {
        let in_flight = Some(InFlight::Include);
        let request = run::Request {
            apply,
            mapping: MappingOptions { in_flight, ..MappingOptions::default() },
            ..run::Request::new(self.source(), self.target_place(), self.runs())
        };
        run::run(&request, &self.handle)
    }

    /// Compares source and target.
    ///
    /// # Errors
    /// As for [`verify`](crate::verify()); and if parity does not hold.
    pub fn verify(&self) -> Result<verify::Outcome, Failure> {
        let request = verify::Request::new(self.source(), self.target_place());
        let verified = verify::verify(&request, &self.handle)?;
        match verified.verification.holds() {
            true => Ok(verified),
            false => Err(a_bug("source and target differ")),
        }
    }

    /// Restores the legacy collection from the target of `ran`.
    ///
    /// # Errors
    /// As for [`restore`](crate::restore()); and if the result is not the legacy collection.
    pub fn restore(&self, ran: &run::Outcome) -> Result<restore::Outcome, Failure> {
        let request = restore::Request {
            target: self.target_place(),
            out: self.restored_file(),
            overwrite: false,
            runs_folder: self.runs(),
        };
        let restored = restore::restore(&request, &self.handle)?;
        let read = ran.report.checkpoint.totals.documents.read;
        let identical = restored.summary.identical;
        let is_done = matches!(ran.report.stop, Stop::Done);
        if is_done && identical == read && same_bytes(&self.legacy_file(), &self.restored_file())? {
            return Ok(restored);
        }
        Err(a_bug(&format!("{identical} of {read} documents came back")))
    }

    /// Writes the report of `ran`, with its evidence pack.
    ///
    /// # Errors
    /// As for [`report`](crate::report()).
    pub fn report(&self, ran: &run::Outcome) -> Result<report::Outcome, Failure> {
        let name = run_name(&ran.report.folder);
        let run = RunName { name, runs_folder: self.runs() };
        // The dashboard reads what is in the run folder.
        report::report(&report::Request::new(run.clone()), &self.handle)?;
        let out = Some(self.report_folder());
        let request = report::Request { out, bundle: true, ..report::Request::new(run) };
        report::report(&request, &self.handle)
    }

    fn source(&self) -> SourcePlace {
        SourcePlace::new(self.legacy())
    }

    fn target_place(&self) -> TargetPlace {
        TargetPlace::new(self.target())
    }
}

fn run_name(folder: &RunFolder) -> String {
    folder.path().display().to_string()
}

fn a_bug(what: &str) -> Failure {
    Failure::failed(format!("{what}; this is a bug in reshelve, please report it"))
}

fn same_bytes(one: &Path, other: &Path) -> Result<bool, Failure> {
    let mut one_file = File::open(one).map_err(|error| failed("opening", one, &error))?;
    let mut other_file = File::open(other).map_err(|error| failed("opening", other, &error))?;
    let (mut one_part, mut other_part) = (Vec::new(), Vec::new());
    loop {
        read_part(&mut one_file, &mut one_part).map_err(|error| failed("reading", one, &error))?;
        read_part(&mut other_file, &mut other_part)
            .map_err(|error| failed("reading", other, &error))?;
        if one_part != other_part {
            return Ok(false);
        }
        if one_part.is_empty() {
            return Ok(true);
        }
    }
}

fn read_part(file: &mut File, part: &mut Vec<u8>) -> io::Result<()> {
    part.clear();
    file.take(COMPARED_BYTES).read_to_end(part)?;
    Ok(())
}

fn failed(action: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{action} {}: {error}", path.display()))
}
