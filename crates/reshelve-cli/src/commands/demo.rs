//! `reshelve demo`: the first thing a newcomer runs. Everything that it shows is the real thing,
//! on a small dump that it makes itself.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use reshelve::dump;
use reshelve::ends::OnExisting;
use reshelve::ends::{BatchLimits, SourceSpec};
use reshelve::folder::FolderDestination;
use reshelve::folder::{Compression, TargetFolder};
use reshelve::generate::{self, Metadata, Output, Plan, Size};
use reshelve::parity::{self, Reading, VerifyRequest};
use reshelve::profile::{self, ProfileRequest};
use reshelve::report::{self, ReportRequest, Sides};
use reshelve::restore::{self, RestoreSummary};
use reshelve::run::{self, Ends, Report, RunRequest, Stop};
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};

use super::outcome;
use super::report::Written;
use crate::cli::DemoArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, size};
use crate::progress::ProgressView;
use crate::report::render;

/// The database of the dump and of the target.
const DATABASE: &str = "letswriteabook";
/// Tells a folder of an earlier demo, which may be cleared, from any other.
const MARKER: &str = ".reshelve-demo";

pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let demo = Demo { dir: &args.dir, printer: Printer::new(false) };
    demo.clear()?;
    demo.title(
        "1. A legacy dump",
        "what mongodump makes of the old deployment's collection `jobs`",
    );
    demo.generate(args.documents)?;
    demo.title("2. What is in it", "the profile: every document is read, nothing is changed");
    demo.profile()?;
    demo.title("3. A dry run", "reads, maps, proves every document; writes nothing but its report");
    demo.run(false)?;
    demo.title("4. The run", "the same with --apply: four collections, ready for mongorestore");
    let ran = demo.run(true)?;
    demo.title(
        "5. Parity",
        "source against target, document by document, without trusting the run",
    );
    demo.verify()?;
    demo.title("6. The way back", "restores the legacy collection out of the target, and compares");
    let summary = demo.restore()?;
    let same = same_bytes(&demo.legacy_file(), &demo.restored_file())?;
    demo.expect_all(&ran, &summary, same)?;
    demo.title("7. The report", "what a reviewer signs, and the evidence for the change record");
    let written = demo.report(&ran)?;
    demo.end(&ran, &written);
    Ok(ExitCode::Done)
}

struct Demo<'d> {
    dir: &'d Path,
    printer: Printer,
}

