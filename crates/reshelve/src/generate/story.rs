//! The facts of one job, decided before a byte is written: when things happened, what they cost,
//! how far it came.

use super::{
    choice,
    lies::{self, Lie},
    plan::{Era, Metadata, Plan, Stage},
    rng::Rng,
};

/// What one part of a run used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) tokens: u32,
    pub(super) cost: f64,
    pub(super) duration_ms: u32,
}

/// How far a chapter came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Generating,
    Completed,
    Failed,
}

/// One chapter slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chapter {
    pub(super) number: u32,
    pub(super) state: State,
    pub(super) attempts: u32,
    /// When the slot was made or, completed, replaced; its `_id` says the same.
    pub(super) generated_ms: i64,
    pub(super) attempted_ms: Option<i64>,
    /// Whether a failed attempt left its reason.
    pub(super) reason: bool,
    pub(super) tokens: u32,
    pub(super) cost: f64,
}

/// What `progress` says.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) completed: u32,
    pub(super) failed: u32,
    pub(super) failed_numbers: Vec<u32>,
    pub(super) has_failures: bool,
    pub(super) estimated_ms: Option<i64>,
    pub(super) activity_ms: i64,
}

/// One job.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) era: Era,
    pub(super) stage: Stage,
    pub(super) populated: bool,
    /// Bytes that a finished novel of this size should have.
    pub(super) bytes: usize,
    pub(super) status: &'static str,
    pub(super) phase: &'static str,
    /// Entries that the outline has, or will have.
    pub(super) planned: u32,
    pub(super) target_chapters: u32,
    pub(super) target_words: u32,
    pub(super) outlined: bool,
    pub(super) chapters: Vec<Chapter>,
    pub(super) outline_usage: Option<Usage>,
    pub(super) chapter_usage: Option<Usage>,
    pub(super) progress: Progress,
    /// Saved again by newer code, which added its defaults at the end.
    pub(super) resaved: bool,
    /// The tracked total does not fit its breakdown.
    pub(super) cost_drift: bool,
    pub(super) created_ms: i64,
    pub(super) outlined_ms: i64,
    pub(super) updated_ms: i64,
    pub(super) version: u32,
}

impl Story {
    /// Decides the facts of a document.
    pub(super) fn new(plan: &Plan, rng: &mut Rng) -> Story {
        let stage = choice::stage(plan, rng);
        let era = choice::era(plan, stage, rng);
        let stage = match (era, stage) {
            (Era::One, Stage::ChapterFailed) => Stage::Writing,
            (Era::One, Stage::CompletedWithFailures) => Stage::Completed,
            _ => stage,
        };
        let mut story = Story::created(plan, era, stage, rng);
        let reached = match stage {
            // A failed or recovering job stopped anywhere, mostly while writing.
            Stage::Failed | Stage::Recovering => rng.pick(&[0, 1, 2, 3, 3, 3, 3, 3]),
            Stage::JustCreated => 0,
            Stage::Outlining => 1 + rng.between(0, 1),
            _ => 3,
        };
        if reached >= 1 {
            story.begin_outline(rng);
        }
        if reached >= 2 {
            story.finish_outline(rng);
        }
        if reached >= 3 {
            story.write_chapters(rng);
        }
        story.settle(rng);
        if plan.lies && rng.chance(40) {
            let lie = rng.pick(&Lie::ALL);
            lies::tell(&mut story, lie, rng);
        }
        story
    }

    fn created(plan: &Plan, era: Era, stage: Stage, rng: &mut Rng) -> Story {
        let bytes = choice::bytes(plan.size, rng);
        let planned = choice::chapters_for(bytes, rng);
        let created_ms = choice::created_ms(era, rng);
        let target_chapters = planned.max(5);
        let populated = match plan.metadata {
            Metadata::Defaults => false,
            Metadata::Populated => true,
            Metadata::Mixed => rng.chance(60),
        };
        Story {
            era,
            stage,
            populated,
            bytes,
            status: "planning",
            phase: "premise_analysis",
            planned,
            target_chapters,
            target_words: (target_chapters * rng.pick(&[1_500, 2_000, 2_500, 3_333])).max(20_000),
            outlined: false,
            chapters: Vec::new(),
            outline_usage: None,
            chapter_usage: None,
            progress: Progress { activity_ms: created_ms, ..Progress::default() },
            resaved: false,
            cost_drift: false,
            created_ms,
            outlined_ms: created_ms,
            updated_ms: created_ms,
            version: 0,
        }
    }

    fn begin_outline(&mut self, rng: &mut Rng) {
        (self.status, self.phase) = ("outlining", "outline_generation");
        self.progress.activity_ms += i64::from(rng.between(1_800, 6_000));
        self.updated_ms = self.progress.activity_ms;
    }

    fn finish_outline(&mut self, rng: &mut Rng) {
        let duration_ms = rng.between(18_000, 90_000);
        let (prompt, completion) = (rng.between(2_500, 9_000), rng.between(900, 3_600));
        let cost =
            f64::from(prompt) / 1_000.0 * 0.000_15 + f64::from(completion) / 1_000.0 * 0.000_6;
        self.outline_usage = Some(Usage { tokens: prompt + completion, cost, duration_ms });
        self.outlined = true;
        self.outlined_ms = self.updated_ms + i64::from(duration_ms);
        self.updated_ms = self.outlined_ms + i64::from(rng.between(2, 90));
        self.version = 1;
    }

