//! One whole process, measured: wall time, processor time, peak memory.
//!
//! The operating system tells the peak of "all children so far" only, so that each contender runs
//! under a process of its own: the task runner again, as `xtask meter`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

use crate::{printer, tools};

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) wall_s: f64,
    /// User and system time of all its threads and children.
    pub(super) cpu_s: f64,
    pub(super) peak_bytes: f64,
}

/// Runs a program to its end, which has to be with this exit code. What it prints goes to `log`,
/// which is shown where it fails.
pub(super) fn measure(program: &Command, code: i32, log: &Path) -> Result<Measured> {
    let here = std::env::current_exe().context("the task runner does not know itself")?;
    let mut meter = tools::program(here, &["meter"]);
    meter.arg(log).arg(program.get_program()).args(program.get_args());
    let output = meter.stderr(Stdio::inherit()).output().context("cannot start the meter")?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if answer["code"] != code {
        printer::line(std::fs::read_to_string(log).unwrap_or_default().trim_end());
        bail!("{program:?} ended with {}", answer["code"]);
    }
    let number = |name: &str| answer[name].as_f64().unwrap_or(f64::NAN);
    Ok(Measured {
        wall_s: number("wall_s"),
        cpu_s: number("cpu_s"),
        peak_bytes: number("peak_bytes"),
    })
}

/// `xtask meter LOG PROGRAM ARGUMENT…`: runs the program, prints one line of JSON.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [log, program, arguments @ ..] = arguments else { bail!("meter LOG PROGRAM ARGUMENT…") };
    let log = File::create(log).with_context(|| format!("cannot create {log}"))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(tools::root()).stdin(Stdio::null());
    command.stdout(log.try_clone()?).stderr(log);
    // Nothing of the environment may stand for a flag.
    for name in ["LEGACY_MONGODB_URI", "TARGET_MONGODB_URI", "BATCH_SIZE", "DRY_RUN"] {
        command.env_remove(name);
    }
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    let wall_s = start.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).context("the system tells no usage")?;
    let answer = json!({
        "code": status.code(),
        "wall_s": wall_s,
        "cpu_s": cpu_s(&used),
        // Linux counts in KiB.
        "peak_bytes": used.max_rss() * 1024,
    });
    printer::line(&answer.to_string());
    Ok(())
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far below 2^53 µs")]
fn cpu_s(used: &Usage) -> f64 {
    (used.user_time() + used.system_time()).num_microseconds() as f64 / 1e6
}

/// `xtask inflate FILE`: what reading a gzip file costs where nothing is done with its content.
pub(crate) fn inflate(arguments: &[String]) -> Result<()> {
    let [path] = arguments else { bail!("inflate FILE") };
    let file = File::open(path).with_context(|| format!("cannot open {path}"))?;
    let mut decoder = flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file));
    let mut buffer = vec![0; 256 * 1024];
    while decoder.read(&mut buffer).context("cannot inflate")? > 0 {}
    Ok(())
}
