//! `cargo xtask bench`: whole processes, interleaved, medians; and instruction counts as a guard.
//!
//! Nothing here runs in CI: times belong to one machine. A person runs it before a release;
//! `--publish` puts the table into `docs/performance.md`.

mod contest;
mod corpus;
mod instructions;
mod live;
mod load;
mod machine;
pub(crate) mod meter;
mod serving;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use contest::{Contender, Outcome};
use corpus::{Corpus, Place};

use crate::summary::Summary;
use crate::{printer, tools};

/// Rounds unless told otherwise.
const RUNS_DEFAULT: u64 = 9;
/// Finished novels of about 110 KB each: more than 500 MB.
const NOVELS: u64 = 5_000;
/// Documents of the forms, which are larger as text.
const FORMS: u64 = 2_000;
/// The scaling series.
const SCALE: [u64; 3] = [1_000, 10_000, 100_000];
/// Tiny documents, and as many of them as make lists long: of ids, of warnings, of rejects.
const TINY: u64 = 2_000_000;
const TINY_ODD: u64 = 500_000;
/// The exit code of a run that rejected documents.
const EXIT_REJECTS: i32 = 4;
/// With `--quick` every corpus has so many times fewer documents.
const QUICK_DIVISOR: u64 = 10;

/// The groups of figures, in the order in which they are measured.
const GROUPS: [(&str, Measure); 6] = [
    ("novels", |bench| Ok(vec![bench.novels()?])),
    ("forms", |bench| Ok(vec![bench.forms()?])),
    ("rehearsal", |bench| Ok(vec![bench.rehearsal()?])),
    ("scale", |bench| Ok(vec![bench.scale()?])),
    ("tiny", |bench| Ok(vec![bench.tiny()?])),
    ("live", |bench| Ok(bench.live()?.into_iter().collect())),
];
/// The commands that are measured beside runs.
const BESIDE_RUNS: [&str; 5] = ["verify", "checksums", "restore", "profile", "anonymize"];

const FINISHED_NOVELS: [&str; 4] = ["--size", "large", "--stage", "completed"];
const SIX_KILOBYTES: [&str; 4] = ["--document-bytes", "6000", "--stage", "completed"];

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) runs: u64,
    /// Small corpora: to see that it works, not for figures.
    pub(crate) quick: bool,
    /// Where corpora and targets go: the disk that is measured.
    pub(crate) folder: Option<PathBuf>,
    /// Counts instructions instead, and compares them with those on record.
    pub(crate) instructions: bool,
    /// Puts the counts on record.
    pub(crate) record: bool,
    /// Also measures a run into a live server beside a plain insert of the same documents.
    pub(crate) live: bool,
    /// A program that is measured instead of one that is built now.
    pub(crate) program: Option<PathBuf>,
    /// Measures requests per second instead.
    pub(crate) serving: bool,
    /// Puts the table into `docs/performance.md`.
    pub(crate) publish: bool,
    /// The groups that are measured; all where none is named.
    pub(crate) only: Vec<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            runs: RUNS_DEFAULT,
            quick: false,
            folder: None,
            instructions: false,
            record: false,
            live: false,
            program: None,
            serving: false,
            publish: false,
            only: Vec::new(),
        }
    }
}

/// One comparison with its contenders' medians.
pub(crate) struct Group {
    /// A word, for the JSON.
    name: &'static str,
    /// For people.
    title: String,
    outcomes: Vec<Outcome>,
}

type Measure = fn(&mut Bench<'_>) -> Result<Vec<Group>>;

/// Measures, and writes `table.md` and `table.json` into the folder.
pub(crate) fn run(plan: &Plan, summary: &mut Summary) -> Result<()> {
    if plan.runs == 0 {
        bail!("--runs needs at least 1");
    }
    if plan.publish && !plan.only.is_empty() {
        bail!("the page holds every group: --publish does not go with --only");
    }
    let names = GROUPS.map(|(name, _)| name);
    if let Some(unknown) = plan.only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("no group is called `{unknown}`: {}", names.join(", "));
    }
    let place = Place::make(plan.folder.clone(), plan.program.clone())?;
    if plan.instructions || plan.record {
        return instructions::run(&place, plan.record, summary);
    }
    if plan.serving {
        return serving::run(plan, &place, summary);
    }
    let bench = Bench { plan, place, summary };
    bench.run()
}

