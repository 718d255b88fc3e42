//! `reshelve generate`.

use reshelve::generate::{
    self, Era, Eras, Fault, GenerateError, Inflicted, Metadata, Output, Plan, Size, Stage, Stages,
};
use serde::Serialize;

use super::ends::refuse_live;
use crate::cli::{FaultName, GenerateArgs, MetadataName, Preset, SizeName, StageName};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, size};

#[derive(Debug, Serialize)]
struct GenerateDocument {
    schema: &'static str,
    out: String,
    form: String,
    documents: u64,
    bson_bytes: u64,
    fault: Option<FaultDocument>,
}

#[derive(Debug, Serialize)]
struct FaultDocument {
    path: String,
    offset: u64,
    bytes: u64,
    document: Option<u64>,
    document_offset: Option<u64>,
}

pub(crate) fn run(args: &GenerateArgs) -> Result<ExitCode, Failure> {
    refuse_live(&args.out)?;
    let printer = Printer::new(args.json.json);
    let mut output = Output::new(&args.out);
    output.overwrite = args.overwrite;
    if let Some(form) = &args.form {
        output.form = form.parse().map_err(failed)?;
    }
    let written = generate::write(&plan(args), &output, &mut |_| {}).map_err(failed)?;
    let inflicted = match args.fault {
        Some(fault) => {
            let path = damaged_file(&output);
            Some(generate::inflict(&path, fault_of(fault), args.seed).map_err(failed)?)
        }
        None => None,
    };
    printer.text(&format!(
        "{} documents, {} as BSON, in {} ({})",
        number(written.documents),
        size(written.bson_bytes),
        args.out.display(),
        output.form
    ));
    if let Some(inflicted) = &inflicted {
        printer.text(&format!(
            "damaged {} at byte {}",
            inflicted.path.display(),
            number(inflicted.offset)
        ));
    }
    printer.json(&GenerateDocument {
        schema: "reshelve.generate/1",
        out: args.out.display().to_string(),
        form: output.form.to_string(),
        documents: written.documents,
        bson_bytes: written.bson_bytes,
        fault: inflicted.map(fault_document),
    });
    Ok(ExitCode::Done)
}

fn plan(args: &GenerateArgs) -> Plan {
    let (seed, documents) = (args.seed, args.documents);
    let mut plan = match args.preset {
        Preset::Standard => Plan::standard(seed, documents),
        Preset::Lifecycle => Plan::lifecycle(seed, documents),
        Preset::Populated => Plan::populated(seed, documents),
        Preset::Foreign => Plan::foreign(seed, documents),
    };
    if let Some(size) = args.size {
        plan.size = match size {
            SizeName::Small => Size::Small,
            SizeName::Medium => Size::Medium,
            SizeName::Large => Size::Large,
            SizeName::Mixed => Size::Mixed,
        };
    }
    if let Some(bytes) = args.document_bytes {
        plan.size = Size::Bytes(bytes);
    }
    if let Some(era) = args.era.and_then(Era::from_number) {
        plan.eras = Eras::Only(era);
    }
    if let Some(stage) = args.stage {
        plan.stages = Stages::Only(stage_of(stage));
    }
    if let Some(metadata) = args.metadata {
        plan.metadata = match metadata {
            MetadataName::Defaults => Metadata::Defaults,
            MetadataName::Populated => Metadata::Populated,
            MetadataName::Mixed => Metadata::Mixed,
        };
    }
    plan.in_flight &= !args.no_in_flight;
    plan.lies |= args.lies;
    plan.foreign |= args.foreign;
    plan
}

fn stage_of(stage: StageName) -> Stage {
    match stage {
        StageName::JustCreated => Stage::JustCreated,
        StageName::Outlining => Stage::Outlining,
        StageName::Writing => Stage::Writing,
        StageName::ChapterFailed => Stage::ChapterFailed,
        StageName::Completed => Stage::Completed,
        StageName::CompletedWithFailures => Stage::CompletedWithFailures,
        StageName::Failed => Stage::Failed,
        StageName::Recovering => Stage::Recovering,
    }
}

fn fault_of(fault: FaultName) -> Fault {
    match fault {
        FaultName::TruncateLast => Fault::TruncateLast,
        FaultName::Truncate => Fault::TruncateAt(500),
        FaultName::InvalidText => Fault::InvalidText,
        FaultName::ChangedText => Fault::ChangedText,
        FaultName::BrokenLength => Fault::BrokenLength,
        FaultName::FlippedByte => Fault::FlippedByte,
    }
}

/// In a folder it is the collection's file that is damaged.
fn damaged_file(output: &Output) -> std::path::PathBuf {
    if !output.path.is_dir() {
        return output.path.clone();
    }
    let folder = output.path.join(&output.database);
    let plain = folder.join(format!("{}.bson", output.collection));
    if plain.exists() { plain } else { folder.join(format!("{}.bson.gz", output.collection)) }
}

fn fault_document(inflicted: Inflicted) -> FaultDocument {
    FaultDocument {
        path: inflicted.path.display().to_string(),
        offset: inflicted.offset,
        bytes: inflicted.bytes,
        document: inflicted.document,
        document_offset: inflicted.document_offset,
    }
}

fn failed(error: GenerateError) -> Failure {
    match &error {
        GenerateError::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Failure::usage(error.to_string(), Some("--overwrite replaces what is there"))
        }
        GenerateError::UnknownForm(_) => {
            let names: Vec<&str> = generate::FORM_NAMES.iter().map(|(name, _)| *name).collect();
            Failure::usage(error.to_string(), Some(&format!("one of {}", names.join(", "))))
        }
        _ => Failure::failed(error.to_string()),
    }
}
