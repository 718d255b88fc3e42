//! `reshelve explain`.

use comfy_table::Table;
use comfy_table::presets;

use reshelve::ends::{Batch, BatchLimits, Form};
use reshelve_core::extjson;
use reshelve_core::mapping::{self, Explained, Explanation, Options, Warning};
use reshelve_core::raw::{self, Document};
use serde::Serialize;

use super::ends;
use crate::cli::ExplainArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain};

#[derive(Debug, Serialize)]
struct ExplainDocument<'e> {
    schema: &'static str,
    job: &'e str,
    fields: &'e [Explained],
    warnings: &'e [Warning],
    reject: Option<RejectDocument<'e>>,
}

#[derive(Debug, Serialize)]
struct RejectDocument<'e> {
    code: &'static str,
    path: &'static str,
    message: &'e str,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let legacy = find(args)?;
    let options = Options {
        on_unknown_status: args.mapping.on_unknown_status.into(),
        status_policy: args.mapping.status_policy.into(),
        in_flight: args.mapping.in_flight.map(Into::into).unwrap_or_default(),
    };
    let explanation = mapping::explain(&legacy, options);
    printer.text(&page(&args.job, &explanation));
    printer.json(&ExplainDocument {
        schema: "reshelve.explain/1",
        job: &args.job,
        fields: &explanation.fields,
        warnings: &explanation.warnings,
        reject: explanation.reject.as_ref().map(|reject| RejectDocument {
            code: reject.code.as_str(),
            path: reject.code.path(),
            message: &reject.message,
        }),
    });
    Ok(ExitCode::Done)
}

/// Reads the source up to the document.
fn find(args: &ExplainArgs) -> Result<Vec<u8>, Failure> {
    let patience = reshelve_mongo::Patience::default();
    let origin = ends::origin(&args.source.source, &args.source.pick, &patience)?;
    let mut source = origin.open()?.source;
    let mut batch = Batch::default();
    let mut parsed = Vec::new();
    loop {
        batch.clear();
        let more = source
            .fill(&mut batch, BatchLimits::default())
            .map_err(|damage| Failure::failed(damage.to_string()))?;
        if !more {
            let message = format!("there is no document with the _id {}", plain(&args.job));
            let hint = "--job takes the _id: 24 hex digits of an ObjectId, or the string itself";
            return Err(Failure::usage(message, Some(hint)));
        }
        for item in &batch.items {
            let mut document = batch.document(item);
            if batch.form == Form::Json {
                parsed.clear();
                if extjson::parse(document, &mut parsed).is_err() {
                    continue;
                }
                document = &parsed;
            }
            if is_job(document, &args.job) && raw::check(document).is_ok() {
                return Ok(document.to_vec());
            }
        }
    }
}

fn is_job(document: &[u8], job: &str) -> bool {
    let Some(id) = Document::new(document).get("_id") else { return false };
    match id.object_id() {
        Some(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            hex == job.to_ascii_lowercase()
        }
        None => id.string() == Some(job.as_bytes()),
    }
}

fn page(job: &str, explanation: &Explanation) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["legacy path", "fields", "target", "rule"]);
    for field in &explanation.fields {
        table.add_row([
            plain(&field.path),
            number(field.occurrences),
            field.target.clone().unwrap_or_else(|| "residue only".into()),
            field.rule.clone(),
        ]);
    }
    let mut lines = vec![format!("job {}", plain(job)), String::new(), table.trim_fmt()];
    if let Some(reject) = &explanation.reject {
        lines.push(format!("\nrejected: {}: {}", reject.code, plain(&reject.message)));
    }
    if !explanation.warnings.is_empty() {
        lines.push("\nwarnings".into());
        for warning in &explanation.warnings {
            lines.push(format!("  {:<26} {}", warning.code.as_str(), plain(&warning.path)));
        }
    }
    lines.push(
        "\nThe residue keeps whatever the target does not hold as it is; \
        restoring gives back every byte."
            .into(),
    );
    lines.join("\n")
}
