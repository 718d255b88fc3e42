//! The two binaries: each built from a checkout of its own, and kept, since a commit never changes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::git;
use crate::{printer, tools};

/// A binary, and what it was built from.
pub(super) struct Build {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Where everything of a comparison lies.
pub(super) fn folder() -> PathBuf {
    tools::target_folder().join("compare")
}

impl Build {
    /// The release binary of a commit. The dependencies are built once for all commits, the binary
    /// once for each.
    pub(super) fn of_commit(commit: &str) -> Result<Build> {
        let hash = git(&["rev-parse", "--verify", &format!("{commit}^{{commit}}")])?;
        let subject = git(&["log", "-1", "--format=%h %s", &hash])?;
        let binaries = folder().join("binaries");
        let path = binaries.join(&hash);
        if !path.exists() {
            fs::create_dir_all(&binaries)
                .with_context(|| format!("cannot make {}", binaries.display()))?;
            printer::line(&format!("building {subject}"));
            let checkout = Checkout::make(&hash)?;
            let built = build(&checkout.path, &folder().join("build"))?;
            // Under its own name only when it is whole.
            let half = binaries.join(format!("{hash}.half"));
            fs::copy(&built, &half).with_context(|| format!("cannot copy {}", built.display()))?;
            fs::rename(&half, &path).with_context(|| format!("cannot name {}", path.display()))?;
        }
        Ok(Build { name: subject, path })
    }

    /// The release binary of the working tree, with what is not committed.
    pub(super) fn of_working_tree() -> Result<Build> {
        let built = tools::build_reshelve(true)?;
        // A copy: a build that somebody starts meanwhile must not replace what is compared.
        let path = folder().join("working-tree");
        fs::create_dir_all(folder()).context("cannot make the folder of the comparison")?;
        fs::copy(&built, &path).with_context(|| format!("cannot copy {}", built.display()))?;
        let name = format!("the working tree on {}", git(&["log", "-1", "--format=%h %s"])?);
        Ok(Build { name, path })
    }
}

fn build(checkout: &Path, target: &Path) -> Result<PathBuf> {
    let mut command = tools::cargo(&["build", "--release", "--locked", "--quiet"]);
    command.args(["--package", "reshelve-cli", "--bin", "reshelve"]);
    command.current_dir(checkout).env("CARGO_TARGET_DIR", target);
    if !command.status().context("cannot start cargo build")?.success() {
        bail!("the binary does not build in {}", checkout.display());
    }
    Ok(target.join("release/reshelve"))
}

/// A worktree of git, which is gone when it is no longer needed.
struct Checkout {
    path: PathBuf,
}

impl Checkout {
    fn make(hash: &str) -> Result<Checkout> {
        let path = folder().join("checkout");
        let text = path.to_string_lossy().into_owned();
        // What an interrupted comparison left; usually nothing, so that git may well refuse.
        drop(git(&["worktree", "remove", "--force", &text]));
        super::empty(&path)?;
        git(&["worktree", "add", "--force", "--detach", &text, hash])?;
        Ok(Checkout { path })
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        drop(git(&["worktree", "remove", "--force", &self.path.to_string_lossy()]));
    }
}
