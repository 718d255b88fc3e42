//! False statements of stored documents.

use super::{
    plan::{Era, Stage},
    rng::Rng,
    story::{State, Story},
};

/// One way for a document to lie. If it does not fit the document, the document stays truthful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// `completed`, and every chapter failed.
    CompletedAllFailed,
    /// `failed`, and every chapter is there: whole novels hidden.
    FailedAllCompleted,
    /// `hasFailures` left behind by failures that a retry made good.
    StaleFailures,
    /// `chaptersCompleted` disagrees with the chapters.
    DriftedCounts,
    /// A retry cost something, and the totals were not told.
    RetriedCosts,
    /// A crash before the end left no usage of the chapters.
    NoChapterUsage,
    /// The save at the end wiped the usage of the outline.
    WipedUsage,
    /// A chapter number twice; the lost one's cost is in the totals.
    DuplicateChapter,
    /// A slot that was generating when the process died.
    CrashedSlot,
    /// A restart: the totals count the last run only.
    LastRunOnly,
    /// The tracked total is not what its breakdown adds up to.
    TrackedDrift,
    /// An old document, saved again by newer code.
    Resaved,
}

impl Lie {
    pub(super) const ALL: [Lie; 12] = [
        Lie::CompletedAllFailed,
        Lie::FailedAllCompleted,
        Lie::StaleFailures,
        Lie::DriftedCounts,
        Lie::RetriedCosts,
        Lie::NoChapterUsage,
        Lie::WipedUsage,
        Lie::DuplicateChapter,
        Lie::CrashedSlot,
        Lie::LastRunOnly,
        Lie::TrackedDrift,
        Lie::Resaved,
    ];
}

/// Makes the document tell that lie.
pub(super) fn tell(story: &mut Story, lie: Lie, rng: &mut Rng) {
    let completed = story.stage == Stage::Completed;
    let slots = story.era != Era::One;
    match lie {
        Lie::CompletedAllFailed if completed && slots => fail_all(story),
        Lie::FailedAllCompleted if completed => {
            (story.status, story.phase) = ("failed", "chapter_writing");
            story.chapter_usage = None;
        }
        Lie::StaleFailures if completed && slots => story.progress.has_failures = true,
        Lie::DriftedCounts if !story.chapters.is_empty() => {
            story.progress.completed = story.progress.completed.saturating_sub(rng.between(1, 3));
        }
        Lie::RetriedCosts => {
            if let Some(chapter) = story.chapters.last_mut() {
                chapter.cost *= 1.0 + 2.0 * rng.thousandths();
                chapter.tokens += rng.between(400, 3_000);
            }
        }
        Lie::NoChapterUsage => story.chapter_usage = None,
        Lie::WipedUsage => story.outline_usage = None,
        Lie::DuplicateChapter if slots && story.chapters.len() > 1 => {
            let at = 1 + rng.index(story.chapters.len() - 1);
            story.chapters[at].number = story.chapters[at - 1].number;
        }
        Lie::CrashedSlot if slots => crash(story),
        Lie::LastRunOnly => last_run_only(story),
        Lie::TrackedDrift => story.cost_drift = true,
        Lie::Resaved => story.resaved = story.era != Era::Five,
        _ => {}
    }
}

fn fail_all(story: &mut Story) {
    for chapter in &mut story.chapters {
        chapter.attempted_ms = Some(chapter.generated_ms);
        chapter.generated_ms = story.outlined_ms + 400;
        (chapter.state, chapter.attempts, chapter.reason) = (State::Failed, 3, true);
        (chapter.tokens, chapter.cost) = (0, 0.0);
    }
    story.recount();
    story.chapter_usage = Some(story.used());
}

fn crash(story: &mut Story) {
    let Some(chapter) = story.chapters.last_mut() else { return };
    chapter.state = State::Generating;
    chapter.attempted_ms = Some(chapter.generated_ms + 900);
    (chapter.tokens, chapter.cost) = (0, 0.0);
    story.recount();
}

fn last_run_only(story: &mut Story) {
    let Some(usage) = &mut story.chapter_usage else { return };
    let half = story.chapters.len() / 2;
    for chapter in &story.chapters[..half] {
        usage.tokens = usage.tokens.saturating_sub(chapter.tokens);
        usage.cost -= chapter.cost;
    }
}
