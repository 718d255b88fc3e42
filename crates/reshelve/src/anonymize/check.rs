//! The proof that a copy is true to life: both sides are mapped, and what the mapping says of them
//! is compared.

use super::dates::Shift;
use reshelve_core::mapping::{
    InFlight, Mapped, Mapper, OnUnknownStatus, Options, Outcome, RejectCode, StatusPolicy,
    TargetDocuments, WarningCode,
};
use reshelve_core::raw::{DATE_MAX, DATE_MIN, Document, Value, documents, kind};

/// In what a copy differs from its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// The mapping rejects one and not the other, or for another reason.
    Verdict,
    /// Their warnings differ.
    Warnings,
    /// Their events differ.
    Events,
    /// Their status in the target differs.
    Status,
    /// A relationship points to another character.
    Relationships,
    /// Their sizes differ by more than is allowed.
    Size,
    /// No pseudonyms were found that keep the order of the names.
    Names,
    /// Their costs or tokens differ.
    Totals,
}

impl Difference {
    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Verdict => "verdict",
            Difference::Warnings => "warnings",
            Difference::Events => "events",
            Difference::Status => "status",
            Difference::Relationships => "relationships",
            Difference::Size => "size",
            Difference::Names => "names",
            Difference::Totals => "totals",
        }
    }
}

/// How much the size of a copy may differ: two in a hundred, and so many bytes for small ones.
const SIZE_BYTES: usize = 64;

/// Whether the sizes of two documents are alike.
pub(super) fn are_sizes_alike(original: usize, copy: usize) -> bool {
    original.abs_diff(copy) <= (original / 50).max(SIZE_BYTES)
}

/// What the mapping says of a document without its target documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) reject: Option<RejectCode>,
    pub(super) is_skipped: bool,
    pub(super) warnings: Vec<WarningCode>,
}

/// Maps both sides. It keeps its buffers from one document to the next.
pub(super) struct Checker {
    options: Options,
    mappers: Vec<(Options, Mapper)>,
    original: TargetDocuments,
    copy: TargetDocuments,
}

/// Above this many bytes a buffer's memory is given back: it was for one large document.
const KEPT_BYTES_MAX: usize = 8 * 1024 * 1024;

impl Checker {
    pub(super) fn new(options: Options) -> Checker {
        Checker {
            options,
            mappers: Vec::new(),
            original: TargetDocuments::default(),
            copy: TargetDocuments::default(),
        }
    }

    /// Compares what the mapping makes of two documents, whatever its options are.
    pub(super) fn compare(
        &mut self,
        original: &[u8],
        copy: &[u8],
        shift: Shift,
    ) -> Result<(), Difference> {
        let first = self.compare_with(self.options, original, copy, shift)?;
        for options in others(self.options, &first, original) {
            self.compare_with(options, original, copy, shift)?;
        }
        Ok(())
    }

    fn compare_with(
        &mut self,
        options: Options,
        original: &[u8],
        copy: &[u8],
        shift: Shift,
    ) -> Result<Verdict, Difference> {
        if self.original.bytes().iter().any(|bytes| bytes.len() > KEPT_BYTES_MAX) {
            *self = Checker::new(self.options);
        }
        let known = self.mappers.iter().position(|(of, _)| *of == options);
        let known = known.unwrap_or_else(|| {
            self.mappers.push((options, Mapper::new(options)));
            self.mappers.len() - 1
        });
        let Some((_, mapper)) = self.mappers.get_mut(known) else {
            return Err(Difference::Verdict);
        };
        self.original.clear();
        self.copy.clear();
        let one = mapper.map(original, &mut self.original);
        let other = mapper.map(copy, &mut self.copy);
        let (verdict, other_verdict) = (verdict(&one), verdict(&other));
        if (verdict.reject, verdict.is_skipped) != (other_verdict.reject, other_verdict.is_skipped)
        {
            return Err(Difference::Verdict);
        }
        if verdict.warnings != other_verdict.warnings {
            return Err(Difference::Warnings);
        }
        if let (Outcome::Mapped(one), Outcome::Mapped(other)) = (&one, &other) {
            self.compare_targets(one, other, shift)?;
        }
        Ok(verdict)
    }

