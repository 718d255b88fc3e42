//! Warnings: what the mapping noticed without stopping, as a code and a path.

/// What was noticed. The text form is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// An alert got a suffix, because another one has its id.
    AlertIdCollision,
    /// An alert equal to an earlier one was merged into it.
    AlertMerged,
    /// The tracked total differs from what the parts add up to.
    CostDrift,
    /// A chapter has the number of an earlier one.
    DuplicateChapterNumber,
    /// A date outside the years 0000–9999, or a number that is not a date.
    InvalidDate,
    /// NaN, an infinity, or a negative count.
    InvalidNumber,
    /// A map key was written in another form.
    KeyEscaped,
    /// More entries than the new application displays.
    OverDisplayLimit,
    /// The recorded progress differs from the chapters.
    ProgressDrift,
    /// The status contradicts the chapters.
    StatusConflict,
    /// No date says when the job was created.
    TimeMissing,
    /// A value of a type that its rule does not expect.
    TypeMismatch,
    /// An unknown chapter status.
    UnknownChapterStatus,
    /// An unknown alert severity.
    UnknownSeverity,
    /// An unknown status, taken as failed.
    UnknownStatus,
    /// A copied part that a reader of the target may fail on was left out.
    UnreadablePart,
}

impl WarningCode {
    /// The code as the contract spells it, such as `type-mismatch`.
    pub fn as_str(self) -> &'static str {
        match self {
            WarningCode::AlertIdCollision => "alert-id-collision",
            WarningCode::AlertMerged => "alert-merged",
            WarningCode::CostDrift => "cost-drift",
            WarningCode::DuplicateChapterNumber => "duplicate-chapter-number",
            WarningCode::InvalidDate => "invalid-date",
            WarningCode::InvalidNumber => "invalid-number",
            WarningCode::KeyEscaped => "key-escaped",
            WarningCode::OverDisplayLimit => "over-display-limit",
            WarningCode::ProgressDrift => "progress-drift",
            WarningCode::StatusConflict => "status-conflict",
            WarningCode::TimeMissing => "time-missing",
            WarningCode::TypeMismatch => "type-mismatch",
            WarningCode::UnknownChapterStatus => "unknown-chapter-status",
            WarningCode::UnknownSeverity => "unknown-severity",
            WarningCode::UnknownStatus => "unknown-status",
            WarningCode::UnreadablePart => "unreadable-part",
        }
    }
}

impl std::fmt::Display for WarningCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for WarningCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One warning. Warnings are ordered by code, then path, as bytes (the variants of [`WarningCode`]
/// are in the order of their text).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Warning {
    /// What was noticed.
    pub code: WarningCode,
    /// Where in the legacy document: names and positions joined with dots, map keys unescaped.
    pub path: String,
}

/// A path in the legacy document, rendered only where there is a warning about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    segment: Segment<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'p> {
    Root,
    Name(&'p [u8]),
    Index(usize),
}

impl<'p> Path<'p> {
    pub(crate) const ROOT: Path<'static> = Path { parent: None, segment: Segment::Root };

    pub(crate) fn name<'c>(&'c self, name: &'c str) -> Path<'c> {
        self.key(name.as_bytes())
    }

    pub(crate) fn key<'c>(&'c self, name: &'c [u8]) -> Path<'c> {
        Path { parent: Some(self), segment: Segment::Name(name) }
    }

    pub(crate) fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), segment: Segment::Index(index) }
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        self.push(&mut text);
        text
    }

    fn push(&self, text: &mut String) {
        let Some(parent) = self.parent else { return };
        parent.push(text);
        if !matches!(parent.segment, Segment::Root) {
            text.push('.');
        }
        match self.segment {
            Segment::Root => {}
            Segment::Name(name) => text.push_str(&String::from_utf8_lossy(name)),
            Segment::Index(index) => text.push_str(&index.to_string()),
        }
    }
}

/// The warnings of one document while it is being mapped.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    list: Vec<Warning>,
}

impl Warnings {
    #[cold]
    pub(crate) fn add(&mut self, code: WarningCode, path: &Path<'_>) {
        self.list.push(Warning { code, path: path.render() });
    }

    /// Each pair once, sorted by code, then path.
    pub(crate) fn finish(mut self) -> Vec<Warning> {
        self.list.sort();
        self.list.dedup();
        self.list
    }
}
