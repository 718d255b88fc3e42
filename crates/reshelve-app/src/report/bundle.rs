//! The evidence pack: one archive with everything that belongs into a change record, and a short
//! program that checks it without this tool.
//!
//! The same report gives the same bytes: no clock but that of the run goes into it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use reshelve::ends::PlannedTarget;
use reshelve::parity::{CollectionChecksum, SourceFingerprint};
use reshelve::report::{Rehearsed, RunReport, Verdict, withheld_rejects};
use reshelve::run::RunFolder;
use reshelve::store::{Disk, Files, Open, OpenFile, Scratch};
use reshelve_core::mapping::Options;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Rendered;
use super::files::{HTML_FILE, JSON_FILE, MARKDOWN_FILE};
use crate::profile::ProfileDocument;
use crate::rehearse::file_of;

/// The files of the run folder that belong in the pack.
const RUN_FILES: [&str; 3] = ["run.json", CHECKPOINT_FILE, REJECTS_FILE];
const CHECKPOINT_FILE: &str = "checkpoint.json";
const REJECTS_FILE: &str = "rejects.jsonl";
const CHECKER: &str = include_str!("check.py");
/// The first file of the pack.
pub(super) const README_FILE: &str = "README.txt";
const README: &str = "\
Evidence of one run of reshelve.

report.html        the report, to be read and signed; report.md and report-data.json are the same
evidence.json      tool, options, fingerprints of both sides, checksums of the target
profile.json       the contents of the source, field by field
run.json           the request of the run; checkpoint.json: its state and totals
rejects.jsonl      every rejected document with its reason (not the document itself)
rehearsal.json     the newest rehearsal of the same source, if there was one
retry-*            the same files of each retry that is reported with the run
                   Texts of documents are left out of all files, unless the report was written
                   with --with-texts.
MANIFEST.sha256    the hash of each file: `sha256sum -c MANIFEST.sha256`
check.py           checks this pack and the target without reshelve: `python3 check.py TARGET`
";

/// `evidence.json`.
#[derive(Debug, Serialize)]
struct Evidence<'e> {
    schema: &'static str,
    run: &'e str,
    begun_at: &'e str,
    tool_version: &'e str,
    mapping: &'e str,
    applied: bool,
    options: Options,
    verdict: &'e Verdict,
    source: SourceEvidence<'e>,
    target: &'e PlannedTarget,
    checksums: Option<&'e BTreeMap<&'static str, CollectionChecksum>>,
    /// The newest rehearsal of the same source; its record is in the pack.
    rehearsal: Option<&'e Rehearsed>,
}

#[derive(Debug, Serialize)]
struct SourceEvidence<'e> {
    path: &'e Path,
    /// As the run read it.
    documents: u64,
    hash: &'e str,
    /// As it was when the report was made.
    now: Option<&'e SourceFingerprint>,
}

/// A file of the pack.
enum Content<'c> {
    Bytes(&'c [u8]),
    /// One that may be large.
    File(&'c Path),
    /// The same, without a name.
    Unnamed(&'c dyn OpenFile),
}

impl Content<'_> {
    fn open(&self) -> io::Result<(u64, Box<dyn Read + '_>)> {
        match self {
            Content::Bytes(bytes) => {
                Ok((u64::try_from(bytes.len()).unwrap_or(u64::MAX), Box::new(*bytes)))
            }
            Content::File(path) => {
                let file = Disk.open(path, Open::Read).map_err(io::Error::other)?;
                Ok((file.length().map_err(io::Error::other)?, Box::new(file)))
            }
            Content::Unnamed(file) => {
                let length = file.length().map_err(io::Error::other)?;
                Ok((length, Box::new(FromStart { file: *file, at: 0, length })))
            }
        }
    }

    fn sha256(&self) -> io::Result<String> {
        let (_, mut reader) = self.open()?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
        Ok(reshelve_core::raw::hex(&hash.finalize()))
    }
}

/// A file that is read from its start, wherever its position is.
struct FromStart<'f> {
    file: &'f dyn OpenFile,
    at: u64,
    length: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.length - self.at).unwrap_or(usize::MAX);
        let count = bytes.len().min(rest);
        self.file.read_exact_at(&mut bytes[..count], self.at).map_err(io::Error::other)?;
        self.at += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }
}

