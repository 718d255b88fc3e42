//! What a foreign writer (a hand import, a fork, a deployed branch) may have left behind.

use super::{
    prose,
    rng::Rng,
    scribe::{Scribe, Width},
    story::Story,
};
use reshelve_core::raw::kind;

/// One thing that the application itself never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// `error` as a string.
    ErrorText,
    /// `error` as `{message, phase, timestamp}`.
    ErrorObject,
    /// The document `analysis`.
    Analysis,
    /// `modelUsage.premiseAnalysis`.
    PremiseUsage,
    /// `progress.recoveryAttempts` and `progress.failedAt`.
    Recoveries,
    /// `qualityMetrics` with all the fields that mongoose dropped.
    MoreQuality,
    /// `pending`, `processing`, `analyzing`, `cancelled`.
    OtherStatus,
    /// An unknown status.
    UnknownStatus,
    /// No status at all.
    NoStatus,
    /// `pending`, `error`, `cancelled`, `cleaned_up`, `emergency_cleanup`.
    OtherPhase,
    /// A string `_id`.
    StringId,
    /// Whole numbers as Int64.
    Int64Counts,
    /// Whole numbers as Double.
    DoubleCounts,
    /// Values of a type that no rule expects.
    WrongTypes,
    /// Unknown fields at the top level, of every BSON type that is in use.
    UnknownFields,
    /// `createdAt` outside of the years that the contract covers.
    FarDate,
    /// NaN and infinite numbers.
    NotANumber,
    /// A repeated name.
    RepeatedName,
    /// Story-bible keys with `.`, a leading `$`, and an empty key.
    OddKeys,
    /// Times as numbers, missing severities and ids.
    OddAlerts,
    /// Types that a JavaScript reader may fail on.
    Unreadable,
}

impl Oddity {
    const ALL: [Oddity; 21] = [
        Oddity::ErrorText,
        Oddity::ErrorObject,
        Oddity::Analysis,
        Oddity::PremiseUsage,
        Oddity::Recoveries,
        Oddity::MoreQuality,
        Oddity::OtherStatus,
        Oddity::UnknownStatus,
        Oddity::NoStatus,
        Oddity::OtherPhase,
        Oddity::StringId,
        Oddity::Int64Counts,
        Oddity::DoubleCounts,
        Oddity::WrongTypes,
        Oddity::UnknownFields,
        Oddity::FarDate,
        Oddity::NotANumber,
        Oddity::RepeatedName,
        Oddity::OddKeys,
        Oddity::OddAlerts,
        Oddity::Unreadable,
    ];
}

/// The oddities of one document.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Foreign {
    oddities: [Option<Oddity>; 4],
}

impl Foreign {
    /// One to four of them.
    pub(super) fn some(rng: &mut Rng) -> Foreign {
        let mut foreign = Foreign::default();
        let count = 1 + rng.index(foreign.oddities.len());
        for oddity in &mut foreign.oddities[..count] {
            *oddity = Some(rng.pick(&Oddity::ALL));
        }
        foreign
    }

    /// Whether the document has that oddity.
    pub(super) fn has(&self, oddity: Oddity) -> bool {
        self.oddities.contains(&Some(oddity))
    }

    pub(super) fn width(&self) -> Width {
        if self.has(Oddity::Int64Counts) {
            Width::Int64
        } else if self.has(Oddity::DoubleCounts) {
            Width::Double
        } else {
            Width::Int32
        }
    }

    pub(super) fn id(&self, scribe: &mut Scribe, created_ms: i64) {
        if self.has(Oddity::StringId) {
            let (bits, form) = (scribe.rng.bits(), scribe.rng.below(3));
            let id = match form {
                0 => format!("novel-{bits:016x}"),
                1 => format!("{created_ms}-{:05}", bits % 100_000),
                _ => format!("小説/№ {bits:016x}"),
            };
            scribe.writer.string("_id", id.as_bytes());
        } else {
            scribe.object_id("_id", created_ms);
        }
    }

    pub(super) fn status(&self, scribe: &mut Scribe, status: &str) {
        if self.has(Oddity::NoStatus) {
            return;
        }
        let status = if self.has(Oddity::UnknownStatus) {
            scribe.rng.pick(&["archived", "COMPLETED", "draft", ""])
        } else if self.has(Oddity::OtherStatus) {
            scribe.rng.pick(&["pending", "processing", "analyzing", "cancelled", "queued"])
        } else {
            status
        };
        scribe.writer.string("status", status.as_bytes());
    }

    pub(super) fn phase(&self, scribe: &mut Scribe, phase: &str) {
        let phase = if self.has(Oddity::OtherPhase) {
            let phases = ["pending", "error", "cancelled", "cleaned_up", "emergency_cleanup"];
            scribe.rng.pick(&phases)
        } else {
            phase
        };
        scribe.writer.string("currentPhase", phase.as_bytes());
    }

