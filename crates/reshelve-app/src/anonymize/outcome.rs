//! What was copied, what was left out, and what a scan found.

use reshelve::anonymize::{FoundLeak, Summary};
use reshelve::generate::Output;
use serde::Serialize;

use super::Request;
use crate::exit_code::ExitCode;

/// A copy; as JSON, `reshelve.anonymize/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// Where the copy is; none if it was not kept.
    pub out: Option<String>,
    /// Its form.
    pub form: String,
    /// How many documents.
    pub documents: Documents,
    /// Their bytes as BSON.
    pub bytes: Bytes,
    /// Whether it is a sample.
    pub is_sample: bool,
    /// Whether both sides were mapped and compared.
    pub is_checked: bool,
    /// The paths that the policy does not know, which were redacted.
    pub unknown: Vec<String>,
    /// The documents that were left out, at most 1 000.
    pub left_out: Vec<LeftOut>,
    /// What of the source was found in the copy, at most 1 000.
    pub leaks: Vec<SharedLeak>,
    /// How often something was found.
    pub leaks_found: u64,
    /// The exit code.
    pub exit: u8,
}

/// How many documents were read and written.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Documents {
    /// Of the source, or, for a sample, chosen.
    pub read: u64,
    /// Of the copy.
    pub written: u64,
    /// Not in the copy.
    pub left_out: u64,
}

/// Bytes of documents as BSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bytes {
    /// Of those that were copied.
    pub read: u64,
    /// Of their copies.
    pub written: u64,
}

/// A document that is not in the copy.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// Its job id, where it has one.
    pub job: String,
    /// Why.
    pub reason: &'static str,
}

/// Something of the source that stands in the copy: where, never what.
#[derive(Clone, Debug, Serialize)]
pub struct SharedLeak {
    /// Which rule it breaks: `in-place`, `run`, `word`, `unpaired`.
    pub rule: &'static str,
    /// The job.
    pub job: String,
    /// The path, with `*` and `**` for names that are data.
    pub path: String,
}

fn leaks(found: Vec<FoundLeak>) -> Vec<SharedLeak> {
    let leak = |it: FoundLeak| SharedLeak { rule: it.leak.as_str(), job: it.job, path: it.path };
    found.into_iter().map(leak).collect()
}

impl Outcome {
    pub(super) fn new(
        request: &Request,
        output: &Output,
        unknown: &[String],
        summary: Summary,
    ) -> Outcome {
        let is_fit = summary.leaks == 0 && !summary.is_too_much_left_out();
        let exit = if is_fit { ExitCode::Done } else { ExitCode::NoParity };
        let left_out = summary.left_out_named.iter();
        Outcome {
            schema: "reshelve.anonymize/1",
            out: is_fit.then(|| request.out.display().to_string()),
            form: output.form.to_string(),
            documents: Documents {
                read: summary.read,
                written: if is_fit { summary.written } else { 0 },
                left_out: summary.left_out,
            },
            bytes: Bytes { read: summary.bytes_read, written: summary.bytes_written },
            is_sample: request.sample.is_some(),
            is_checked: request.copying.check,
            unknown: unknown.to_vec(),
            left_out: left_out
                .map(|(job, why)| LeftOut { job: job.clone(), reason: why.as_str() })
                .collect(),
            leaks_found: summary.leaks,
            leaks: leaks(summary.leaks_named),
            exit: exit.number(),
        }
    }

    /// Whether the copy can be given away, and so is kept.
    pub fn is_fit(&self) -> bool {
        self.out.is_some()
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        if self.is_fit() { ExitCode::Done } else { ExitCode::NoParity }
    }
}

/// A scan; as JSON, `reshelve.anonymize-scan/1`.
#[derive(Clone, Debug, Serialize)]
pub struct ScanOutcome {
    schema: &'static str,
    /// Documents of the copy.
    pub documents: u64,
    /// What of the source was found in it, at most 1 000.
    pub leaks: Vec<SharedLeak>,
    /// How often something was found.
    pub leaks_found: u64,
    /// The exit code.
    pub exit: u8,
}

impl ScanOutcome {
    pub(super) fn new(summary: Summary) -> ScanOutcome {
        let is_clean = summary.leaks == 0;
        let exit = if is_clean { ExitCode::Done } else { ExitCode::NoParity };
        ScanOutcome {
            schema: "reshelve.anonymize-scan/1",
            documents: summary.written,
            leaks_found: summary.leaks,
            leaks: leaks(summary.leaks_named),
            exit: exit.number(),
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        if self.leaks_found == 0 { ExitCode::Done } else { ExitCode::NoParity }
    }
}
