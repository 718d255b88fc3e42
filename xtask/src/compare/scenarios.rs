//! What the two builds are compared over: sources, and the calls that each build makes of them.
//!
//! Only flags that every version has are used here: a scenario must mean the same to both.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Plan;
use crate::tools;

/// Presets of `generate`; one that neither build has is left out, and the output says so.
const PRESETS: [&str; 4] = ["standard", "lifecycle", "populated", "foreign"];
/// Seeds of every preset.
const SEEDS: [u64; 2] = [1, 7];
/// Forms of every corpus, and the names of their files.
const FORMS: [(&str, &str); 8] = [
    ("bson", "jobs.bson"),
    ("bson.gz", "jobs.bson.gz"),
    ("folder-gzip", "dump"),
    ("archive", "all.archive"),
    ("archive.gz", "all.archive.gz"),
    ("lines", "jobs.jsonl"),
    ("relaxed-lines", "relaxed.jsonl"),
    ("v1-lines", "v1.jsonl"),
];
/// What `generate --fault` does, and whether it needs documents or their text in plain bytes.
const FAULTS: [(&str, Plain); 6] = [
    ("truncate", Plain::No),
    ("flipped-byte", Plain::No),
    ("invalid-text", Plain::Text),
    ("changed-text", Plain::Text),
    ("truncate-last", Plain::Documents),
    ("broken-length", Plain::Documents),
];

/// The decisions of the mapping.
const MAPPINGS: [(&str, &[&str]); 6] = [
    ("include", &["--in-flight", "include"]),
    ("skip", &["--in-flight", "skip"]),
    ("as-failed", &["--in-flight", "as-failed"]),
    ("evidence", &["--in-flight", "include", "--status-policy", "evidence"]),
    ("unknown as failed", &["--in-flight", "include", "--on-unknown-status", "failed"]),
    ("undecided", &[]),
];
/// Ways of writing, none of which may change what is in the target.
const WRITINGS: [(&str, &[&str]); 3] = [
    ("gzip", &["--gzip"]),
    ("zstd", &["--zstd"]),
    ("small batches", &["--batch-docs", "7", "--jobs", "3"]),
];
/// The id that most golden cases share.
const CASE_ID: &str = "688204200000000000000001";

/// A source, and what is done with it.
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) steps: Vec<Step>,
    /// Whether each build also generates the source, which must be the same bytes.
    pub(super) generates_too: bool,
}

/// Where documents come from.
#[derive(Clone)]
pub(super) enum Source {
    Generated(Generated),
    /// All golden cases in one file.
    AllCases,
    Path(PathBuf),
}

/// Arguments of `generate`.
#[derive(Clone)]
pub(super) struct Generated {
    preset: &'static str,
    seed: u64,
    form: (&'static str, &'static str),
    fault: Option<&'static str>,
}

impl Generated {
    /// One name per corpus, with the ending that its form has.
    pub(super) fn file_name(&self) -> String {
        let fault = self.fault.map(|fault| format!("{fault}-")).unwrap_or_default();
        format!("{}-{}-{fault}{}", self.preset, self.seed, self.form.1)
    }

    /// All but the path, which comes last.
    pub(super) fn arguments(&self, documents: u64) -> Vec<String> {
        let (seed, documents) = (self.seed.to_string(), documents.to_string());
        let mut arguments = vec!["generate", "--preset", self.preset, "--seed", &seed];
        arguments.extend(["--documents", &documents, "--form", self.form.0]);
        if let Some(fault) = self.fault {
            arguments.extend(["--fault", fault]);
        }
        arguments.into_iter().map(str::to_owned).collect()
    }
}

/// What of a file a fault has to find in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plain {
    No,
    Text,
    Documents,
}

/// One call of the binary, in the folder of its side.
pub(super) struct Step {
    pub(super) name: String,
    /// `{source}` stands for the source, `{run}` for the newest run.
    pub(super) arguments: Vec<String>,
    pub(super) keep: Keep,
}

