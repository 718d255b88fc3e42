//! One build taken through the steps of a scenario in a folder of its own, and what it left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::scenarios::{Keep, Scenario, Source, Step};

/// The runs folder of every scenario.
const RUNS: &str = "runs";
/// What is compared of a run folder: its promises to people and later runs, whatever the version.
const REJECTS: [&str; 3] = ["rejects.bson", "rejects.jsonl", "rejects.json"];

/// The exit code for a command line that makes no sense.
const USAGE: i32 = 2;

/// What one build made of a scenario.
pub(super) struct Side {
    steps: Vec<Ended>,
    /// Name as it is shown, and where the file lies. Files of the target, restored files, rejects.
    files: BTreeMap<String, PathBuf>,
}

/// How a step ended.
struct Ended {
    step: String,
    code: Option<i32>,
    /// The last line of output, to explain a difference of codes.
    last_line: String,
}

/// A call with nothing of this environment in it.
pub(super) fn bare(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

impl Side {
    /// Runs every step, whatever the ones before came to: refusals are part of what is compared.
    pub(super) fn run(
        binary: &Path,
        folder: &Path,
        scenario: &Scenario,
        source: &Path,
        documents: u64,
    ) -> Result<Side> {
        super::empty(folder)?;
        let mut steps = Vec::new();
        for (at, step) in scenario.steps.iter().enumerate() {
            steps.push(take(binary, folder, at, step, source)?);
        }
        if let Source::Generated(form) = &scenario.source
            && scenario.generates_too
        {
            let again = folder.join("generated").join(form.file_name());
            super::empty(&folder.join("generated"))?;
            let mut generate = bare(binary, folder);
            generate.args(form.arguments(documents)).arg(&again);
            steps.push(ended("generate", &mut generate)?.0);
        }
        let mut files = BTreeMap::new();
        walk(folder, "", &mut files)?;
        files.retain(|name, _| !name.starts_with("runs"));
        for (number, run) in runs(folder)?.iter().enumerate() {
            for name in REJECTS {
                let path = folder.join(RUNS).join(run).join(name);
                if path.exists() {
                    files.insert(format!("run {}/{name}", number + 1), path);
                }
            }
        }
        Ok(Side { steps, files })
    }

    /// The exit codes of the steps, one after the other: what the comparison was about.
    pub(super) fn codes(&self) -> String {
        const SHOWN_MAX: usize = 8;
        let codes = self.steps.iter().take(SHOWN_MAX).map(|step| code_text(step.code));
        let more = if self.steps.len() > SHOWN_MAX { " …" } else { "" };
        format!("{}{more}", codes.collect::<Vec<_>>().join(" "))
    }

    /// A step whose command line the build did not take: it compares nothing.
    pub(super) fn misunderstood(&self) -> Option<String> {
        let step = self.steps.iter().find(|step| step.code == Some(USAGE))?;
        Some(format!("`{}` is not understood: {}", step.step, step.last_line))
    }

    /// The first thing that is not the same in the other one, as a sentence.
    pub(super) fn first_difference(&self, other: &Side) -> Result<Option<String>> {
        for (old, new) in self.steps.iter().zip(&other.steps) {
            if old.code != new.code {
                return Ok(Some(format!(
                    "`{}` ended with {} ({}), now with {} ({})",
                    old.step,
                    code_text(old.code),
                    old.last_line,
                    code_text(new.code),
                    new.last_line
                )));
            }
        }
        if let Some(name) = self.files.keys().find(|&name| !other.files.contains_key(name)) {
            return Ok(Some(format!("{name} is missing now")));
        }
        if let Some(name) = other.files.keys().find(|&name| !self.files.contains_key(name)) {
            return Ok(Some(format!("{name} was not there before")));
        }
        for ((name, old), new) in self.files.iter().zip(other.files.values()) {
            // Hidden files are the tool's own, such as a lock that names its run.
            let hidden = Path::new(name)
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && let Some(difference) = differ(old, new)? {
                return Ok(Some(format!("{name} differs {difference}")));
            }
        }
        Ok(None)
    }
}

fn code_text(code: Option<i32>) -> String {
    code.map_or("a signal".to_owned(), |code| code.to_string())
}

/// Where two files differ first.
fn differ(old: &Path, new: &Path) -> Result<Option<String>> {
    let read = |path: &Path| -> Result<Vec<u8>> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(if path.ends_with("rejects.jsonl") { without_sentences(&bytes) } else { bytes })
    };
    let (old, new) = (read(old)?, read(new)?);
    Ok(first_offset(&old, &new)
        .map(|offset| format!("at offset {offset} ({} bytes, now {})", old.len(), new.len())))
}

