//! `chapters` as the rules see it.

use super::outline::number_or_position;
use crate::mapping::read::{Typed, pick, text};
use crate::mapping::warning::{Path, WarningCode};
use crate::raw::Value;

/// One document of `chapters`.
#[derive(Debug)]
pub(crate) struct Chapter<'a> {
    /// `chapterNumber`, else position + 1.
    pub(crate) number: f64,
    pub(crate) title: Option<&'a [u8]>,
    pub(crate) content: Option<&'a [u8]>,
    pub(crate) status: ChapterStatus,
    /// Whether there is a status of the type that came with era 2.
    pub(crate) status_is_string: bool,
    pub(crate) word_count: Option<f64>,
    pub(crate) attempts: Option<f64>,
    pub(crate) quality_score: Option<f64>,
    pub(crate) failure_reason: Option<&'a [u8]>,
    pub(crate) last_attempt_at: Option<i64>,
    pub(crate) generated_at: Option<i64>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) cost: Option<f64>,
}

/// The status of a chapter in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChapterStatus {
    Pending,
    InProgress,
    Completed,
    Failed,
}

impl ChapterStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ChapterStatus::Pending => "pending",
            ChapterStatus::InProgress => "in-progress",
            ChapterStatus::Completed => "completed",
            ChapterStatus::Failed => "failed",
        }
    }
}

pub(super) fn entries<'a>(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Vec<Chapter<'a>> {
    const NAMES: [&str; 12] = [
        "chapterNumber",
        "title",
        "content",
        "wordCount",
        "status",
        "attempts",
        "lastAttemptAt",
        "failureReason",
        "qualityScore",
        "generatedAt",
        "tokensUsed",
        "cost",
    ];
    let root = Path::ROOT;
    let path = root.name("chapters");
    let array = typed.array(value, &path);
    let mut chapters: Vec<Chapter<'a>> = Vec::new();
    let mut numbers = NumberSet::default();
    typed.documents(array, &path, |typed, index, document, path| {
        let [
            number,
            title,
            content,
            words,
            status,
            attempts,
            tried,
            reason,
            score,
            made,
            tokens,
            cost,
        ] = pick(document, &NAMES);
        let content = typed.string(content, &path.name("content"));
        let number = number_or_position(typed, number, path, index);
        if !numbers.insert(number) {
            typed.warnings.add(WarningCode::DuplicateChapterNumber, path);
        }
        chapters.push(Chapter {
            number,
            title: typed.string(title, &path.name("title")),
            content,
            status: chapter_status(typed, status, content, path),
            status_is_string: status.is_some_and(|value| value.string().is_some()),
            word_count: typed.number(words, &path.name("wordCount")),
            attempts: typed.number(attempts, &path.name("attempts")),
            quality_score: typed.number(score, &path.name("qualityScore")),
            failure_reason: typed.string(reason, &path.name("failureReason")),
            last_attempt_at: typed.date(tried, &path.name("lastAttemptAt")),
            generated_at: typed.date(made, &path.name("generatedAt")),
            tokens_used: typed.count(tokens, &path.name("tokensUsed")),
            cost: typed.count(cost, &path.name("cost")),
        });
    });
    chapters
}

fn chapter_status(
    typed: &mut Typed<'_>,
    value: Option<Value<'_>>,
    content: Option<&[u8]>,
    path: &Path<'_>,
) -> ChapterStatus {
    let value = value.filter(|value| !value.is_nullish());
    match value.and_then(Value::string) {
        Some(b"pending") => return ChapterStatus::Pending,
        Some(b"generating") => return ChapterStatus::InProgress,
        Some(b"completed") => return ChapterStatus::Completed,
        Some(b"failed") => return ChapterStatus::Failed,
        _ => {}
    }
    if value.is_some() {
        typed.warnings.add(WarningCode::UnknownChapterStatus, &path.name("status"));
    }
    match text(content) {
        Some(_) => ChapterStatus::Completed,
        None => ChapterStatus::Pending,
    }
}

/// Chapter numbers, compared as f64 (so -0.0 is 0).
#[derive(Debug, Default)]
pub(crate) struct NumberSet(std::collections::HashSet<u64>);

impl NumberSet {
    /// Adds a number. Returns whether it is new.
    pub(crate) fn insert(&mut self, number: f64) -> bool {
        self.0.insert((number + 0.0).to_bits())
    }

    pub(crate) fn contains(&self, number: f64) -> bool {
        self.0.contains(&(number + 0.0).to_bits())
    }
}

impl FromIterator<f64> for NumberSet {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        NumberSet(numbers.into_iter().map(|number| (number + 0.0).to_bits()).collect())
    }
}

impl PartialEq for NumberSet {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