/// What of a call is compared beside its exit code and the files that it leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    /// What it prints.
    Output,
}

/// Everything that is compared, the quick and plain first.
pub(super) fn all(plan: &Plan) -> Result<Vec<Scenario>> {
    let mut found = vec![cases_one_by_one()?];
    found.extend(with_every_option("cases", &Source::AllCases));
    for path in samples()? {
        let name = path.strip_prefix(tools::root()).unwrap_or(&path).display().to_string();
        found.push(plain(&name, Source::Path(path)));
    }
    for path in &plan.also {
        let path = path.canonicalize().with_context(|| format!("no {}", path.display()))?;
        found.push(plain(&path.display().to_string(), Source::Path(path)));
    }
    for preset in PRESETS {
        for seed in SEEDS {
            for form in FORMS {
                let generated = Generated { preset, seed, form, fault: None };
                let name = format!("{preset} {seed} {}", form.0);
                let mut scenario = plain(&name, Source::Generated(generated.clone()));
                scenario.generates_too = true;
                found.push(scenario);
                if form == FORMS[0] {
                    found.extend(with_every_option(&name, &Source::Generated(generated)));
                }
            }
        }
    }
    for (fault, plain_bytes) in FAULTS {
        for form in [FORMS[0], FORMS[1], FORMS[3], FORMS[5]] {
            let fits = match plain_bytes {
                Plain::No => true,
                Plain::Text => !form.0.ends_with(".gz"),
                Plain::Documents => form == FORMS[0],
            };
            if !fits {
                continue;
            }
            let generated = Generated { preset: "lifecycle", seed: 3, form, fault: Some(fault) };
            let name = format!("{} with {fault}", form.0);
            let mut scenario = plain(&name, Source::Generated(generated));
            scenario.generates_too = true;
            found.push(scenario);
        }
    }
    Ok(found)
}

/// A run with the usual options, and all that reads its target.
fn plain(name: &str, source: Source) -> Scenario {
    let mut steps = vec![run(MAPPINGS[0].1, "target")];
    steps.extend(read_back("target"));
    let mut verify = vec!["verify", "{source}", "target", "--runs-dir", "runs"];
    verify.extend(MAPPINGS[0].1);
    steps.push(step("verify", &verify));
    Scenario { name: name.to_owned(), source, steps, generates_too: false }
}

/// One scenario for each set of options, and for each way in which runs follow upon each other.
fn with_every_option(name: &str, source: &Source) -> Vec<Scenario> {
    let include = MAPPINGS[0].1;
    let mut found = Vec::new();
    let mut add = |title: &str, mut steps: Vec<Step>| {
        steps.extend(read_back("target"));
        let name = format!("{name}, {title}");
        found.push(Scenario { name, source: source.clone(), steps, generates_too: false });
    };
    for (title, flags) in MAPPINGS {
        add(title, vec![run(flags, "target")]);
    }
    for (title, flags) in WRITINGS {
        add(title, vec![run(&[include, flags].concat(), "target")]);
    }
    let dry = ["run", "{source}", "target", "--runs-dir", "runs", "--in-flight", "include"];
    add("dry run", vec![step("run", &dry)]);
    let part = ["--limit", "150"];
    let half = |flags: &[&str]| run(&[flags, &part].concat(), "target");
    add("a part", vec![half(include)]);
    let stop = run(&[include, &["--fail-fast"]].concat(), "target");
    let resume = ["resume", "{run}", "--runs-dir", "runs"];
    add("stopped at a reject", vec![stop, step("resume", &resume)]);
    add("refused for what is there", vec![half(include), run(include, "target")]);
    for (title, writing) in [("", &[][..]), (", gzip", &["--gzip"][..])] {
        let existing = [include, writing, &["--allow-existing"]].concat();
        let replace = [include, writing, &["--replace"]].concat();
        let first = |flags: &[&str]| half(&[flags, writing].concat());
        add(
            &format!("half filled{title}"),
            vec![first(include), run(&existing, "target"), run(&existing, "target")],
        );
        let other = MAPPINGS[2].1;
        add(&format!("conflicting{title}"), vec![first(other), run(&existing, "target")]);
        add(
            &format!("replaced{title}"),
            vec![first(other), run(&replace, "target"), run(&replace, "target")],
        );
    }
    let again = ["--allow-existing", "--on-unknown-status", "failed", "--only-rejects", "{run}"];
    let again = run(&[include, &again].concat(), "target");
    add("only rejects", vec![run(include, "target"), again]);
    found
}

