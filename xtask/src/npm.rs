//! Packages of npm that tests and benchmarks need: exactly those of a lock file, installed once.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{printer, tools};

/// Exits with 0 where Node is new enough for all of them.
const NODE_IS_NEW_ENOUGH: &str = "const [major, minor] = process.versions.node.split('.');
     process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)";

/// Whether Node is there, and new enough.
pub(crate) fn check_node() -> Result<()> {
    ensure!(tools::succeeds("node", &["--version"]), "Node is not installed");
    let is_new = tools::succeeds("node", &["--eval", NODE_IS_NEW_ENOUGH]);
    ensure!(is_new, "Node is older than 20.19");
    Ok(())
}

/// The folder below `target` with the packages that a folder of the repository locks.
pub(crate) fn install(from: &str, name: &str) -> Result<PathBuf> {
    check_node()?;
    let folder = tools::target_folder().join(name);
    let marker = folder.join("installed.json");
    let read = |file: &str| {
        let path = tools::root().join(from).join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (manifest, lock) = (read("package.json")?, read("package-lock.json")?);
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    ensure!(tools::succeeds("npm", &["--version"]), "npm is not installed");
    printer::line(&format!("installing what {from} locks into {}", folder.display()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (file, content) in [("package.json", &manifest), ("package-lock.json", &lock)] {
        let path = folder.join(file);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let start = Instant::now();
    // Neither scripts of packages nor what is optional is needed.
    let flags = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
    let mut npm = tools::program("npm", &flags);
    npm.arg("--loglevel=error").current_dir(&folder);
    // What npm printed is on the screen already, and the summary has room for a line.
    let installed = tools::expect(&mut npm, &[0]).is_ok();
    ensure!(installed, "npm could not install what {from} locks (no network?)");
    fs::write(&marker, lock).with_context(|| format!("cannot write {}", marker.display()))?;
    printer::line(&format!("installed in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(folder)
}
