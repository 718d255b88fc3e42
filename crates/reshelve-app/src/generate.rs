//! `generate`: synthetic legacy data.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use reshelve::generate::{
    self, Documents, FORM_NAMES, GenerateError, Inflicted, Output, OutputForm, Stream, Written,
};
use reshelve::store::{Disk, Files, folder_of};
use serde::Serialize;

use crate::beside::{Beside, sync};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::overlap;
use crate::places;
use crate::restore::{beside as beside_runs, known_runs};

pub use reshelve::generate::{Era, Eras, Fault, Metadata, Plan, Size, Stage, Stages};

/// What `generate` is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to write.
    pub out: PathBuf,
    /// The form; none for the one that the name shows.
    pub form: Option<String>,
    /// Whether to replace what is there.
    pub overwrite: bool,
    /// What to write.
    pub plan: Plan,
    /// How to damage it.
    pub fault: Option<Fault>,
    /// The folder of run folders: what runs have read is not written over.
    pub runs_folder: PathBuf,
}

/// What was written; as JSON, `reshelve.generate/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// Where.
    pub out: String,
    /// In which form.
    pub form: String,
    /// Documents.
    pub documents: u64,
    /// Their bytes as BSON.
    pub bson_bytes: u64,
    /// How it was damaged.
    pub fault: Option<FaultAnswer>,
}

/// How a file was damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultAnswer {
    /// The file.
    pub path: String,
    /// Where it was damaged.
    pub offset: u64,
    /// How long it is now.
    pub bytes: u64,
    /// Which document was hit, if that is known.
    pub document: Option<u64>,
    /// Where that document begins.
    pub document_offset: Option<u64>,
}

/// Writes synthetic legacy data. It is written beside its place, and takes it when it is whole.
///
/// # Errors
/// If it cannot be written, or the form is not known; nothing is changed then. Refused if it would
/// lie in a target, or replace what a run has read.
pub fn generate(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`generate`")?;
    places::refuse_live(&request.out)?;
    let mut output = Output::new(&request.out);
    if let Some(form) = &request.form {
        output.form = form.parse().map_err(failed)?;
    }
    expect_free(&output, request)?;
    handle.watcher().ready();
    // A folder that is there may be a file system of its own.
    let is_there = matches!(output.form, OutputForm::Folder { .. }) && output.path.is_dir();
    let place_of = if is_there { folder_of_database(&output) } else { output.path.clone() };
    let beside = Beside::new(&place_of);
    let temporary = Output { path: beside.path().to_owned(), ..output.clone() };
    let (written, fault) = write(request, &temporary, handle)
        .map_err(|error| failed(named(error, beside.path(), &request.out)))?;
    if handle.is_cancelled() {
        let hint = Some(hints::COMPARE_AGAIN.to_owned());
        let interrupted = Failure::failed("interrupted: nothing was generated");
        return Err(Failure { code: ExitCode::Interrupted, hint, ..interrupted });
    }
    place(beside, &output, request)?;
    Ok(Outcome {
        schema: "reshelve.generate/1",
        out: request.out.display().to_string(),
        form: output.form.to_string(),
        documents: written.documents,
        bson_bytes: written.bson_bytes,
        fault: fault.map(|it| fault_answer(it, &collection_file(&output))),
    })
}

/// Writes all of it, and damages it; less of it if it is cancelled.
fn write(
    request: &Request,
    output: &Output,
    handle: &Handle,
) -> Result<(Written, Option<Inflicted>), GenerateError> {
    let mut stream = Stream::new(request.plan);
    let mut next = |out: &mut Vec<u8>| Ok(!handle.is_cancelled() && stream.append_next(out));
    let documents = Documents { next: &mut next, seed: request.plan.seed };
    let written = generate::write_documents(documents, output, &mut |_| {})?;
    let inflict = |fault| generate::inflict(&collection_file(output), fault, request.plan.seed);
    let fault = request.fault.filter(|_| !handle.is_cancelled()).map(inflict).transpose()?;
    Ok((written, fault))
}

