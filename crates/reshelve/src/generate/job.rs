//! One legacy document, field by field in the order in which the application stored them.

use super::{
    foreign::{Foreign, Oddity},
    metadata,
    plan::{Era, Plan},
    prose,
    rng::Rng,
    scribe::Scribe,
    story::{Chapter, State, Story, Usage},
    words::{GENRES, NAMES, SUBGENRES},
};
use reshelve_core::raw::kind;

/// How many bytes the fields after the chapters take: reserved when the chapters are sized.
const TAIL_BYTES: usize = 560;
/// What the default `metadata` takes.
const METADATA_BYTES: usize = 640;
/// What a chapter takes besides its content.
const CHAPTER_BYTES: usize = 230;
/// Novels below this have outlines in telegraphic style.
const TERSE_BYTES: usize = 8_000;

const HUMAN_LIKE: [&str; 6] = [
    "structureType",
    "characterConflict",
    "moralComplexity",
    "unresolvedElement",
    "surpriseElement",
    "mundaneDetail",
];

const CAUSES: [&str; 4] = [
    "Request timed out.",
    "429 Rate limit reached for gpt-4o",
    "Connection error.",
    "Content too short: 212 words (minimum: 500)",
];

/// Appends document `index` of the plan to `out`.
pub fn document(plan: &Plan, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::new(plan.seed, index);
    let story = Story::new(plan, &mut rng);
    let foreign = if plan.foreign { Foreign::some(&mut rng) } else { Foreign::default() };
    let mut job = Job {
        start: out.len(),
        scribe: Scribe::new(rng, std::mem::take(out)),
        story,
        foreign,
        titles: Vec::new(),
        words: 0,
        counted: 0,
    };
    job.scribe.width = job.foreign.width();
    job.write();
    *out = job.scribe.writer.into_bytes();
}

struct Job {
    start: usize,
    scribe: Scribe,
    story: Story,
    foreign: Foreign,
    /// The titles of the outline: the chapters have the same.
    titles: Vec<Vec<u8>>,
    /// Words of all chapters, and how many chapters have any.
    words: usize,
    counted: u32,
}

impl Job {
    fn write(&mut self) {
        let mark = self.scribe.writer.begin();
        self.head();
        self.outline();
        self.chapters();
        self.model_usage();
        self.progress();
        if self.story.era == Era::Five {
            metadata::write(&mut self.scribe, &self.story, &self.foreign);
        }
        self.tail();
        self.scribe.writer.end(mark);
    }

    fn head(&mut self) {
        let story = &self.story;
        let scribe = &mut self.scribe;
        self.foreign.id(scribe, story.created_ms);
        self.foreign.status(scribe, story.status);
        self.foreign.phase(scribe, story.phase);
        let terse = story.bytes < TERSE_BYTES;
        let premise = if terse { 180 } else { scribe.rng.between(300, 2_400) };
        scribe.paragraphs("premise", usize::try_from(premise).unwrap_or(0));
        if self.foreign.has(Oddity::WrongTypes) {
            scribe.writer.int32("title", 5);
        } else {
            scribe.title("title");
        }
        let genre = scribe.rng.pick(&GENRES);
        scribe.writer.string("genre", genre.as_bytes());
        let subgenre = scribe.rng.pick(&SUBGENRES);
        scribe.writer.string("subgenre", subgenre.as_bytes());
        scribe.count("targetWordCount", story.target_words);
        scribe.count("targetChapters", story.target_chapters);
        if self.foreign.has(Oddity::WrongTypes) {
            scribe.writer.string("humanLikeWriting", b"yes");
        } else if story.era >= Era::Four {
            scribe.writer.boolean("humanLikeWriting", true);
        }
    }

    fn outline(&mut self) {
        if !self.story.outlined {
            if self.foreign.has(Oddity::WrongTypes) {
                self.scribe.empty_document("outline");
            } else {
                self.scribe.empty_array("outline");
            }
            return;
        }
        let mark = self.scribe.writer.begin_array("outline");
        for number in 1..=self.story.planned {
            let index = usize::try_from(number - 1).unwrap_or(0);
            let item = self.scribe.writer.begin_item(index);
            self.outline_entry(number);
            self.scribe.writer.end(item);
        }
        self.scribe.writer.end(mark);
    }

