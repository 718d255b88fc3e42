//! Programs that the chores call, and how to find out whether they are there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::printer;
use crate::summary::Summary;

/// The root of the workspace: the task runner lies one folder below it.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where build output goes, also where `CARGO_TARGET_DIR` moves it.
pub(crate) fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A program to be run in the root of the workspace.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).args(arguments);
    forget_own_package(&mut command);
    command
}

/// Takes out what cargo tells the task runner about its own package. Build scripts of dependencies
/// watch these variables: another cargo that inherited them would build minutes of crates again.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// The cargo that started the task runner. Its toolchain is the one that the checks are for.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Whether a program runs here and reports success.
pub(crate) fn succeeds(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> bool {
    program(name, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints where it runs here and reports success.
pub(crate) fn output(name: &str, arguments: &[&str]) -> Option<String> {
    let output = program(name, arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line of what a program prints, where it is there.
pub(crate) fn told(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = self::program(program, arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

/// A Python that has the package the oracle needs: `PYTHON`, the one of the machine, or the
/// virtual environment that `.ci/run` makes where the machine's refuses packages.
pub(crate) fn python_of_the_oracle() -> Option<PathBuf> {
    let candidates = [
        std::env::var_os("PYTHON").map(PathBuf::from),
        Some(PathBuf::from("python3")),
        Some(target_folder().join("venv/bin/python3")),
    ];
    candidates.into_iter().flatten().find(|python| succeeds(python, &["-c", "import blake3"]))
}

/// Runs a program whose success is one check, its output passed through.
pub(crate) fn check(name: &str, mut command: Command, summary: &mut Summary) -> Result<bool> {
    printer::heading(name);
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    summary.time(name, start.elapsed());
    summary.check(name, status.success());
    Ok(status.success())
}

/// Builds the command, and names the program.
pub(crate) fn build_reshelve(release: bool) -> Result<PathBuf> {
    let mut command = cargo(&["build", "--locked", "--quiet", "--bin", "reshelve"]);
    // As people build it, or as the tests have built it: with other features of its dependencies
    // all of them are built again.
    match release {
        true => command.args(["--package", "reshelve-cli", "--release"]),
        false => command.arg("--workspace"),
    };
    if !command.status().context("cannot start cargo build")?.success() {
        bail!("the binary does not build");
    }
    let profile = if release { "release" } else { "debug" };
    Ok(target_folder().join(profile).join("reshelve"))
}

/// The command, with nothing of the environment that could stand for a flag.
pub(crate) fn reshelve(built: &Path, arguments: &[&str]) -> Command {
    let mut command = program(built, arguments);
    for name in ["LEGACY_MONGODB_URI", "TARGET_MONGODB_URI", "BATCH_SIZE", "DRY_RUN"] {
        command.env_remove(name);
    }
    command
}

/// Runs a program to its end and gives what it printed, which is shown only where it failed.
pub(crate) fn expect(command: &mut Command, codes: &[i32]) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if output.status.code().is_some_and(|code| codes.contains(&code)) {
        return Ok(output.stdout);
    }
    printer::line(String::from_utf8_lossy(&output.stdout).trim_end());
    printer::line(String::from_utf8_lossy(&output.stderr).trim_end());
    bail!("{command:?} ended with {}", output.status)
}