    pub(super) fn created(&self, scribe: &mut Scribe, created_ms: i64) {
        let created_ms = if self.has(Oddity::FarDate) {
            scribe.rng.pick(&[253_402_300_800_000, -62_167_219_200_001, i64::MIN, 0])
        } else {
            created_ms
        };
        scribe.writer.date("createdAt", created_ms);
    }

    pub(super) fn progress(&self, scribe: &mut Scribe, story: &Story) {
        if !self.has(Oddity::Recoveries) {
            return;
        }
        let mark = scribe.writer.begin_array("recoveryAttempts");
        for index in 0..=scribe.rng.index(3) {
            let item = scribe.writer.begin_item(index);
            scribe.writer.date("timestamp", story.updated_ms);
            scribe.sentence("reason");
            scribe.writer.boolean("success", index > 0);
            scribe.writer.end(item);
        }
        scribe.writer.end(mark);
        scribe.writer.date("failedAt", story.updated_ms);
    }

    pub(super) fn quality(&self, scribe: &mut Scribe, story: &Story, words: u32) {
        if !self.has(Oddity::MoreQuality) {
            return;
        }
        let progress = &story.progress;
        scribe.count("totalWordCount", words);
        let accuracy = f64::from(words) / f64::from(story.target_words);
        scribe.writer.number("targetAccuracy", accuracy);
        let completed = f64::from(progress.completed);
        scribe.writer.number("completionRate", completed / f64::from(story.planned.max(1)));
        scribe.count("chaptersCompleted", progress.completed);
        scribe.count("chaptersFailed", progress.failed);
        scribe.writer.boolean("hasFailures", progress.has_failures);
        scribe.empty_array("failedChapters");
    }

    /// The fields after the application's own.
    pub(super) fn extras(&self, scribe: &mut Scribe, story: &Story) {
        if self.has(Oddity::ErrorObject) {
            let mark = scribe.writer.begin_document("error");
            scribe.sentence("message");
            scribe.writer.string("phase", story.phase.as_bytes());
            if self.has(Oddity::OddAlerts) {
                scribe.double("timestamp", 1_753_351_500_000.75);
            } else {
                scribe.writer.date("timestamp", story.updated_ms);
            }
            scribe.writer.end(mark);
        } else if self.has(Oddity::ErrorText) {
            scribe.writer.string("error", "Error: ENOSPC — no space left on device".as_bytes());
        }
        if self.has(Oddity::Analysis) {
            let mark = scribe.writer.begin_document("analysis");
            scribe.array("themes", 3, |rng, out| prose::phrase(rng, out, 1));
            scribe.sentence("tone");
            scribe.count("estimatedChapters", story.target_chapters);
            scribe.object_id("_id", story.created_ms);
            scribe.writer.end(mark);
        }
        if self.has(Oddity::NotANumber) {
            scribe.double("estimatedCost", f64::NAN);
            scribe.double("ratio", f64::NEG_INFINITY);
            scribe.double("zero", -0.0);
        }
        if self.has(Oddity::RepeatedName) {
            scribe.title("title");
            scribe.writer.null("premise");
        }
        if self.has(Oddity::UnknownFields) {
            unknown_fields(scribe);
        }
        if self.has(Oddity::Unreadable) {
            unreadable(scribe);
        }
    }
}

fn unknown_fields(scribe: &mut Scribe) {
    scribe.writer.string("userId", b"anonymous");
    scribe.writer.binary("coverImage", b"\x89PNG\r\n\x1a\n\x00\xff");
    scribe.writer.header(kind::DECIMAL128, b"budget");
    // 9.99, as IEEE 754-2008 stores it.
    scribe.writer.extend(&[0xe7, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3c, 0x30]);
    scribe.writer.header(kind::TIMESTAMP, b"oplogTime");
    scribe.writer.extend(&7_530_585_903_923_134_465_u64.to_le_bytes());
    scribe.writer.header(kind::INT64, b"sequence");
    scribe.writer.extend(&9_007_199_254_740_993_i64.to_le_bytes());
    scribe.writer.header(kind::MIN_KEY, b"lowest");
    scribe.writer.header(kind::MAX_KEY, b"highest");
    let mark = scribe.writer.begin_document("nested");
    let inner = scribe.writer.begin_array("list");
    scribe.writer.number_item(0, 1.0);
    scribe.writer.number_item(1, 2.5);
    scribe.writer.string_item(2, "three\u{0}\t\u{7f}\"\\".as_bytes());
    scribe.writer.end(inner);
    scribe.writer.null("");
    scribe.writer.end(mark);
}

fn unreadable(scribe: &mut Scribe) {
    scribe.writer.header(kind::REGEX, b"filter");
    scribe.writer.extend(b"^chapter \\d+$\x00i\x00");
    scribe.writer.header(kind::CODE, b"hook");
    scribe.writer.text(b"function () { return 1; }");
}
