//! The files of a report in their folder. Nothing there that `report` did not write is moved or
//! written over, and an earlier report stays whole, wherever a process is killed:
//!
//! 1. the new files are written under temporary names;
//! 2. the earlier report moves, file by file, into a folder `earlier-unfinished`, which then gets
//!    the name `earlier-N`. Until then there is no file of the new report: who finds that folder
//!    moves the rest into it;
//! 3. the new files get their names, the page as the last one: where it is, the others are too.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use reshelve::report::{RunReport, Word};
use reshelve::run::RunFolder;
use reshelve::store::{Disk, DiskError, Files, Locking, Open, OpenFile, Replacement, original_of};

use super::page::headline;
use super::{Rendered, Written, bundle};
use crate::beside::release;
use crate::failure::Failure;
use crate::hints;

/// The names of the files, in a folder and in the evidence pack. The run folder's own
/// `report.json` is another file: how the run ended.
pub(super) const HTML_FILE: &str = "report.html";
pub(super) const MARKDOWN_FILE: &str = "report.md";
pub(super) const JSON_FILE: &str = "report-data.json";

/// What the file for programs begins with.
const JSON_BEGINNING: &[u8] = br#"{"schema":"reshelve.report/1""#;
/// Where an earlier report goes, until all of it is there.
const UNFINISHED: &str = "earlier-unfinished";
/// Held while files are moved and named.
const LOCK_FILE: &str = ".reshelve-report.lock";
/// How often the lock is asked for, and how long it is waited in between: five seconds together,
/// and only the writing of an evidence pack takes so long.
const LOCK_ASKED_MAX: u32 = 100;
const LOCK_WAIT: Duration = Duration::from_millis(50);
/// The most bytes of a page that are searched for what tells that it is one.
const PAGE_BYTES_MAX: u64 = 64 << 20;

/// Refuses a folder in which another file has a name that is about to be written.
pub(super) fn expect_free(out: &Path, run: &str) -> Result<(), Failure> {
    crate::overlap::refuse_snapshot(out)?;
    let names = [HTML_FILE, MARKDOWN_FILE, JSON_FILE].map(str::to_owned);
    for name in names.into_iter().chain([pack_name(run)]) {
        if !is_own(out, OsStr::new(&name)) {
            expect_nothing(&out.join(&name))?;
        }
    }
    Ok(())
}

fn expect_nothing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let message = format!("{} is there, and `report` did not write it", path.display());
    Err(Failure::refused(message, hints::report::ELSEWHERE))
}

/// Writes the report in every form; with the folders of its runs, the evidence pack too.
pub(super) fn write(
    report: &RunReport,
    rendered: &Rendered,
    out: &Path,
    run_folders: Option<&Vec<RunFolder>>,
) -> Result<Written, Failure> {
    Disk.create_folders(out)?;
    let held = hold(out)?;
    let written = write_held(report, rendered, out, run_folders);
    let released = release(held.as_ref());
    let written = written?;
    released?;
    Ok(written)
}

fn write_held(
    report: &RunReport,
    rendered: &Rendered,
    out: &Path,
    run_folders: Option<&Vec<RunFolder>>,
) -> Result<Written, Failure> {
    expect_free(out, &report.plan.run)?;
    remove_leftovers(out)?;
    let mut new = Vec::new();
    if let Some(run_folders) = run_folders {
        let path = out.join(pack_name(&report.plan.run));
        let mut pack = Replacement::begin(&Disk, &path)?;
        bundle::write(report, rendered, run_folders, &mut pack)
            .map_err(|error| Failure::failed(format!("writing {}: {error}", path.display())))?;
        new.push(pack);
    }
    new.push(staged(out, JSON_FILE, &rendered.json)?);
    new.push(staged(out, MARKDOWN_FILE, &rendered.markdown)?);
    new.push(staged(out, HTML_FILE, &rendered.html)?);
    let earlier = keep_earlier(out)?;
    for file in new {
        expect_nothing(file.path())?;
        file.commit()?;
    }
    Ok(Written {
        html: out.join(HTML_FILE),
        markdown: out.join(MARKDOWN_FILE),
        json: out.join(JSON_FILE),
        bundle: run_folders.map(|_| out.join(pack_name(&report.plan.run))),
        earlier,
    })
}

/// A file that has everything but its name.
fn staged(out: &Path, name: &str, text: &str) -> Result<Replacement<'static, Disk>, DiskError> {
    let mut file = Replacement::begin(&Disk, &out.join(name))?;
    file.put(text.as_bytes())?;
    Ok(file)
}