/// Writes the pack; the first of the folders has the files of the run, the others those of its
/// retries. Without texts, checkpoints and lists of rejects are not those of the run folders, but
/// the same without anybody's text.
pub(super) fn write(
    report: &RunReport,
    rendered: &Rendered,
    runs: &[RunFolder],
    out: impl Write,
) -> io::Result<()> {
    let evidence = serde_json::to_string_pretty(&evidence(report))?;
    let own = own_files(report, runs)?;
    let mut files = vec![
        (README_FILE, Content::Bytes(README.as_bytes())),
        (HTML_FILE, Content::Bytes(rendered.html.as_bytes())),
        (MARKDOWN_FILE, Content::Bytes(rendered.markdown.as_bytes())),
        (JSON_FILE, Content::Bytes(rendered.json.as_bytes())),
        ("evidence.json", Content::Bytes(evidence.as_bytes())),
        ("check.py", Content::Bytes(CHECKER.as_bytes())),
    ];
    let profile = report.profile.as_ref().map(ProfileDocument::of);
    let profile = profile.as_ref().map(serde_json::to_string).transpose()?;
    if let Some(profile) = &profile {
        files.push(("profile.json", Content::Bytes(profile.as_bytes())));
    }
    let rehearsal = report.rehearsal.as_ref().map(file_of);
    files.extend(rehearsal.iter().map(|path| ("rehearsal.json", Content::File(path))));
    files.extend(own.iter().map(|(name, own)| (name.as_str(), own.content())));
    let mut manifest = String::new();
    for (name, content) in &files {
        manifest.push_str(&format!("{}  {name}\n", content.sha256()?));
    }
    files.push(("MANIFEST.sha256", Content::Bytes(manifest.as_bytes())));
    pack(report, &files, out)
}

/// One archive with these files, in one folder.
fn pack(report: &RunReport, files: &[(&str, Content<'_>)], out: impl Write) -> io::Result<()> {
    let gzip = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    let mut archive = tar::Builder::new(gzip);
    let folder = folder_name(&report.plan.run);
    for (name, content) in files {
        let (length, reader) = content.open()?;
        let mut header = tar::Header::new_ustar();
        header.set_size(length);
        header.set_mode(if *name == "check.py" { 0o755 } else { 0o644 });
        header.set_mtime(seconds(&report.plan.begun_at).unwrap_or(0));
        header.set_uid(0);
        header.set_gid(0);
        // A file that grows while it is read must not break the archive.
        archive.append_data(&mut header, format!("{folder}/{name}"), reader.take(length))?;
    }
    archive.into_inner()?.finish()?.flush()
}

/// A file of a run itself.
enum Own {
    AsItIs(PathBuf),
    Bytes(Vec<u8>),
    Unnamed(Box<dyn OpenFile>),
}

impl Own {
    fn content(&self) -> Content<'_> {
        match self {
            Own::AsItIs(path) => Content::File(path),
            Own::Bytes(bytes) => Content::Bytes(bytes),
            Own::Unnamed(file) => Content::Unnamed(file.as_ref()),
        }
    }
}

/// The files of the runs themselves, by their names in the pack.
fn own_files(report: &RunReport, runs: &[RunFolder]) -> io::Result<Vec<(String, Own)>> {
    let mut files = Vec::new();
    for (at, folder) in runs.iter().enumerate() {
        let id = folder.path().file_name().unwrap_or_default().to_string_lossy();
        for name in RUN_FILES {
            let path = folder.path().join(name);
            let member = report.runs.get(at).filter(|_| !report.with_texts);
            let own = match (name, member) {
                (CHECKPOINT_FILE, Some(member)) => {
                    Some(Own::Bytes(serde_json::to_vec_pretty(&member.checkpoint)?))
                }
                (REJECTS_FILE, Some(_)) => {
                    let scratch = Scratch::from(&std::env::temp_dir());
                    let list = withheld_rejects(folder, &scratch).map_err(io::Error::other)?;
                    list.map(Own::Unnamed)
                }
                _ => path.exists().then_some(Own::AsItIs(path)),
            };
            let name = if at == 0 { name.to_owned() } else { format!("retry-{id}-{name}") };
            files.extend(own.map(|own| (name, own)));
        }
    }
    Ok(files)
}

/// The name of the folder in the archive, and of the archive without its ending.
pub(super) fn folder_name(run: &str) -> String {
    format!("evidence-{run}")
}

fn evidence(report: &RunReport) -> Evidence<'_> {
    let plan = &report.plan;
    Evidence {
        schema: "reshelve.evidence/1",
        run: &plan.run,
        begun_at: &plan.begun_at,
        tool_version: &plan.tool_version,
        mapping: &plan.mapping,
        applied: plan.apply,
        options: plan.options.mapping(),
        verdict: &report.verdict,
        source: SourceEvidence {
            path: &plan.source.path,
            documents: report.checkpoint.source.count,
            hash: &report.checkpoint.source_hash,
            now: report.survey.as_ref().map(|survey| &survey.source),
        },
        target: &plan.target,
        checksums: report.checksums.as_ref(),
        rehearsal: report.rehearsal.as_ref(),
    }
}

/// Seconds since the epoch of `YYYY-MM-DDTHH:MM:SS…`, which is how a run says when it began.
fn seconds(iso: &str) -> Option<u64> {
    let part = |range: std::ops::Range<usize>| iso.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    // Days of the civil calendar, counted in years that begin in March.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(((days * 24 + part(11..13)?) * 60 + part(14..16)?) * 60 + part(17..19)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_run_is_read() {
        assert_eq!(seconds("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(seconds("2026-11-22T18:14:08.573Z"), Some(1_795_371_248));
        assert_eq!(seconds("2024-02-29T23:59:59.000Z"), Some(1_709_251_199));
        assert_eq!(seconds("once"), None);
    }
}
