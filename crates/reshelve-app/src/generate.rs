//! `generate`: synthetic legacy data.

use std::io::ErrorKind;
use std::path::PathBuf;

use reshelve::generate::{self, FORM_NAMES, GenerateError, Inflicted, Output};
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::places;

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

/// Writes synthetic legacy data.
///
/// # Errors
/// If it cannot be written, or the form is not known.
pub fn generate(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("`generate`")?;
    places::refuse_live(&request.out)?;
    let mut output = Output::new(&request.out);
    output.overwrite = request.overwrite;
    if let Some(form) = &request.form {
        output.form = form.parse().map_err(failed)?;
    }
    let written = generate::write(&request.plan, &output, &mut |_| {}).map_err(failed)?;
    let fault = match request.fault {
        Some(fault) => {
            let path = damaged_file(&output);
            Some(generate::inflict(&path, fault, request.plan.seed).map_err(failed)?)
        }
        None => None,
    };
    Ok(Outcome {
        schema: "reshelve.generate/1",
        out: request.out.display().to_string(),
        form: output.form.to_string(),
        documents: written.documents,
        bson_bytes: written.bson_bytes,
        fault: fault.map(fault_answer),
    })
}

/// In a folder it is the collection's file that is damaged.
fn damaged_file(output: &Output) -> PathBuf {
    if !output.path.is_dir() {
        return output.path.clone();
    }
    let folder = output.path.join(&output.database);
    let plain = folder.join(format!("{}.bson", output.collection));
    if plain.exists() { plain } else { folder.join(format!("{}.bson.gz", output.collection)) }
}

fn fault_answer(inflicted: Inflicted) -> FaultAnswer {
    FaultAnswer {
        path: inflicted.path.display().to_string(),
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