    fn compare_targets(
        &self,
        one: &Mapped,
        other: &Mapped,
        shift: Shift,
    ) -> Result<(), Difference> {
        if one.events != other.events {
            return Err(Difference::Events);
        }
        let status = |target: &TargetDocuments| {
            let job = Document::new(target.jobs.bytes());
            job.get("status").and_then(Value::string).map(<[u8]>::to_vec)
        };
        if one.is_in_flight != other.is_in_flight || status(&self.original) != status(&self.copy) {
            return Err(Difference::Status);
        }
        let (one, other) = (self.original.events.bytes(), self.copy.events.bytes());
        let mut events = documents(one).zip(documents(other));
        let are_alike = events.all(|(one_at, other_at)| {
            let (one, other) = (Document::new(&one[one_at]), Document::new(&other[other_at]));
            are_events_alike(one, other, shift)
        });
        if !are_alike {
            return Err(Difference::Events);
        }
        /// Times are not among them: without any date of its own, a job begins in 1970.
        fn sums<'t>(target: &'t TargetDocuments, name: &str) -> Document<'t> {
            let metrics = Document::new(target.metrics.bytes());
            metrics.get(name).and_then(Value::document).unwrap_or(Document::EMPTY)
        }
        let are_alike = ["cost", "tokens"]
            .iter()
            .all(|name| are_numbers_alike(sums(&self.original, name), sums(&self.copy, name)));
        if are_alike { Ok(()) } else { Err(Difference::Totals) }
    }
}

/// The other options under which the outcome could be another one.
fn others(options: Options, verdict: &Verdict, original: &[u8]) -> Vec<Options> {
    let mut others = Vec::new();
    if verdict.reject == Some(RejectCode::UnknownStatus) {
        let on_unknown_status = OnUnknownStatus::Failed;
        others.push(Options { on_unknown_status, in_flight: InFlight::Include, ..options });
    }
    if verdict.warnings.contains(&WarningCode::StatusConflict) {
        let status_policy = match options.status_policy {
            StatusPolicy::Legacy => StatusPolicy::Evidence,
            StatusPolicy::Evidence => StatusPolicy::Legacy,
        };
        others.push(Options { status_policy, ..options });
    }
    let status = Document::new(original).get("status").and_then(Value::string);
    let is_in_flight = status
        .and_then(reshelve_core::mapping::Status::of_legacy)
        .is_some_and(reshelve_core::mapping::Status::is_in_flight);
    if is_in_flight {
        let in_flight = match options.in_flight {
            InFlight::AsFailed => InFlight::Include,
            InFlight::Include | InFlight::Skip => InFlight::AsFailed,
        };
        others.push(Options { in_flight, ..options });
    }
    others
}

/// What the mapping says of a document.
pub(super) fn verdict(outcome: &Outcome) -> Verdict {
    let none = Verdict { reject: None, is_skipped: false, warnings: Vec::new() };
    match outcome {
        Outcome::Mapped(mapped) => {
            // They are sorted by code first; their paths hold names.
            let warnings = mapped.warnings.iter().map(|warning| warning.code).collect();
            Verdict { warnings, ..none }
        }
        Outcome::Skipped => Verdict { is_skipped: true, ..none },
        Outcome::Rejected(reject) => Verdict { reject: Some(reject.code), ..none },
    }
}

/// Whether two events are of one kind, and as far from the beginning of their jobs.
fn are_events_alike(one: Document<'_>, other: Document<'_>, shift: Shift) -> bool {
    let text = |event: Document<'_>, name: &str| {
        event.get(name).and_then(Value::string).map(<[u8]>::to_vec)
    };
    let body = |event: Document<'_>, name: &str, field: &str| {
        event.get(name).and_then(Value::document).and_then(|body| text(body, field))
    };
    let at = |event: Document<'_>| event.get("emittedAt").and_then(Value::date_ms);
    let is_shifted = match (at(one), at(other)) {
        (Some(one), Some(other)) => {
            other == one || other - one == shift.offset_ms() || is_extreme(one)
        }
        (one, other) => one == other,
    };
    is_shifted
        && text(one, "kind") == text(other, "kind")
        && text(one, "status") == text(other, "status")
        && body(one, "event", "type") == body(other, "event", "type")
        && body(one, "event", "status") == body(other, "event", "status")
}

/// A date so near to a limit, or to the beginning of time, that it need not be shifted.
fn is_extreme(date_ms: i64) -> bool {
    const YEARS_MS: i64 = 6 * 366 * 86_400_000;
    !(DATE_MIN + YEARS_MS..=DATE_MAX - YEARS_MS).contains(&date_ms) || date_ms.abs() < YEARS_MS
}

/// Whether two documents have the same fields and numbers.
fn are_numbers_alike(one: Document<'_>, other: Document<'_>) -> bool {
    let (mut of_one, mut of_other) = (one.elements(), other.elements());
    loop {
        match (of_one.next(), of_other.next()) {
            (None, None) => return true,
            (Some(one), Some(other))
                if one.name == other.name && one.value.kind == other.value.kind =>
            {
                let is_alike = match one.value.kind {
                    kind::DOCUMENT | kind::ARRAY => are_numbers_alike(
                        Document::new(one.value.bytes),
                        Document::new(other.value.bytes),
                    ),
                    kind::INT32 | kind::INT64 | kind::DOUBLE | kind::BOOLEAN => {
                        one.value.bytes == other.value.bytes
                    }
                    _ => true,
                };
                if !is_alike {
                    return false;
                }
            }
            _ => return false,
        }
    }
}
