//! `reshelve restore`.

use std::path::{Path, PathBuf};

use reshelve::restore::{self, RestoreSummary};
use serde::Serialize;

use super::ends::{self, refuse_live};
use crate::cli::RestoreArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain, size};

/// The collection that comes back.
const COLLECTION: &str = "jobs";
/// How many changed or foreign jobs a page names.
const NAMED_MAX: usize = 20;

#[derive(Debug, Serialize)]
struct RestoreDocument<'r> {
    schema: &'static str,
    out: String,
    #[serde(flatten)]
    summary: &'r RestoreSummary,
}

pub(crate) fn run(args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let target = ends::reader(&args.target, args.target_db.as_deref(), None)?;
    refuse_live(&args.out)?;
    let out = out_file(&args.out, target.database())?;
    let summary = restore::restore(target.as_ref(), &out)
        .map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(folder) = out.parent().filter(|_| out != args.out) {
        restore::write_legacy_metadata(folder, COLLECTION)?;
    }
    printer.text(&page(&summary, &out));
    let out = out.display().to_string();
    printer.json(&RestoreDocument { schema: "reshelve.restore/1", out, summary: &summary });
    Ok(ExitCode::Done)
}

/// A name that ends in `.bson` is the file; anything else is a folder that gets a database folder.
fn out_file(out: &Path, db: &str) -> Result<PathBuf, Failure> {
    if out.extension().is_some_and(|extension| extension == "bson") {
        if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create(parent)?;
        }
        return Ok(out.to_owned());
    }
    let folder = out.join(db);
    create(&folder)?;
    Ok(folder.join(format!("{COLLECTION}.bson")))
}

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::failed(format!("creating the folder {}: {error}", folder.display()))
    })
}

fn page(summary: &RestoreSummary, out: &Path) -> String {
    let mut lines = vec![
        format!("Restored {} documents, {}.", number(summary.documents), size(summary.bytes)),
        String::new(),
        format!("  {} of them byte for byte as they were mapped", number(summary.identical)),
    ];
    let count = |many: usize| number(u64::try_from(many).unwrap_or(u64::MAX));
    if !summary.changed.is_empty() {
        lines.push(format!(
            "  {} changed, because the target was edited:",
            count(summary.changed.len())
        ));
        for job in summary.changed.iter().take(NAMED_MAX) {
            let lost = match job.lost.as_slice() {
                [] => String::new(),
                lost => format!("  (no longer in the target: {})", plain(&lost.join(", "))),
            };
            lines.push(format!("    {}{lost}", plain(&job.job)));
        }
    }
    if !summary.foreign.is_empty() {
        lines.push(format!(
            "  {} jobs left out: this tool did not write them",
            count(summary.foreign.len())
        ));
        for job in summary.foreign.iter().take(NAMED_MAX) {
            lines.push(format!("    {}", plain(job)));
        }
    }
    lines.push(format!("\n  {}", out.display()));
    lines.join("\n")
}