/// Every golden case by itself, with its options, as one scenario.
fn cases_one_by_one() -> Result<Scenario> {
    let mut steps = Vec::new();
    for folder in case_folders()? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = folder.join("legacy.json").to_string_lossy().into_owned();
        let target = format!("target-{name}");
        let mut call = vec!["run".to_owned(), source, target.clone()];
        call.extend(["--apply", "--runs-dir", "runs"].map(str::to_owned));
        call.extend(case_options(&folder)?);
        steps.push(Step { name: format!("run {name}"), arguments: call, keep: Keep::Nothing });
        steps.extend(read_back(&target));
    }
    let (name, source) = ("cases one by one".to_owned(), Source::AllCases);
    Ok(Scenario { name, source, steps, generates_too: false })
}

/// `options.json` of a case as flags: the names are the same but for the dashes.
fn case_options(folder: &Path) -> Result<Vec<String>> {
    let mut options = serde_json::Map::new();
    let path = folder.join("options.json");
    if path.exists() {
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        options = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
    }
    let mut flags = Vec::new();
    for (name, value) in &options {
        let Some(value) = value.as_str() else { bail!("{name} in {} is no text", path.display()) };
        flags.extend([format!("--{}", name.replace('_', "-")), value.to_owned()]);
    }
    if !options.contains_key("in_flight") {
        flags.extend(["--in-flight".to_owned(), "include".to_owned()]);
    }
    Ok(flags)
}

/// All golden cases, one after the other. Most have the same id, and get one of their own.
pub(super) fn write_all_cases(path: &Path) -> Result<()> {
    let mut all = String::new();
    for (number, folder) in case_folders()?.iter().enumerate() {
        let case = folder.join("legacy.json");
        let text =
            fs::read_to_string(&case).with_context(|| format!("cannot read {}", case.display()))?;
        let own = format!("{}{number:016x}", &CASE_ID[..8]);
        all.push_str(&text.replace(CASE_ID, &own));
        all.push('\n');
    }
    fs::write(path, all).with_context(|| format!("cannot write {}", path.display()))
}

fn case_folders() -> Result<Vec<PathBuf>> {
    let mut folders = entries(&tools::root().join("tests/cases"))?;
    folders.retain(|path| path.join("legacy.json").exists());
    Ok(folders)
}

/// Every file and every dump folder of the samples.
fn samples() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![tools::root().join("tests/samples")];
    while let Some(folder) = open.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(context)? {
        found.push(entry.with_context(context)?.path());
    }
    found.sort();
    Ok(found)
}

fn step(name: &str, arguments: &[&str]) -> Step {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Step { name: name.to_owned(), arguments, keep: Keep::Nothing }
}

fn run(flags: &[&str], target: &str) -> Step {
    let call = ["run", "{source}", target, "--apply", "--runs-dir", "runs"];
    step("run", &[&call, flags].concat())
}

/// What a target is read back with.
fn read_back(target: &str) -> [Step; 2] {
    let restored = format!("restored-{target}.bson");
    let mut checksums = step("checksums", &["checksums", target, "--json"]);
    checksums.keep = Keep::Output;
    [checksums, step("restore", &["restore", target, &restored])]
}