    fn outline_entry(&mut self, number: u32) {
        let terse = self.story.bytes < TERSE_BYTES;
        let scribe = &mut self.scribe;
        scribe.count("chapterNumber", number);
        let title = scribe.title("title");
        self.titles.push(title);
        if terse {
            scribe.sentence("summary");
            scribe.sentences("keyEvents", 1);
        } else {
            let bytes = scribe.rng.between(200, 460);
            scribe.paragraphs("summary", usize::try_from(bytes).unwrap_or(0));
            let events = scribe.rng.between(2, 5);
            scribe.sentences("keyEvents", events);
        }
        let focus = scribe.rng.between(1, if terse { 1 } else { 3 });
        scribe.array("characterFocus", focus, |rng, out| {
            out.extend_from_slice(rng.pick(&NAMES).as_bytes());
        });
        if terse {
            scribe.phrase("plotAdvancement", 3);
        } else {
            scribe.sentence("plotAdvancement");
        }
        let target = scribe.rng.between(1_500, 3_700);
        scribe.count("wordTarget", target);
        let elements = scribe.rng.between(0, if terse { 1 } else { 3 });
        scribe.array("genreElements", elements, |rng, out| prose::phrase(rng, out, 2));
        // The model sometimes left them out.
        if self.story.era >= Era::Four && !scribe.rng.chance(6) {
            let mark = scribe.writer.begin_document("humanLikeElements");
            for name in HUMAN_LIKE {
                scribe.phrase(name, if terse { 1 } else { 4 });
            }
            scribe.writer.end(mark);
        }
        scribe.object_id("_id", self.story.outlined_ms);
    }

    fn chapters(&mut self) {
        let mark = self.scribe.writer.begin_array("chapters");
        let chapters = std::mem::take(&mut self.story.chapters);
        let spent = self.scribe.writer.len() - self.start;
        let metadata = if self.story.era == Era::Five { METADATA_BYTES } else { 0 };
        let mut left = self.story.bytes.saturating_sub(spent + TAIL_BYTES + metadata);
        let planned = usize::try_from(self.story.planned).unwrap_or(0);
        for (index, chapter) in chapters.iter().enumerate() {
            let share = left / (planned.saturating_sub(index)).max(1);
            let before = self.scribe.writer.len();
            let item = self.scribe.writer.begin_item(index);
            self.chapter(index, chapter, share.saturating_sub(CHAPTER_BYTES));
            self.scribe.writer.end(item);
            // A chapter that is not there leaves its share unused: the document is smaller.
            let used = match chapter.state {
                State::Completed => self.scribe.writer.len() - before,
                _ => share,
            };
            left = left.saturating_sub(used);
        }
        self.story.chapters = chapters;
        self.scribe.writer.end(mark);
    }

    fn chapter(&mut self, index: usize, chapter: &Chapter, bytes: usize) {
        let scribe = &mut self.scribe;
        scribe.count("chapterNumber", chapter.number);
        let title = self.titles.get(index).map_or(&b""[..], Vec::as_slice);
        scribe.writer.string("title", title);
        let done = chapter.state == State::Completed;
        if done {
            // Chapters differ in length by a third or so; the last one makes up for it.
            let last = index + 1 == usize::try_from(self.story.planned).unwrap_or(0);
            let (low, high) = if last { (1_000, 1_000) } else { (700, 1_300) };
            let thousandths = usize::try_from(scribe.rng.between(low, high)).unwrap_or(0);
            let words = scribe.paragraphs("content", (bytes * thousandths / 1_000).max(60));
            scribe.count("wordCount", u32::try_from(words).unwrap_or(0));
            self.words += words;
            self.counted += 1;
        } else {
            scribe.writer.null("content");
            scribe.writer.null("wordCount");
        }
        if self.story.era != Era::One {
            let status = match chapter.state {
                State::Pending => "pending",
                State::Generating => "generating",
                State::Completed => "completed",
                State::Failed => "failed",
            };
            scribe.writer.string("status", status.as_bytes());
        }
        scribe.count("attempts", chapter.attempts);
        scribe.count("qualityScore", 0);
        if done {
            scribe.count("tokensUsed", chapter.tokens);
            scribe.writer.number("cost", chapter.cost);
        }
        scribe.object_id("_id", chapter.generated_ms);
        scribe.writer.date("generatedAt", chapter.generated_ms);
        if let Some(attempted_ms) = chapter.attempted_ms {
            scribe.writer.date("lastAttemptAt", attempted_ms);
        }
        if chapter.reason {
            let mut reason = scribe.rng.pick(&CAUSES).to_owned();
            if chapter.state == State::Failed {
                let number = chapter.number;
                reason = format!("Failed to generate chapter {number} after 3 attempts: {reason}");
            }
            scribe.writer.string("failureReason", reason.as_bytes());
        }
    }