/// Moves an earlier report, with its evidence pack, into a folder of its own.
fn keep_earlier(out: &Path) -> Result<Option<PathBuf>, Failure> {
    let names: Vec<OsString> =
        Disk.list(out)?.into_iter().filter(|name| is_own(out, name)).collect();
    let unfinished = out.join(UNFINISHED);
    let is_begun = Disk.is_folder(&unfinished)?;
    if is_begun {
        expect_own(&unfinished)?;
    } else if names.is_empty() {
        return Ok(None);
    } else {
        Disk.create_folder(&unfinished)?;
    }
    for name in names {
        let to = unfinished.join(&name);
        expect_nothing(&to)?;
        Disk.rename(&out.join(&name), &to)?;
    }
    Disk.sync_folder(&unfinished)?;
    let numbered = (1_u32..).map(|number| out.join(format!("earlier-{number}")));
    let free = numbered.into_iter().find(|folder| folder.symlink_metadata().is_err());
    let Some(folder) = free else { return Ok(None) };
    Disk.rename(&unfinished, &folder)?;
    Disk.sync_folder(out)?;
    Ok(Some(folder))
}

/// Refuses a folder in which there is something that `report` did not write.
fn expect_own(folder: &Path) -> Result<(), Failure> {
    let foreign = Disk.list(folder)?.into_iter().find(|name| !is_own(folder, name));
    foreign.map_or(Ok(()), |name| expect_nothing(&folder.join(name)))
}

/// Removes what a report that was killed left under temporary names. The lock is held: nobody else
/// writes them.
fn remove_leftovers(out: &Path) -> Result<(), Failure> {
    for name in Disk.list(out)? {
        let is_its = |of: &str| is_pack(of) || [HTML_FILE, MARKDOWN_FILE, JSON_FILE].contains(&of);
        if original_of(&name).is_some_and(is_its) {
            Disk.remove_file(&out.join(&name))?;
        }
    }
    Ok(())
}

/// The lock of a folder, once it is free.
fn hold(out: &Path) -> Result<Box<dyn OpenFile>, Failure> {
    for _ in 0..LOCK_ASKED_MAX {
        let file = Disk.open(&out.join(LOCK_FILE), Open::Write)?;
        // Where the file system knows no locks, the names alone have to do.
        if file.try_lock()? == Locking::HeldByAnother {
            thread::sleep(LOCK_WAIT);
        } else if Disk.is_still_there(file.as_ref())? {
            return Ok(file);
        }
    }
    let message = format!("another `report` is writing into {}", out.display());
    Err(Failure::refused(message, hints::report::WAIT))
}

fn pack_name(run: &str) -> String {
    format!("{}.tar.gz", bundle::folder_name(run))
}

fn is_pack(name: &str) -> bool {
    name.starts_with("evidence-") && name.ends_with(".tar.gz")
}

/// Whether `report` wrote the file of that name, by its content. Somebody may have signed it since.
fn is_own(out: &Path, name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let path = out.join(name);
    if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return false;
    }
    let is_its = match name {
        JSON_FILE => begins(&path, JSON_BEGINNING),
        HTML_FILE => has(&path, &["<!DOCTYPE html>"], r#"<p class="kind">Migration report "#),
        MARKDOWN_FILE => has(&path, &headlines(), "\nRun `"),
        name if is_pack(name) => is_own_pack(&path, name.trim_end_matches(".tar.gz")),
        _ => return false,
    };
    is_its.unwrap_or(false)
}

/// The first line of every report as Markdown.
fn headlines() -> [String; 5] {
    let words =
        [Word::Holds, Word::HoldsWithExceptions, Word::DoesNotHold, Word::NotChecked, Word::DryRun];
    words.map(|word| {
        let headline = headline(word);
        format!("# {} {}", headline.symbol, headline.words)
    })
}

fn begins(path: &Path, beginning: &[u8]) -> io::Result<bool> {
    let mut bytes = vec![0; beginning.len()];
    let file = Disk.open(path, Open::Read).map_err(io::Error::other)?;
    file.read_exact_at(&mut bytes, 0).map_err(io::Error::other)?;
    Ok(bytes == beginning)
}

/// Whether a text has one of these beginnings, and a place that no other text has.
fn has(path: &Path, beginnings: &[impl AsRef<str>], place: &str) -> io::Result<bool> {
    let text = Disk.read(path, PAGE_BYTES_MAX).map_err(io::Error::other)?;
    let text = String::from_utf8_lossy(&text);
    Ok(beginnings.iter().any(|it| text.starts_with(it.as_ref())) && text.contains(place))
}

/// Whether the first file of an archive is that of an evidence pack of this name.
fn is_own_pack(path: &Path, stem: &str) -> io::Result<bool> {
    let first = format!("{stem}/{}\0", bundle::README_FILE);
    let mut bytes = vec![0; first.len()];
    let file = Disk.open(path, Open::Read).map_err(io::Error::other)?;
    flate2::read::GzDecoder::new(file).read_exact(&mut bytes)?;
    Ok(bytes == first.as_bytes())
}
