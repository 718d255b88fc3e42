//! `cargo xtask compare OLD [NEW]`: two builds of the command over the same corpora, byte for byte.
//!
//! For a change that must not show: every corpus is taken through both binaries, and the targets,
//! the restored files, the rejects, the checksums and the exit codes must be the same. Run folders
//! are not compared, except for their rejects: they are for the version that made them.

mod builds;
mod scenarios;
mod sides;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{printer, tools};
use builds::Build;
use scenarios::{Scenario, Source};
use sides::Side;

/// Enough that every family of documents occurs in every preset.
const DOCUMENTS_DEFAULT: u64 = 400;

/// Which builds, over what.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The commit whose behaviour is the measure.
    pub(crate) old: String,
    /// The commit that must do the same; the working tree where none is named.
    pub(crate) new: Option<String>,
    /// Documents of each generated corpus.
    pub(crate) documents: u64,
    /// Take only corpora with this in their name.
    pub(crate) only: Option<String>,
    /// More sources to compare over: dumps or exports of one's own.
    pub(crate) also: Vec<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        let (old, documents) = (String::new(), DOCUMENTS_DEFAULT);
        Plan { old, new: None, documents, only: None, also: Vec::new() }
    }
}

/// Builds both, compares them, prints a line for each corpus, and says whether all are equal.
pub(crate) fn run(plan: &Plan) -> Result<bool> {
    let old = Build::of_commit(&plan.old)?;
    let new = match &plan.new {
        Some(commit) => Build::of_commit(commit)?,
        None => Build::of_working_tree()?,
    };
    printer::line(&format!("old: {}", old.name));
    printer::line(&format!("new: {}", new.name));
    let place = Place::make(old, new)?;
    let (mut equal, mut different) = (0_u64, 0_u64);
    for scenario in scenarios::all(plan)? {
        if plan.only.as_ref().is_some_and(|only| !scenario.name.contains(only.as_str())) {
            continue;
        }
        match place.compare(&scenario, plan.documents)? {
            Outcome::Equal(codes) => {
                equal += 1;
                printer::line(&format!("equal      {} [{codes}]", scenario.name));
            }
            Outcome::Different(what) => {
                different += 1;
                printer::line(&format!("DIFFERENT  {}: {what}", scenario.name));
            }
            Outcome::Unknown => {
                printer::line(&format!("left out   {}: no build generates it", scenario.name));
            }
        }
    }
    if equal + different == 0 {
        bail!("no corpus was compared");
    }
    printer::line(&format!("{equal} equal, {different} different"));
    Ok(different == 0)
}

/// What the comparison of one corpus gave.
enum Outcome {
    /// With these exit codes on both sides.
    Equal(String),
    Different(String),
    /// Neither build knows the preset.
    Unknown,
}

/// The folders of a comparison, and the two builds.
struct Place {
    old: Build,
    new: Build,
    /// Sources; emptied at every start.
    corpora: PathBuf,
    /// What the two builds make of the corpus in hand.
    work: PathBuf,
    /// What they made where it was not the same, for a closer look.
    kept: PathBuf,
}

impl Place {
    fn make(old: Build, new: Build) -> Result<Place> {
        let folder = builds::folder();
        let [corpora, work, kept] = ["corpora", "work", "different"].map(|name| folder.join(name));
        for path in [&corpora, &work, &kept] {
            empty(path)?;
        }
        Ok(Place { old, new, corpora, work, kept })
    }

    fn compare(&self, scenario: &Scenario, documents: u64) -> Result<Outcome> {
        let source = match &scenario.source {
            Source::Generated(form) => {
                let path = self.corpora.join(form.file_name());
                if !path.exists() && !self.generate(form, documents, &path)? {
                    return Ok(Outcome::Unknown);
                }
                path
            }
            Source::AllCases => {
                let path = self.corpora.join("cases.json");
                if !path.exists() {
                    scenarios::write_all_cases(&path)?;
                }
                path
            }
            Source::Path(path) => path.clone(),
        };
        empty(&self.work)?;
        // Both work in a folder of the same length, should a path ever find its way into a file.
        let old = Side::run(&self.old.path, &self.work.join("old"), scenario, &source, documents)?;
        let new = Side::run(&self.new.path, &self.work.join("new"), scenario, &source, documents)?;
        let Some(difference) = old.first_difference(&new)? else {
            // Of a file among the samples it may be right to say that it is no source.
            let made_for_this = !matches!(scenario.source, Source::Path(_));
            if made_for_this && let Some(step) = old.misunderstood() {
                bail!("{}: {step}", scenario.name);
            }
            return Ok(Outcome::Equal(old.codes()));
        };
        let kept = self.kept.join(scenario.name.replace(['/', ' ', ','], "_"));
        fs::rename(&self.work, &kept).with_context(|| format!("cannot keep {}", kept.display()))?;
        Ok(Outcome::Different(format!("{difference}; see {}", kept.display())))
    }

    /// Generates a corpus with the first build that knows how.
    fn generate(
        &self,
        form: &scenarios::Generated,
        documents: u64,
        path: &std::path::Path,
    ) -> Result<bool> {
        for build in [&self.old, &self.new] {
            let mut generate = sides::bare(&build.path, &self.corpora);
            generate.args(form.arguments(documents)).arg(path);
            let output = generate.output().context("cannot start a build")?;
            match output.status.code() {
                Some(0) => return Ok(true),
                // A preset or form that this version does not have.
                Some(2) => {}
                _ => {
                    let told = String::from_utf8_lossy(&output.stderr).into_owned();
                    bail!("{generate:?} ended with {}: {}", output.status, told.trim());
                }
            }
        }
        Ok(false)
    }
}

/// Makes a folder, without what was in it.
fn empty(path: &std::path::Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("cannot empty {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// A call of git in this repository, for its answer.
fn git(arguments: &[&str]) -> Result<String> {
    let output = tools::program("git", arguments).output().context("cannot start git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