    /// Writes the chapters, as far as the stage says.
    fn write_chapters(&mut self, rng: &mut Rng) {
        (self.status, self.phase) = ("writing", "chapter_writing");
        let slots_ms = self.updated_ms + i64::from(rng.between(20, 400));
        let failing = match self.stage {
            Stage::ChapterFailed | Stage::CompletedWithFailures => {
                rng.between(1, self.planned.min(2))
            }
            _ => 0,
        };
        let done = match self.stage {
            Stage::Completed | Stage::CompletedWithFailures => self.planned,
            _ => rng.between(failing, self.planned.saturating_sub(1).max(failing)),
        };
        let mut clock_ms = slots_ms;
        for number in 1..=self.planned {
            let mut chapter = Chapter {
                number,
                state: State::Pending,
                attempts: 0,
                generated_ms: slots_ms,
                attempted_ms: None,
                reason: false,
                tokens: 0,
                cost: 0.0,
            };
            if number <= done {
                // Failures come last among the finished chapters, so that a small novel has
                // completed ones too.
                let fails = number > done - failing;
                self.run_chapter(&mut chapter, &mut clock_ms, fails, rng);
            } else if number == done + 1 && self.era != Era::One {
                chapter.state = State::Generating;
                chapter.attempts = rng.between(1, 3);
                chapter.reason = chapter.attempts > 1;
                clock_ms += i64::from(rng.between(300, 40_000));
                chapter.attempted_ms = Some(clock_ms);
            }
            // Era 1 had no slots: a chapter was added when it was done.
            if number <= done || self.era != Era::One {
                self.chapters.push(chapter);
            }
        }
        self.progress.estimated_ms = (done > 0).then_some(
            clock_ms - i64::from(rng.between(200, 900)) + i64::from(self.planned - done) * 78_000,
        );
        self.updated_ms = slots_ms;
        self.version = 1 + done;
    }

    fn run_chapter(&self, chapter: &mut Chapter, clock_ms: &mut i64, fails: bool, rng: &mut Rng) {
        chapter.attempts = if fails { 3 } else { rng.pick(&[1, 1, 1, 1, 1, 1, 1, 2, 2, 3]) };
        for _ in 0..chapter.attempts {
            *clock_ms += i64::from(rng.between(28_000, 110_000));
        }
        if fails {
            chapter.state = State::Failed;
            chapter.attempted_ms = Some(*clock_ms - i64::from(rng.between(5_000, 25_000)));
            chapter.reason = true;
            return;
        }
        let text = u32::try_from(self.bytes).unwrap_or(u32::MAX) / self.planned.max(1);
        let completion = (text / 6).max(60) + rng.between(0, 120);
        let prompt = rng.between(900, 2_700);
        chapter.state = State::Completed;
        chapter.generated_ms = *clock_ms;
        chapter.tokens = prompt + completion;
        chapter.cost =
            f64::from(prompt) / 1_000.0 * 0.005 + f64::from(completion) / 1_000.0 * 0.015;
    }

    /// Counts what the chapters say, and closes the job if it is over.
    fn settle(&mut self, rng: &mut Rng) {
        self.recount();
        if let Some(last) = self.chapters.iter().map(|chapter| chapter.generated_ms).max() {
            self.progress.activity_ms = self.progress.activity_ms.max(last);
            let over = self.chapters.iter().filter_map(|chapter| match chapter.state {
                State::Failed => chapter.attempted_ms,
                _ => None,
            });
            let over = over.max().unwrap_or(0);
            self.progress.activity_ms = self.progress.activity_ms.max(over);
            self.updated_ms = self.progress.activity_ms;
        }
        match self.stage {
            Stage::Completed | Stage::CompletedWithFailures => {
                let activity_ms = self.progress.activity_ms;
                self.progress.estimated_ms = Some(activity_ms);
                self.progress.activity_ms = activity_ms + i64::from(rng.between(180, 900));
                self.updated_ms = self.progress.activity_ms;
                self.status = "completed";
                self.phase = if self.era == Era::One { "finalization" } else { "completed" };
                self.chapter_usage = Some(self.used());
            }
            Stage::Failed => {
                self.status = "failed";
                self.progress.activity_ms = self.updated_ms + i64::from(rng.between(300, 60_000));
                self.updated_ms = self.progress.activity_ms;
            }
            // An atomic update: `updatedAt` is not touched.
            Stage::Recovering => self.status = "recovering",
            _ => {}
        }
    }

    /// What `progress` should say of the chapters.
    pub(super) fn recount(&mut self) {
        let of = |state| {
            let matching = self.chapters.iter().filter(move |chapter| chapter.state == state);
            matching.map(|chapter| chapter.number).collect::<Vec<u32>>()
        };
        let failed = of(State::Failed);
        self.progress.completed = u32::try_from(of(State::Completed).len()).unwrap_or(0);
        self.progress.failed = u32::try_from(failed.len()).unwrap_or(0);
        self.progress.has_failures = !failed.is_empty();
        self.progress.failed_numbers = failed;
    }

    /// What the chapters used, added up as the application did: in order, from 0.
    pub(super) fn used(&self) -> Usage {
        let mut usage = Usage::default();
        for chapter in &self.chapters {
            usage.tokens += chapter.tokens;
            usage.cost += chapter.cost;
        }
        let duration_ms = self.progress.activity_ms - self.outlined_ms;
        usage.duration_ms = u32::try_from(duration_ms).unwrap_or(0);
        usage
    }
}
