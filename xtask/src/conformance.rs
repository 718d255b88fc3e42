//! `cargo xtask conformance`: the binary against an independent implementation of the contract.
//!
//! `tests/oracle` maps seeded corpora in Python. For each corpus and each set of options, the
//! binary runs over the same documents; the target must hold the same bytes (the residue is ours
//! alone), the rejects must be the same, and restoring must give the mapped documents back. The
//! profile of each corpus is counted again too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::summary::Summary;
use crate::{printer, tools};

const SEED_DEFAULT: u64 = 1;
/// Enough that every family of documents occurs, few enough for every run of the tests.
const DOCUMENTS_DEFAULT: u64 = 300;

/// Sets of options as `tests/oracle/corpora.py` names them, and the flags that mean the same.
const OPTION_SETS: [(&str, [&str; 6]); 4] = [
    ("default", options("include", "legacy", "reject")),
    ("evidence", options("include", "evidence", "reject")),
    ("as-failed", options("as-failed", "legacy", "failed")),
    ("skip", options("skip", "legacy", "reject")),
];

const fn options(
    in_flight: &'static str,
    status_policy: &'static str,
    on_unknown_status: &'static str,
) -> [&'static str; 6] {
    [
        "--in-flight",
        in_flight,
        "--status-policy",
        status_policy,
        "--on-unknown-status",
        on_unknown_status,
    ]
}

/// Which corpora.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) documents: u64,
    /// Whether the optimised build is compared; both must do the same.
    pub(crate) release: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { seed: SEED_DEFAULT, documents: DOCUMENTS_DEFAULT, release: false }
    }
}

/// Makes the corpora, runs the binary over each and compares.
pub(crate) fn run(plan: &Plan, summary: &mut Summary) -> Result<()> {
    let Some(python) = tools::python_of_the_oracle() else {
        let why = "no python3 with the package blake3; `PYTHON` may name one";
        summary.leave_out("conformance against the oracle", why);
        return Ok(());
    };
    printer::heading(&format!("conformance, seed {}", plan.seed));
    let start = Instant::now();
    let folder = tools::target_folder().join("conformance");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let bench = Bench { python, reshelve: tools::build_reshelve(plan.release)?, folder };
    let corpora = bench.folder.join("corpora");
    let made = bench
        .oracle("corpora.py")
        .arg(&corpora)
        .args(["--seed", &plan.seed.to_string()])
        .args(["--documents", &plan.documents.to_string()])
        .status()
        .context("cannot start the oracle")?;
    if !made.success() {
        summary.fail("conformance: the oracle stopped");
        return Ok(());
    }
    for corpus in sorted_folders(&corpora)? {
        for (name, flags) in OPTION_SETS {
            let title = format!("conformance {}/{name}", file_name(&corpus));
            let outcome = bench.compare(&corpus, name, flags);
            if let Err(error) = &outcome {
                printer::line(&format!("{title}: {error:#}"));
            }
            summary.check(&title, outcome.is_ok());
        }
        let title = format!("conformance {}/profile", file_name(&corpus));
        let outcome = bench.compare_profile(&corpus);
        if let Err(error) = &outcome {
            printer::line(&format!("{title}: {error:#}"));
        }
        summary.check(&title, outcome.is_ok());
    }
    summary.time("conformance", start.elapsed());
    Ok(())
}

/// What every comparison needs.
struct Bench {
    python: PathBuf,
    reshelve: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn oracle(&self, script: &str) -> Command {
        let mut command = tools::program(&self.python, &[]);
        command.arg(tools::root().join("tests/oracle").join(script));
        // The oracle's folder is source: no cache of Python's belongs there.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn compare(&self, corpus: &Path, option_set: &str, flags: [&str; 6]) -> Result<()> {
        let here = self.folder.join("found").join(file_name(corpus)).join(option_set);
        fs::create_dir_all(&here).with_context(|| format!("cannot make {}", here.display()))?;
        let (source, target, runs) =
            (corpus.join("jobs.bson"), here.join("target"), here.join("runs"));
        let mut run = tools::reshelve(&self.reshelve, &["run"]);
        run.arg(&source).arg(&target).args(["--apply", "--json", "--runs-dir"]).arg(&runs);
        // Rejects are part of every corpus, so that 4 is as good as 0.
        tools::expect(run.args(flags), &[0, 4])?;
        let restored = here.join("restored.bson");
        tools::expect(
            tools::reshelve(&self.reshelve, &["restore"]).arg(&target).arg(&restored),
            &[0],
        )?;
        let [run_folder] = &sorted_folders(&runs)?[..] else {
            bail!("{} does not hold exactly one run", runs.display());
        };
        let mut compare = self.oracle("compare.py");
        compare.arg(corpus.join(option_set)).arg(target.join("letswriteabook"));
        compare.arg("--rejects").arg(run_folder.join("rejects.jsonl"));
        compare.arg("--source").arg(&source).arg("--restored").arg(&restored);
        tools::expect(&mut compare, &[0]).map(drop)
    }

    /// The profile against a count of the same documents, and its forecast against what the oracle
    /// made of them.
    fn compare_profile(&self, corpus: &Path) -> Result<()> {
        let here = self.folder.join("found").join(file_name(corpus));
        let (source, found) = (corpus.join("jobs.bson"), here.join("profile.json"));
        let (name, flags) = OPTION_SETS[0];
        let mut profile = tools::reshelve(&self.reshelve, &["profile"]);
        profile.arg(&source).arg("--json").args(flags);
        let told = tools::expect(&mut profile, &[0])?;
        fs::write(&found, told).with_context(|| format!("cannot write {}", found.display()))?;
        let mut count = self.oracle("profile.py");
        count.arg(&source).arg("--found").arg(&found);
        count.arg("--counts").arg(corpus.join(name).join("counts.json"));
        tools::expect(&mut count, &[0]).map(drop)
    }
}

fn sorted_folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot read {}", parent.display());
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let hidden = file_name(&path).starts_with('.');
        if path.is_dir() && !hidden {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