impl Demo<'_> {
    fn title(&self, title: &str, what: &str) {
        self.printer.line(&format!("\n== {title}: {what}\n"));
    }

    fn legacy(&self) -> PathBuf {
        self.dir.join("legacy")
    }

    fn legacy_file(&self) -> PathBuf {
        self.legacy().join(DATABASE).join("jobs.bson")
    }

    fn target(&self) -> TargetFolder {
        let root = self.dir.join("target");
        TargetFolder { root, db: DATABASE.to_owned(), compression: Compression::None }
    }

    fn restored_file(&self) -> PathBuf {
        self.dir.join("restored").join("jobs.bson")
    }

    /// Makes the folder, and clears what an earlier demo left in it; no other folder is touched.
    fn clear(&self) -> Result<(), Failure> {
        let marker = self.dir.join(MARKER);
        if self.dir.exists() && !marker.exists() {
            let empty = fs::read_dir(self.dir).is_ok_and(|mut entries| entries.next().is_none());
            if !empty {
                return Err(Failure::usage(
                    format!("{} is there already, and no demo made it", self.dir.display()),
                    Some("--dir names another folder"),
                ));
            }
        }
        for part in ["legacy", "target", "restored", "runs", "report"] {
            let path = self.dir.join(part);
            if path.exists() {
                fs::remove_dir_all(&path).map_err(|error| failed("clearing", &path, &error))?;
            }
        }
        let restored = self.dir.join("restored");
        fs::create_dir_all(&restored).map_err(|error| failed("creating", &restored, &error))?;
        fs::write(&marker, "made by `reshelve demo`, which clears this folder when it runs again\n")
            .map_err(|error| failed("writing", &marker, &error))
    }

    fn generate(&self, documents: u64) -> Result<(), Failure> {
        let plan = Plan {
            size: Size::Mixed,
            metadata: Metadata::Mixed,
            ..Plan::lifecycle(2025, documents)
        };
        let written = generate::write(&plan, &Output::new(self.legacy()), &mut |_| {})
            .map_err(|error| Failure::failed(error.to_string()))?;
        self.printer.line(&format!(
            "  {} documents of all five eras, {}: finished novels, novels in flight, failed ones,\n  \
             story bibles, alerts, and the lies that stored documents tell.\n\n  {}",
            number(written.documents),
            size(written.bson_bytes),
            self.legacy_file().display()
        ));
        Ok(())
    }

    fn run(&self, apply: bool) -> Result<Report, Failure> {
        let options = if apply { " --apply --in-flight include" } else { "" };
        self.printer.line(&format!(
            "  $ reshelve run {} {}{options} --runs-dir {}",
            self.legacy().display(),
            self.target().root.display(),
            self.dir.join("runs").display()
        ));
        let request = RunRequest {
            apply,
            on_unknown_status: OnUnknownStatus::Reject,
            status_policy: StatusPolicy::Legacy,
            in_flight: Some(InFlight::Include),
            on_existing: OnExisting::Refuse,
            only_rejects: None,
            take_over: false,
            batch: BatchLimits::default(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            checkpoint_bytes: run::CHECKPOINT_BYTES_DEFAULT,
            limit: None,
            fail_fast: false,
            skip_disk_check: false,
            runs_folder: self.dir.join("runs"),
            files: std::sync::Arc::new(reshelve::store::Disk),
        };
        let origin = SourceSpec { path: self.legacy(), db: None, collection: None };
        let mut destination = FolderDestination::new(self.target());
        let ends = Ends { origin: &origin, destination: &mut destination };
        let report =
            run::start(&request, ends, &AtomicBool::new(false), &mut ProgressView::new(true))?;
        outcome::write_report(&report)?;
        self.printer.line(&outcome::page(&report));
        Ok(report)
    }

    fn restore(&self) -> Result<RestoreSummary, Failure> {
        let out = self.restored_file();
        self.printer.line(&format!(
            "  $ reshelve restore {} {}\n  $ cmp {} {}",
            self.target().root.display(),
            out.display(),
            self.legacy_file().display(),
            out.display()
        ));
        restore::restore(&self.target(), &out).map_err(|error| Failure::failed(error.to_string()))
    }

    fn profile(&self) -> Result<(), Failure> {
        self.printer.line(&format!("  $ reshelve profile {}\n", self.legacy().display()));
        let spec = SourceSpec { path: self.legacy(), db: None, collection: None };
        let request = ProfileRequest {
            options: Options::default(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            scratch: std::env::temp_dir(),
        };
        let mut source = dump::open(&spec)?.source;
        let profile = profile::profile(source.as_mut(), &request, &mut |_, _| {})
            .map_err(|error| Failure::failed(error.to_string()))?;
        for line in super::profile::summary(&profile) {
            self.printer.line(&format!("  {line}"));
        }
        Ok(())
    }

    fn verify(&self) -> Result<(), Failure> {
        let (source, target) = (self.legacy(), self.target());
        self.printer.line(&format!(
            "  $ reshelve verify {} {}\n",
            source.display(),
            target.root.display()
        ));
        let spec = SourceSpec { path: source, db: None, collection: None };
        let request = VerifyRequest::new(Reading::new(Options::default()));
        let verification = parity::verify(&request, &spec, &target, &mut |_| {})
            .map_err(|error| Failure::failed(error.to_string()))?;
        self.printer.line(&super::verify::page(&verification));
        match verification.holds() {
            true => Ok(()),
            false => Err(a_bug("source and target differ")),
        }
    }

    fn expect_all(
        &self,
        ran: &Report,
        summary: &RestoreSummary,
        same: bool,
    ) -> Result<(), Failure> {
        let read = ran.checkpoint.totals.documents.read;
        match matches!(ran.stop, Stop::Done) && summary.identical == read && same {
            true => Ok(()),
            false => Err(a_bug(&format!("{} of {read} documents came back", summary.identical))),
        }
    }

    fn report(&self, ran: &Report) -> Result<Written, Failure> {
        let out = self.dir.join("report");
        self.printer.line(&format!(
            "  $ reshelve report {} --bundle --out {}\n",
            ran.folder.path().display(),
            out.display()
        ));
        let request =
            ReportRequest { folder: ran.folder.clone(), no_source: None, no_target: None };
        let origin = SourceSpec { path: self.legacy(), db: None, collection: None };
        let target = self.target();
        let sides = Sides { origin: Some(&origin), target: Some(&target) };
        let report = report::gather(&request, &sides)?;
        let written =
            super::report::write(&report, &render(&report), &out, Some(ran.folder.path()))?;
        self.printer.line(&super::report::page(&report, &written));
        Ok(written)
    }

    fn end(&self, ran: &Report, written: &Written) {
        let totals = &ran.checkpoint.totals;
        let residue_per_mille = totals.residue_bytes * 1000 / totals.bytes_read.max(1);
        let dir = self.dir.display();
        self.printer.line(&format!(
            "\n== Proved\n\n  \
             {n} of {n} documents came back byte for byte: the restored file is the legacy file.\n  \
             What has no place in the new shape travels with it, as {}.{} % of the legacy bytes.\n\n  \
             the dump        {dir}/legacy\n  \
             the target      {dir}/target     (mongorestore {dir}/target takes it as it is)\n  \
             the way back    {dir}/restored\n  \
             the run         {dir}/runs       (checkpoint, rejects, report.json)\n\n\
             Next: reshelve profile YOUR-DUMP, then reshelve run YOUR-DUMP TARGET, which is a dry run.\n\n\
             The report, to be opened in a browser: {}",
            residue_per_mille / 10,
            residue_per_mille % 10,
            written.html.display(),
            n = number(totals.documents.read),
        ));
    }
}

fn a_bug(what: &str) -> Failure {
    Failure::failed(format!("{what}; this is a bug of reshelve, please report it"))
}

fn same_bytes(one: &Path, other: &Path) -> Result<bool, Failure> {
    let mut one_file = File::open(one).map_err(|error| failed("opening", one, &error))?;
    let mut other_file = File::open(other).map_err(|error| failed("opening", other, &error))?;
    let (mut one_part, mut other_part) = (Vec::new(), Vec::new());
    loop {
        one_part.clear();
        other_part.clear();
        let part = 1 << 20;
        (&mut one_file)
            .take(part)
            .read_to_end(&mut one_part)
            .map_err(|error| failed("reading", one, &error))?;
        (&mut other_file)
            .take(part)
            .read_to_end(&mut other_part)
            .map_err(|error| failed("reading", other, &error))?;
        if one_part != other_part {
            return Ok(false);
        }
        if one_part.is_empty() {
            return Ok(true);
        }
    }
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{action} {}: {error}", path.display()))
}