/// Rejects without their sentences, which may be reworded: code, path and place are promises.
fn without_sentences(lines: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<serde_json::Value>(line) {
            Ok(serde_json::Value::Object(mut record)) => {
                record.remove("message");
                kept.extend(serde_json::Value::Object(record).to_string().into_bytes());
                kept.push(b'\n');
            }
            // Not a record: compared as it is.
            _ => kept.extend(line),
        }
    }
    kept
}

/// The offset of the first byte that is not the same, or is missing in one of the two.
fn first_offset(old: &[u8], new: &[u8]) -> Option<usize> {
    if old == new {
        return None;
    }
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    Some(same)
}

fn take(binary: &Path, folder: &Path, at: usize, step: &Step, source: &Path) -> Result<Ended> {
    let mut command = bare(binary, folder);
    for argument in &step.arguments {
        match argument.as_str() {
            "{source}" => command.arg(source),
            // The newest run; where there is none, a name that both builds refuse alike.
            "{run}" => command.arg(runs(folder)?.pop().unwrap_or("no-such-run".to_owned())),
            other => command.arg(other),
        };
    }
    let (ended, output) = ended(&step.name, &mut command)?;
    if step.keep == Keep::Output {
        let path = folder.join(format!("{at:03}-{}.json", step.name));
        fs::write(&path, output).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ended)
}

fn ended(step: &str, command: &mut Command) -> Result<(Ended, Vec<u8>)> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    let last_line = told.lines().last().unwrap_or("nothing said").to_owned();
    let ended = Ended { step: step.to_owned(), code: output.status.code(), last_line };
    Ok((ended, output.stdout))
}

/// The ids of the runs, oldest first: they begin with date and time.
fn runs(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join(RUNS);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Every file under a folder, with its name from there.
fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found)?;
        } else if kind.is_file() {
            found.insert(name, entry.path());
        } else {
            bail!("{} is neither a file nor a folder", entry.path().display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_are_compared_without_their_sentences() {
        let old = b"{\"code\":\"too-deep\",\"message\":\"one\"}\n";
        let new = b"{\"code\":\"too-deep\",\"message\":\"another\"}\n";
        assert_eq!(without_sentences(old), without_sentences(new));
        assert_ne!(without_sentences(old), without_sentences(b"{\"code\":\"missing-id\"}\n"));
        assert_eq!(without_sentences(b"no record"), b"no record");
    }

    #[test]
    fn the_first_offset_is_where_the_shorter_one_ends_at_the_latest() {
        assert_eq!(first_offset(b"shelf", b"shelf"), None);
        assert_eq!(first_offset(b"shelf", b"shell"), Some(4));
        assert_eq!(first_offset(b"shelf", b"shelves"), Some(4));
        assert_eq!(first_offset(b"shelf", b"shelf!"), Some(5));
        assert_eq!(first_offset(b"", b"s"), Some(0));
    }

    fn side(folder: &Path, files: &[(&str, &str)], code: i32) -> Side {
        let mut side = Side { steps: Vec::new(), files: BTreeMap::new() };
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            side.files.insert((*name).to_owned(), path);
        }
        let last_line = "error: an error".to_owned();
        side.steps.push(Ended { step: "run".to_owned(), code: Some(code), last_line });
        side
    }

    #[test]
    fn what_differs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let old = side(&at("a"), &[("target/jobs.bson", "one"), ("target/.lock", "run 1")], 0);
        let same = side(&at("b"), &[("target/jobs.bson", "one"), ("target/.lock", "run 2")], 0);
        assert_eq!(old.first_difference(&same).unwrap(), None);
        for (files, code, expected) in [
            (&[("target/jobs.bson", "one")][..], 0, "target/.lock is missing now"),
            (
                &[("target/jobs.bson", "onE"), ("target/.lock", "")],
                0,
                "target/jobs.bson differs at offset 2 (3 bytes, now 3)",
            ),
            (
                &[("target/jobs.bson", "one"), ("target/.lock", ""), ("z", "")],
                0,
                "z was not there before",
            ),
            (
                &[("target/jobs.bson", "one"), ("target/.lock", "")],
                4,
                "`run` ended with 0 (error: an error), now with 4 (error: an error)",
            ),
        ] {
            let new = tempfile::tempdir().unwrap();
            let new = (side(new.path(), files, code), new);
            assert_eq!(old.first_difference(&new.0).unwrap().as_deref(), Some(expected));
        }
    }
}