/// The file with the documents: in a folder, that of the collection.
fn collection_file(output: &Output) -> PathBuf {
    let OutputForm::Folder { gzip } = output.form else { return output.path.clone() };
    let suffix = if gzip { ".gz" } else { "" };
    folder_of_database(output).join(format!("{}.bson{suffix}", output.collection))
}

fn folder_of_database(output: &Output) -> PathBuf {
    output.path.join(&output.database)
}

/// Refuses a place in a target or over the source of a run, and one that is taken.
fn expect_free(output: &Output, request: &Request) -> Result<(), Failure> {
    let folders = [request.runs_folder.clone(), beside_runs(&output.path)];
    let runs = known_runs(folders)?;
    let file = collection_file(output);
    expect_replaceable(&file, request.overwrite)?;
    overlap::refuse_generated(&file, request.overwrite, &runs)?;
    let is_folder = matches!(output.form, OutputForm::Folder { .. });
    if is_folder && output.path.is_file() {
        let message = format!("{} is a file, and this form is a folder", output.path.display());
        return Err(Failure::usage(message, hints::GENERATE_ELSEWHERE));
    }
    Ok(())
}

/// Only a regular file is replaced: what a link names is nobody's to write over.
fn expect_replaceable(path: &Path, overwrite: bool) -> Result<(), Failure> {
    let Ok(there) = path.symlink_metadata() else { return Ok(()) };
    if !overwrite {
        let message = format!("{} is there already", path.display());
        return Err(Failure::usage(message, hints::OVERWRITE));
    }
    if !there.is_file() {
        let message = format!("{} is no regular file: it is not replaced", path.display());
        return Err(Failure::refused(message, hints::GENERATE_ELSEWHERE));
    }
    Ok(())
}

/// Gives what was written its place: a file, or a folder that is not there yet, in one step; the
/// files of a folder that is there one after the other.
fn place(beside: Beside, output: &Output, request: &Request) -> Result<(), Failure> {
    let out = &output.path;
    let is_folder = matches!(output.form, OutputForm::Folder { .. });
    if !is_folder {
        expect_replaceable(out, request.overwrite)?;
        Disk.take_rights(out, beside.path())?;
        return Ok(beside.name(out)?);
    }
    if out.symlink_metadata().is_err() {
        Disk.create_folders(folder_of(out))?;
        return Ok(beside.name(out)?);
    }
    let (from, to) = (beside.path().join(&output.database), folder_of_database(output));
    let names = Disk.list(&from)?;
    names.iter().try_for_each(|name| expect_replaceable(&to.join(name), request.overwrite))?;
    sync(&from)?;
    Disk.create_folders(&to)?;
    for name in names {
        Disk.rename(&from.join(&name), &to.join(&name))?;
    }
    Ok(Disk.sync_folder(&to)?)
}

/// The error of something that was written beside its place, by the name of that.
fn named(mut error: GenerateError, beside: &Path, out: &Path) -> GenerateError {
    if let GenerateError::Io { path, .. } | GenerateError::NoPlace { path, .. } = &mut error
        && let Ok(rest) = path.strip_prefix(beside)
    {
        *path = if rest.as_os_str().is_empty() { out.to_owned() } else { out.join(rest) };
    }
    error
}

fn fault_answer(inflicted: Inflicted, path: &Path) -> FaultAnswer {
    FaultAnswer {
        path: path.display().to_string(),
        offset: inflicted.offset,
        bytes: inflicted.bytes,
        document: inflicted.document,
        document_offset: inflicted.document_offset,
    }
}

pub(crate) fn failed(error: GenerateError) -> Failure {
    match &error {
        GenerateError::Io { path, source } if source.kind() == ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} is there already", path.display()), hints::OVERWRITE)
        }
        GenerateError::UnknownForm(_) => {
            let names: Vec<&str> = FORM_NAMES.iter().map(|(name, _)| *name).collect();
            Failure::usage(error.to_string(), hints::one_of(&names))
        }
        _ => Failure::failed(error.to_string()),
    }
}
