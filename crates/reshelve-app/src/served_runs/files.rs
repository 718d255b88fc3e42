//! The files of a run that a server shows.

use reshelve::run::RunFolder;
use reshelve::store::{Disk, Files as _};
use reshelve_serve::runs::{FileName, RunFile};
use sha2::{Digest as _, Sha256};

/// The longest file that is sent, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// What each is called, where it is in the run folder, what it is, and its kind.
const FILES: [(&str, &str, &str, &str); 6] = [
    ("report.html", "report/report.html", "the report to sign", HTML),
    ("report.md", "report/report.md", "the same for a pull request", TEXT),
    ("report-data.json", "report/report-data.json", "the same for programs", JSON),
    ("report.json", "report.json", "how the run ended", JSON),
    ("rejects.jsonl", "rejects.jsonl", "why documents were rejected", TEXT),
    ("run.json", "run.json", "what was run on what, and how", JSON),
];

/// Those that are there and can be sent.
pub(super) fn listed(folder: &RunFolder) -> Vec<FileName> {
    let there = |(name, path, what, _): (&'static str, &str, &'static str, &str)| {
        let found = Disk.look(&folder.path().join(path)).ok()??;
        let is_sent = found.length > 0 && found.length <= FILE_BYTES_MAX;
        is_sent.then_some(FileName { name, what, bytes: found.length })
    };
    FILES.into_iter().filter_map(there).collect()
}

/// The bytes of the report for programs; none if there is no report.
pub(super) fn report(folder: &RunFolder, bytes_max: u64) -> Result<Option<Vec<u8>>, String> {
    let [_, _, (_, path, ..), ..] = FILES;
    whole(folder, path, bytes_max)
}

fn whole(folder: &RunFolder, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, String> {
    match Disk.read(&folder.path().join(path), bytes_max) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// One of them.
pub(super) fn read(folder: &RunFolder, name: &str) -> Result<Option<RunFile>, String> {
    let Some((_, path, _, content_type)) = FILES.iter().find(|file| file.0 == name) else {
        return Ok(None);
    };
    let Some(bytes) = whole(folder, path, FILE_BYTES_MAX)? else { return Ok(None) };
    let style_sha256 = style(&bytes).filter(|_| *content_type == HTML);
    let style_sha256 = style_sha256.map(|style| Sha256::digest(style).into());
    Ok(Some(RunFile { content_type, bytes, style_sha256 }))
}

/// The styles of a page.
fn style(page: &[u8]) -> Option<&[u8]> {
    const BEGINS: &str = "<style>";
    const ENDS: &str = "</style>";
    let page = std::str::from_utf8(page).ok()?;
    let from = page.find(BEGINS)? + BEGINS.len();
    let bytes = page.get(from..)?.find(ENDS)?;
    Some(page.get(from..from + bytes)?.as_bytes())
}