    fn model_usage(&mut self) {
        let mark = self.scribe.writer.begin_document("modelUsage");
        let outline = self.story.outline_usage;
        let chapters = self.story.chapter_usage;
        if self.foreign.has(Oddity::PremiseUsage) {
            let usage = Usage { tokens: 2_911, cost: 0.000_951_2, duration_ms: 4_120 };
            usage_part(&mut self.scribe, "premiseAnalysis", "gpt-4o-mini", Some(usage));
        }
        usage_part(&mut self.scribe, "outlineGeneration", "gpt-4o-mini", outline);
        usage_part(&mut self.scribe, "chapterGeneration", "gpt-4o", chapters);
        self.scribe.writer.end(mark);
    }

    fn progress(&mut self) {
        let scribe = &mut self.scribe;
        let progress = &self.story.progress;
        let mark = scribe.writer.begin_document("progress");
        scribe.writer.boolean("outlineComplete", self.story.outlined);
        scribe.count("chaptersCompleted", progress.completed);
        scribe.count("totalChapters", self.story.target_chapters);
        scribe.writer.date("lastActivity", progress.activity_ms);
        if self.story.era != Era::One {
            scribe.count("chaptersFailed", progress.failed);
            let array = scribe.writer.begin_array("failedChapterNumbers");
            for (index, &number) in progress.failed_numbers.iter().enumerate() {
                scribe.writer.number_item(index, f64::from(number));
            }
            scribe.writer.end(array);
            scribe.writer.boolean("hasFailures", progress.has_failures);
        }
        if let Some(estimated_ms) = progress.estimated_ms {
            scribe.writer.date("estimatedCompletion", estimated_ms);
        }
        self.foreign.progress(scribe, &self.story);
        scribe.writer.end(mark);
    }

    fn tail(&mut self) {
        let scribe = &mut self.scribe;
        let story = &self.story;
        self.foreign.created(scribe, story.created_ms);
        if self.foreign.has(Oddity::WrongTypes) {
            scribe.writer.header(kind::DOUBLE, b"updatedAt");
            scribe.writer.extend(&1_753_351_200_000_f64.to_le_bytes());
        } else {
            scribe.writer.date("updatedAt", story.updated_ms);
        }
        let finalized = story.era == Era::One && story.phase == "finalization";
        if finalized || self.foreign.has(Oddity::MoreQuality) {
            let mark = scribe.writer.begin_document("qualityMetrics");
            let words = u32::try_from(self.words).unwrap_or(u32::MAX);
            let average = f64::from(words) / f64::from(self.counted.max(1));
            scribe.writer.number("averageChapterLength", average);
            scribe.writer.number("genreAdherence", 0.85);
            scribe.writer.number("characterConsistency", 0.80);
            scribe.writer.number("plotContinuity", 0.88);
            self.foreign.quality(scribe, story, words);
            scribe.writer.end(mark);
        }
        if finalized {
            scribe.writer.date("completedAt", story.updated_ms);
        }
        self.foreign.extras(scribe, story);
        scribe.count("__v", story.version);
        // What a later save adds is stored behind everything else.
        if story.resaved {
            if story.era < Era::Four {
                scribe.writer.boolean("humanLikeWriting", true);
            }
            metadata::write(scribe, story, &self.foreign);
        }
    }
}

fn usage_part(scribe: &mut Scribe, name: &str, model: &str, usage: Option<Usage>) {
    let Some(usage) = usage else { return scribe.writer.null(name) };
    let mark = scribe.writer.begin_document(name);
    scribe.writer.string("model", model.as_bytes());
    scribe.count("tokensUsed", usage.tokens);
    scribe.writer.number("cost", usage.cost);
    scribe.count("duration", usage.duration_ms);
    scribe.writer.end(mark);
}