/// Puts a table between its marks in the page about performance.
fn publish(mark: &str, table: &str) -> Result<()> {
    let path = tools::root().join("docs/performance.md");
    let page = std::fs::read_to_string(&path).context("cannot read the page")?;
    let (start, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let parts = page.split_once(&start).zip(page.split_once(&end));
    let ((before, _), (_, after)) = parts.context("the page has no marks for the table")?;
    std::fs::write(&path, format!("{before}{start}\n{table}\n{end}{after}"))
        .context("cannot write the page")
}

struct Bench<'b> {
    plan: &'b Plan,
    place: Place,
    summary: &'b mut Summary,
}

impl Bench<'_> {
    fn run(mut self) -> Result<()> {
        let machine = machine::facts(&self.place);
        let mut groups = Vec::new();
        let measured = self.measure(&mut groups);
        // Where one of them fails, what the others took an hour to find is still of use.
        let report = table::Report::new(self.plan, machine, groups);
        let (markdown, json) = (report.markdown(), report.json());
        for (name, text) in [("table.md", &markdown), ("table.json", &json)] {
            let path = self.place.folder.join(name);
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        printer::heading("table");
        printer::line(&markdown);
        printer::line(&format!("written to {}/table.md and .json", self.place.folder.display()));
        measured?;
        if self.plan.publish {
            publish("table", &markdown)?;
        }
        self.summary.check("bench", true);
        Ok(())
    }

    /// Measures one group after the other.
    fn measure(&mut self, groups: &mut Vec<Group>) -> Result<()> {
        for (name, measure) in GROUPS {
            if self.is_wanted(name) {
                groups.extend(measure(self)?);
            }
        }
        Ok(())
    }

    fn is_wanted(&self, group: &str) -> bool {
        self.plan.only.is_empty() || self.plan.only.iter().any(|name| name == group)
    }

    fn documents(&self, documents: u64) -> u64 {
        if self.plan.quick { documents / QUICK_DIVISOR } else { documents }
    }

    fn hold(&self, name: &str, contenders: &[Contender]) -> Result<Vec<Outcome>> {
        let runs = usize::try_from(self.plan.runs).unwrap_or(usize::MAX);
        contest::hold(&self.place, name, contenders, runs)
    }

    /// Every command on finished novels, beside a durable copy and the script in JavaScript.
    fn novels(&mut self) -> Result<Group> {
        let source = self.place.corpus("novels", self.documents(NOVELS), &FINISHED_NOVELS)?;
        let done = self.finished_target(&source)?;
        let folder = &self.place.folder;
        let copy = folder.join("copy.bson");
        let mut cp = Command::new("sh");
        cp.args(["-c", "cp \"$0\" \"$1\" && sync \"$1\""]).arg(&source.path).arg(&copy);
        let copied_target = folder.join("copied-target");
        let mut cp_target = Command::new("sh");
        cp_target.args(["-c", "cp -r \"$0\" \"$1\" && sync \"$1\"/*/*"]);
        cp_target.arg(&done).arg(&copied_target);
        let mut contenders = vec![
            Contender::new("copy", "`cp` of the source, then `sync`", &source, cp).makes([copy]),
            Contender::new("copy-target", "`cp` of the target, then `sync`", &source, cp_target)
                .makes([copied_target]),
            self.dry_run("dry", "dry run", &source),
            self.apply("apply", "`run --apply`", &source, &[]),
        ];
        for command in BESIDE_RUNS {
            contenders.push(self.beside(
                command,
                command,
                &format!("`{command}`"),
                &source,
                &done,
            )?);
        }
        match self.place.node_script()? {
            Ok(script) => {
                let out = self.place.folder.join("node-out");
                let mut plain = Command::new("node");
                plain.arg(&script).arg(&source.path);
                let mut writing = Command::new("node");
                writing.arg(&script).arg(&source.path).arg("--out").arg(&out);
                let title = "Node script, maps only";
                contenders.push(Contender::new("node", title, &source, plain));
                let title = "Node script, writes and syncs";
                contenders.push(Contender::new("node-write", title, &source, writing).makes([out]));
            }
            Err(why) => self.summary.leave_out("the script in JavaScript", why),
        }
        let outcomes = self.hold("finished novels", &contenders)?;
        let title = format!("Finished novels: {} documents", source.documents);
        Ok(Group { name: "novels", title, outcomes })
    }

    /// The same documents in other forms, read by a dry run.
    fn forms(&mut self) -> Result<Group> {
        let documents = self.documents(FORMS);
        let make = |name: &str| self.place.corpus(name, documents, &FINISHED_NOVELS);
        let (plain, gzip) = (make("forms.bson")?, make("forms.bson.gz")?);
        let (zstd, archive) = (make("forms.bson.zst")?, make("forms.archive")?);
        let lines = make("forms.jsonl")?;
        let here = std::env::current_exe().context("the task runner does not know itself")?;
        let mut inflate = Command::new(here);
        inflate.arg("inflate").arg(&gzip.path);
        let contenders = [
            self.dry_run("bson", "`.bson`", &plain),
            self.dry_run("gzip", "`.bson.gz`", &gzip).counted_as(plain.bytes),
            Contender::new("inflate", "the same file inflated, nothing else", &gzip, inflate)
                .counted_as(plain.bytes),
            self.dry_run("zstd", "`.bson.zst`", &zstd).counted_as(plain.bytes),
            self.dry_run("archive", "archive", &archive),
            self.dry_run("lines", "canonical JSON lines, bytes of text", &lines),
            self.apply("apply-gzip", "`run --apply --gzip` from `.bson`", &plain, &["--gzip"]),
        ];
        let outcomes = self.hold("forms", &contenders)?;
        let title = format!("Dry runs from other forms: {documents} finished novels");
        Ok(Group { name: "forms", title, outcomes })
    }

    /// The whole move and its way back, beside the run alone.
    fn rehearsal(&mut self) -> Result<Group> {
        let source = self.place.corpus("forms.bson", self.documents(FORMS), &FINISHED_NOVELS)?;
        let runs = self.place.folder.join("runs-rehearse");
        let mut rehearse = self.place.reshelve(&["rehearse", "--in-flight", "include"]);
        rehearse.arg(&source.path).arg("--runs-dir").arg(&runs);
        let contenders = [
            self.apply("plain-run", "`run --apply`", &source, &[]),
            Contender::new("rehearse", "`rehearse`", &source, rehearse).makes([runs]),
        ];
        let outcomes = self.hold("rehearsal", &contenders)?;
        let title = format!("A rehearsal of {} finished novels", source.documents);
        Ok(Group { name: "rehearsal", title, outcomes })
    }

    /// Whether the cost of a document, or memory, depends on how many there are.
    fn scale(&mut self) -> Result<Group> {
        let mut contenders = Vec::new();
        let mut largest = None;
        for documents in SCALE {
            let documents = self.documents(documents);
            let source = self.place.corpus("small", documents, &SIX_KILOBYTES)?;
            let title = format!("dry run, {documents} documents");
            contenders.push(self.dry_run(&format!("dry-{documents}"), &title, &source));
            let title = format!("`run --apply`, {documents} documents");
            contenders.push(self.apply(&format!("apply-{documents}"), &title, &source, &[]));
            largest = Some(source);
        }
        if let Some(source) = largest {
            let done = self.finished_target(&source)?;
            for command in BESIDE_RUNS {
                let key = format!("{command}-{}", source.documents);
                let title = format!("`{command}`, {} documents", source.documents);
                contenders.push(self.beside(command, &key, &title, &source, &done)?);
            }
        }
        let outcomes = self.hold("scale", &contenders)?;
        Ok(Group { name: "scale", title: "Documents of 6 KB".to_owned(), outcomes })
    }

    /// Whether memory depends on how many documents there are, where each is as small as can be:
    /// one round, as it is about memory alone.
    fn tiny(&mut self) -> Result<Group> {
        let (most, odd) = (self.documents(TINY), self.documents(TINY_ODD));
        let plain = self.place.tiny("tiny", most, "completed")?;
        let strange = self.place.tiny("strange", odd, "odd")?;
        let done = self.finished_target(&plain)?;
        let mut contenders = vec![
            self.dry_run("tiny-dry", &format!("dry run, {most} documents"), &plain),
            self.apply("tiny-apply", &format!("`run --apply`, {most} documents"), &plain, &[]),
            self.run_command(
                "tiny-warnings",
                &format!("dry run, {odd} documents, each with warnings"),
                &strange,
                &["--on-unknown-status", "failed"],
            ),
            self.dry_run(
                "tiny-rejects",
                &format!("dry run, {odd} documents, all rejected"),
                &strange,
            )
            .ends_with(EXIT_REJECTS),
        ];
        for command in BESIDE_RUNS {
            let title = format!("`{command}`, {most} documents");
            let key = format!("tiny-{command}");
            contenders.push(self.beside(command, &key, &title, &plain, &done)?);
        }
        let outcomes = contest::hold(&self.place, "tiny documents", &contenders, 1)?;
        Ok(Group { name: "tiny", title: "Tiny documents, one round".to_owned(), outcomes })
    }

    fn run_folders(&self, key: &str) -> (PathBuf, PathBuf) {
        (
            self.place.folder.join(format!("runs-{key}")),
            self.place.folder.join(format!("out-{key}")),
        )
    }

    fn dry_run(&self, key: &str, title: &str, source: &Corpus) -> Contender {
        self.run_command(key, title, source, &[])
    }

    fn apply(&self, key: &str, title: &str, source: &Corpus, flags: &[&str]) -> Contender {
        let flags: Vec<&str> =
            ["--apply", "--in-flight", "include"].iter().chain(flags).copied().collect();
        self.run_command(key, title, source, &flags)
    }

    fn run_command(&self, key: &str, title: &str, source: &Corpus, flags: &[&str]) -> Contender {
        let (runs, out) = self.run_folders(key);
        let mut run = self.place.reshelve(&["run"]);
        run.arg(&source.path).arg(&out).args(flags).arg("--runs-dir").arg(&runs);
        Contender::new(key, title, source, run).makes([runs, out])
    }

    /// A command that is no run, on a source and the target that holds it.
    fn beside(
        &self,
        command: &str,
        key: &str,
        title: &str,
        source: &Corpus,
        done: &Path,
    ) -> Result<Contender> {
        let made = self.place.folder.join("made.bson");
        let mut program = self.place.reshelve(&[command]);
        match command {
            "verify" => program.arg(&source.path).arg(done),
            "profile" => program.arg(&source.path),
            "restore" => program.arg(done).arg(&made),
            "anonymize" => {
                program.arg(&source.path).arg(&made).arg("--key-file").arg(self.place.key()?)
            }
            _ => program.arg(done),
        };
        Ok(Contender::new(key, title, source, program).makes([made]))
    }

    /// A target that holds the source already: for what reads one.
    fn finished_target(&self, source: &Corpus) -> Result<PathBuf> {
        let (runs, out) = self.run_folders("done");
        corpus::remove(&runs)?;
        corpus::remove(&out)?;
        let mut run = self.place.reshelve(&["run", "--apply", "--in-flight", "include"]);
        run.arg("--runs-dir").arg(&runs).arg(&source.path).arg(&out);
        meter::measure(&run, 0, &self.place.folder.join("contender.log"))?;
        Ok(out)
    }
}
