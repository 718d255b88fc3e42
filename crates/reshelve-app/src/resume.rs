//! `resume`: an earlier run continues.

use std::path::PathBuf;

use reshelve::ends::{Destination, PlannedTarget};
use reshelve::run::{self, Ends, ResumeRequest, Throttle};
use reshelve_core::mapping::InFlight;

use crate::failure::Failure;
use crate::handle::{Handle, Relay};
use crate::options::{BatchOptions, ReadPreference, RunName};
use crate::overlap;
use crate::places::{self, SourceAgain, TargetEnds};
use crate::plan;
use crate::run::Outcome;
use crate::states::{self, Command};

/// What `resume` is asked.
pub struct Request {
    /// The run.
    pub run: RunName,
    /// Where the source is now, if it has moved; its connection string, if that has credentials.
    pub source: Option<PathBuf>,
    /// Whether standard input, or a pipe, may hold nothing at all.
    pub allow_empty: bool,
    /// The target's connection string, if that has credentials.
    pub target: Option<PathBuf>,
    /// What becomes of jobs in flight, where nobody had decided.
    pub in_flight: Option<InFlight>,
    /// Which member of a replica set is read from.
    pub read_preference: Option<ReadPreference>,
    /// How the work is divided.
    pub batch: BatchOptions,
    /// What changes of the run's throttle; 0 takes a limit away.
    pub throttle: Throttle,
}

impl Request {
    /// Resumes a run with the ends it had.
    pub fn new(run: RunName) -> Self {
        let batch = BatchOptions::default();
        Request {
            run,
            source: None,
            allow_empty: false,
            target: None,
            in_flight: None,
            read_preference: None,
            batch,
            throttle: Throttle::default(),
        }
    }
}

/// Resumes a run, and returns when it has ended or was stopped. One that is paused, and whose process
/// still waits, is refused: [`control::go_on`](crate::control::go_on) has it go on there.
///
/// # Errors
/// As for [`run`](crate::run()); refused too if the source is not the one that the run has read.
pub fn resume(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let folder = request.run.find()?;
    states::check(Command::Resume, &folder)?;
    let settings = folder.plan()?;
    plan::refuse_resume(&settings)?;
    if settings.apply {
        handle.check_may_write("this run")?;
    }
    let source = request.source.as_deref();
    if let (None, PlannedTarget::Folder(target)) = (&settings.source.live, &settings.target) {
        overlap::refuse_folder(source.unwrap_or(&settings.source.path), &target.root, &target.db)?;
    }
    let again = SourceAgain {
        given: source,
        read_preference: request.read_preference,
        allow_empty: request.allow_empty,
    };
    let origin = places::origin_again(&settings.source, &again, handle)?;
    let target = request.target.as_deref();
    let TargetEnds { mut destination, reader } =
        places::target_ends_again(&settings.target, target, handle)?;
    let mut of_plan;
    let destination: &mut dyn Destination = match &settings.from_plan {
        Some(from_plan) => {
            of_plan = plan::again(from_plan, destination.as_mut());
            &mut of_plan
        }
        None => destination.as_mut(),
    };
    let ends = Ends { origin: origin.as_ref(), destination };
    let asked = ResumeRequest {
        folder,
        in_flight: request.in_flight,
        batch: request.batch.limits(settings.target.folder().is_none()),
        jobs: request.batch.threads(),
        checkpoint_bytes: request.batch.checkpoint_bytes,
        throttle: request.throttle,
    };
    handle.watcher().ready();
    let mut relay = Relay::new(handle);
    let ended = run::resume(&asked, ends, handle.stop(), &mut relay);
    plan::compared(Outcome::of(ended, &relay)?, reader.as_ref())
}
