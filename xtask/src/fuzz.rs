//! `cargo xtask fuzz`: each fuzz target for a short while, from the samples and cases as seeds.
//!
//! A short run finds what is shallow and keeps the targets from rotting. A long one is
//! `cargo xtask fuzz --seconds 3600 TARGET`; the corpus it grows is kept in `fuzz/corpus`.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::summary::Summary;
use crate::{printer, seeds, tools};

/// Seconds for each target in a run of all tests.
const SECONDS_DEFAULT: u64 = 10;

/// Which targets, and how long.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seconds: u64,
    /// Empty for all of them.
    pub(crate) targets: Vec<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { seconds: SECONDS_DEFAULT, targets: Vec::new() }
    }
}

/// Builds the targets and runs each.
pub(crate) fn run(plan: &Plan, summary: &mut Summary) -> Result<()> {
    if let Some(why) = missing() {
        summary.leave_out("fuzz run", why);
        return Ok(());
    }
    printer::heading("fuzz");
    let start = Instant::now();
    let built = nightly_cargo(&["fuzz", "build"]).status().context("cannot start cargo fuzz")?;
    summary.time("fuzz build", start.elapsed());
    if !built.success() {
        summary.fail("fuzz build");
        return Ok(());
    }
    let targets = if plan.targets.is_empty() { all_targets()? } else { plan.targets.clone() };
    for target in targets {
        let start = Instant::now();
        let corpus = tools::root().join("fuzz/corpus").join(&target);
        std::fs::create_dir_all(&corpus)
            .with_context(|| format!("cannot make {}", corpus.display()))?;
        let seeds = seeds::write(&target)?;
        printer::line(&format!("-- {target}, {} s", plan.seconds));
        let status = nightly_cargo(&["fuzz", "run", &target])
            .arg(&corpus)
            .arg(&seeds)
            .args(["--", "-verbosity=0", "-print_final_stats=1", "-timeout=20"])
            .arg(format!("-max_total_time={}", plan.seconds))
            .status()
            .context("cannot start cargo fuzz")?;
        summary.time(&format!("fuzz {target}"), start.elapsed());
        summary.check(&format!("fuzz {target}"), status.success());
    }
    Ok(())
}

fn missing() -> Option<&'static str> {
    if !tools::succeeds("rustup", &["run", "nightly", "rustc", "--version"]) {
        return Some("nightly Rust is not installed");
    }
    if !tools::succeeds("cargo", &["fuzz", "--version"]) {
        return Some("cargo-fuzz is not installed");
    }
    None
}

/// A cargo of the nightly toolchain. The task runner itself is run by another one, whose choice
/// must not be handed on.
fn nightly_cargo(arguments: &[&str]) -> std::process::Command {
    let mut command = tools::program("rustup", &["run", "nightly", "cargo"]);
    command.args(arguments);
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command
}

/// Every file of `fuzz/fuzz_targets` is a target: adding one needs no change here.
fn all_targets() -> Result<Vec<String>> {
    let folder = tools::root().join("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(&folder).context("cannot read fuzz/fuzz_targets")? {
        let path = entry.context("cannot read fuzz/fuzz_targets")?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            targets.push(name.to_owned());
        }
    }
    targets.sort();
    Ok(targets)
}
