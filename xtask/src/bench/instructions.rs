//! Instructions per document, counted by callgrind: they repeat where times do not.
//!
//! The counts on record are those of one compiler on one kind of processor; the tolerance is wide
//! enough for small differences, and narrow enough to show a step that was added for every
//! document. `checksums` is left out: callgrind does not know the processor's SHA instructions,
//! and counts another implementation than the one that runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::corpus::{Corpus, Place, remove};
use super::{FINISHED_NOVELS, SIX_KILOBYTES};
use crate::summary::Summary;
use crate::tools::told;
use crate::{printer, tools};

/// How much more than on record is too much, in percent.
const TOLERANCE_PERCENT: f64 = 5.0;

/// How the C library is told to copy memory. By default it uses `rep movsb` above a length that
/// depends on the processor's caches, and callgrind counts that instruction once for every byte:
/// the same program had 5 % more on one processor and 8 % fewer on another.
const COPYING: &str = "glibc.cpu.hwcaps=-ERMS";

/// Counts, and compares with `bench/instructions.json`, or writes it.
pub(super) fn run(place: &Place, record: bool, summary: &mut Summary) -> Result<()> {
    if !tools::succeeds("valgrind", &["--version"]) {
        summary.leave_out("instruction counts", "valgrind is not installed");
        return Ok(());
    }
    let file = tools::root().join("bench/instructions.json");
    printer::heading("instructions per document, in thousands");
    let mut counted = Map::new();
    for (name, documents, arguments) in
        [("novels", 100, FINISHED_NOVELS), ("small", 1_000, SIX_KILOBYTES)]
    {
        let source = place.corpus(&format!("counted-{name}"), documents, &arguments)?;
        count_commands(place, name, &source, &mut counted)?;
    }
    if record {
        let rust = told("rustc", &["--version"]).unwrap_or_default();
        let all = json!({"rust": rust, "instructions_per_document": counted});
        fs::write(&file, format!("{all:#}\n")).context("cannot write the record")?;
        summary.check("instruction counts recorded", true);
        return Ok(());
    }
    let text = fs::read_to_string(&file).context("cannot read the record")?;
    let on_record: Value = serde_json::from_str(&text).context("the record is no JSON")?;
    for (name, found) in &counted {
        let found = found.as_f64().unwrap_or(f64::NAN);
        let before = on_record["instructions_per_document"][name].as_f64();
        let Some(before) = before else {
            summary.leave_out(&format!("instructions of {name}"), "none are on record");
            continue;
        };
        let percent = (found / before - 1.0) * 100.0;
        printer::line(&format!("{:>9.1}  {percent:>+6.1} %  {name}", found / 1e3));
        summary.check(&format!("instructions of {name}"), percent <= TOLERANCE_PERCENT);
    }
    Ok(())
}

/// Every command that has a rate to keep, one mapping thread.
fn count_commands(
    place: &Place,
    name: &str,
    source: &Corpus,
    counted: &mut Map<String, Value>,
) -> Result<()> {
    let folder = place.folder.join("counting");
    let (target, runs) = (folder.join("target"), folder.join("runs"));
    remove(&folder)?;
    let run = |flags: &[&str]| {
        let mut run = place.reshelve(&["run", "--jobs", "1"]);
        run.args(flags).arg("--runs-dir").arg(&runs).arg(&source.path).arg(&target);
        run
    };
    let on_target = |command: &str, arguments: &[&Path]| {
        let mut program = place.reshelve(&[command]);
        program.args(arguments);
        program
    };
    let restored = folder.join("restored.bson");
    fs::create_dir_all(&folder).context("cannot make the folder to count in")?;
    let commands = [
        ("dry run", run(&[])),
        ("apply", run(&["--apply", "--in-flight", "include"])),
        ("verify", on_target("verify", &[&source.path, &target])),
        ("restore", on_target("restore", &[&target, &restored])),
    ];
    for (command, program) in commands {
        let count = count(&program, &folder.join("callgrind.out"))?;
        let per_document = count / f64::from(u32::try_from(source.documents).unwrap_or(u32::MAX));
        counted.insert(format!("{name}: {command}"), json!(per_document.round()));
    }
    remove(&folder)
}

fn count(program: &Command, out: &Path) -> Result<f64> {
    let mut callgrind = tools::program("valgrind", &["--tool=callgrind", "--quiet"]);
    callgrind.arg(format!("--callgrind-out-file={}", out.display()));
    callgrind.env("GLIBC_TUNABLES", COPYING);
    callgrind.arg(program.get_program()).args(program.get_args());
    let output = callgrind.output().context("cannot start valgrind")?;
    if !output.status.success() {
        printer::line(String::from_utf8_lossy(&output.stderr).trim_end());
    }
    let text = fs::read_to_string(out).context("callgrind left nothing")?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.and_then(|count| count.trim().parse().ok()).context("callgrind counted nothing")
}
