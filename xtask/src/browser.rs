//! `cargo xtask browser`: the pages in a real browser.
//!
//! `tests/browser` drives Chromium over what the binary serves: every page in light and dark, wide
//! and on a phone, judged by `axe-core` and kept as a picture; then what a person does with them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::summary::Summary;
use crate::{npm, printer, tools};

/// What is left out where a part is missing.
pub(crate) const WHAT: &str = "the pages in a browser";

/// Names the program, where it is none of the usual ones.
const CHROMIUM_VARIABLE: &str = "RESHELVE_TEST_CHROMIUM";
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Drives all of it, or the checks whose name has this text.
pub(crate) fn check(only: Option<&str>, summary: &mut Summary) -> Result<()> {
    printer::heading("pages in a browser");
    let (modules, chromium) = match needed() {
        Ok(needed) => needed,
        Err(error) => {
            printer::line(&format!("left out: {error:#}"));
            summary.leave_out(WHAT, &format!("{error:#}"));
            return Ok(());
        }
    };
    let reshelve = tools::build_reshelve(false)?;
    let start = Instant::now();
    let out = tools::target_folder().join("browser-tests");
    let mut node = tools::program("node", &[]);
    node.arg(tools::root().join("tests/browser/main.mjs"));
    node.arg("--modules").arg(modules).arg("--chromium").arg(chromium);
    node.arg("--reshelve").arg(reshelve).arg("--out").arg(&out);
    if let Some(only) = only {
        node.args(["--only", only]);
    }
    let mut child = node.stdout(Stdio::piped()).spawn().context("cannot start node")?;
    let output = child.stdout.take().context("node has no output")?;
    let mut counted = None;
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what the tests print")?;
        printer::line(&line);
        counted = counts(&line).or(counted);
    }
    let status = child.wait().context("the tests did not end")?;
    match counted {
        Some((passed, failed)) => summary.count(WHAT, passed, failed),
        None => summary.fail(&format!("{WHAT}: they ended with {status}")),
    }
    printer::line(&format!("pictures: {}", out.display()));
    summary.time("browser", start.elapsed());
    Ok(())
}

fn needed() -> Result<(PathBuf, PathBuf)> {
    let named = std::env::var_os(CHROMIUM_VARIABLE).filter(|name| !name.is_empty());
    let usual = CHROMIUMS.iter().copied().map(Into::into);
    let candidates: Vec<std::ffi::OsString> = named.map_or(usual.collect(), |named| vec![named]);
    let found = candidates.iter().find(|name| tools::succeeds(name, &["--version"]));
    let found = found.with_context(|| {
        format!("Chromium is not installed (apt-get install chromium, or {CHROMIUM_VARIABLE})")
    })?;
    let path = which(found).with_context(|| format!("{} is in no folder", found.display()))?;
    Ok((npm::install("tests/browser", "browser")?, path))
}

/// Where a program is.
fn which(name: &std::ffi::OsStr) -> Option<PathBuf> {
    let named = PathBuf::from(name);
    if named.is_absolute() {
        return Some(named);
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Reads `12 passed, 3 failed`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        assert_eq!(counts("12 passed, 3 failed"), Some((12, 3)));
        assert_eq!(counts("ok      12 passed, it says"), None);
    }
}
