//! `metadata`: the defaults that the application stored, and what a populated one holds.

use super::{
    foreign::{Foreign, Oddity},
    prose,
    rng::Rng,
    scribe::Scribe,
    story::Story,
    words::{NAMES, PLACES},
};

const SCORES: [&str; 4] =
    ["humanLikenessScore", "complexityScore", "consistencyScore", "creativityScore"];
const PHASES: [&str; 5] = [
    "premise_analysis",
    "outline_generation",
    "chapter_writing",
    "quality_validation",
    "finalization",
];
const DECISIONS: [&str; 6] = [
    "character-development",
    "plot-choice",
    "dialogue-style",
    "scene-setting",
    "enhancement-application",
    "continuity-check",
];

/// Writes `metadata`.
pub(super) fn write(scribe: &mut Scribe, story: &Story, foreign: &Foreign) {
    let mark = scribe.writer.begin_document("metadata");
    if story.populated {
        story_bible(scribe, story, foreign);
        scores(scribe, story);
        costs(scribe, story);
        performance(scribe, story);
        alerts(scribe, story, foreign);
        enhancements(scribe, story);
        decisions(scribe, story);
        scribe.phrase("currentStep", 3);
        let remaining = scribe.rng.between(0, 9_000_000);
        scribe.count("estimatedTimeRemaining", remaining);
        phase_times(scribe, story);
    } else {
        defaults(scribe);
    }
    scribe.writer.end(mark);
}

fn defaults(scribe: &mut Scribe) {
    let bible = scribe.writer.begin_document("storyBible");
    scribe.empty_document("characters");
    scribe.empty_document("locations");
    scribe.empty_array("plotThreads");
    scribe.empty_array("timeline");
    scribe.empty_array("themes");
    scribe.writer.end(bible);
    zeros(scribe, "enhancedQualityMetrics", &SCORES);
    let costs = scribe.writer.begin_document("costTracking");
    zeros(scribe, "breakdown", &["analysis", "outline", "chapters"]);
    for name in ["totalCost", "tokensUsed", "estimatedRemaining"] {
        scribe.count(name, 0);
    }
    scribe.writer.end(costs);
    zeros(scribe, "performance", &["totalRequests", "errorCount"]);
    scribe.empty_array("continuityAlerts");
    scribe.empty_array("enhancementsApplied");
    scribe.empty_array("aiDecisions");
}

fn zeros(scribe: &mut Scribe, name: &str, fields: &[&str]) {
    let mark = scribe.writer.begin_document(name);
    for field in fields {
        scribe.count(field, 0);
    }
    scribe.writer.end(mark);
}

fn story_bible(scribe: &mut Scribe, story: &Story, foreign: &Foreign) {
    let bible = scribe.writer.begin_document("storyBible");
    let cast: Vec<&str> = subset(&mut scribe.rng, &NAMES, 12);
    let map = scribe.writer.begin_document("characters");
    for name in &cast {
        character(scribe, story, name, &cast);
    }
    if foreign.has(Oddity::OddKeys) {
        for name in ["St. John", "$hadow", "", "St\u{ff0e} John", "Mr. A. B."] {
            character(scribe, story, name, &cast);
        }
        scribe.writer.string("Nobody", b"not a document");
    }
    scribe.writer.end(map);
    let map = scribe.writer.begin_document("locations");
    for name in subset(&mut scribe.rng, &PLACES, 6) {
        location(scribe, story, name);
    }
    scribe.writer.end(map);
    let count = scribe.rng.index(6);
    items(scribe, "plotThreads", count, |scribe| {
        scribe.title("title");
        scribe.sentence("description");
        let status = scribe.rng.pick(&["active", "resolved", "developing"]);
        scribe.writer.string("status", status.as_bytes());
        chapter_number(scribe, story, "introducedIn");
        chapter_number(scribe, story, "lastUpdated");
        scribe.object_id("_id", story.created_ms);
    });
    let count = scribe.rng.index(5);
    items(scribe, "timeline", count, |scribe| {
        scribe.title("title");
        scribe.sentence("description");
        chapter_number(scribe, story, "chapter");
        later(scribe, story, "timestamp");
        let importance = scribe.rng.pick(&["minor", "major", "critical"]);
        scribe.writer.string("importance", importance.as_bytes());
        scribe.object_id("_id", story.created_ms);
    });
    let count = scribe.rng.index(6);
    items(scribe, "themes", count, |scribe| {
        let words = 1 + scribe.rng.index(2);
        scribe.phrase("name", words);
        scribe.sentence("description");
        let examples = scribe.rng.between(0, 3);
        scribe.sentences("examples", examples);
        scribe.object_id("_id", story.created_ms);
    });
    scribe.writer.end(bible);
}

fn character(scribe: &mut Scribe, story: &Story, name: &str, cast: &[&str]) {
    let mark = scribe.writer.begin_document(name);
    if scribe.rng.chance(90) {
        scribe.sentence("description");
    }
    let traits = scribe.rng.between(0, 4);
    scribe.array("traits", traits, |rng, out| prose::phrase(rng, out, 1));
    let relationships = scribe.rng.between(0, 4);
    scribe.array("relationships", relationships, |rng, out| {
        // Small indexes of a short list: a cast of none gives a sentence without a name.
        let one = cast.get(rng.index(cast.len())).copied().unwrap_or("someone");
        let other = cast.get(rng.index(cast.len())).copied().unwrap_or("someone else");
        let text = match rng.below(6) {
            0 => format!("sister of {one}"),
            1 => format!("loves {one} and {other}"),
            2 => format!("{one}: old rival"),
            3 => format!("owes {one}’s mother money"),
            4 => "trusts nobody".to_owned(),
            _ => String::new(),
        };
        out.extend_from_slice(text.as_bytes());
    });
    match scribe.rng.below(5) {
        0 => {}
        1 | 2 => scribe.writer.null("lastSeen"),
        _ => chapter_number(scribe, story, "lastSeen"),
    }
    if scribe.rng.chance(80) {
        chapter_number(scribe, story, "firstAppearance");
    }
    scribe.object_id("_id", story.created_ms);
    scribe.writer.end(mark);
}

fn location(scribe: &mut Scribe, story: &Story, name: &str) {
    let mark = scribe.writer.begin_document(name);
    scribe.sentence("description");
    chapter_number(scribe, story, "firstMentioned");
    scribe.phrase("significance", 4);
    scribe.object_id("_id", story.created_ms);
    scribe.writer.end(mark);
}

fn scores(scribe: &mut Scribe, _story: &Story) {
    let mark = scribe.writer.begin_document("enhancedQualityMetrics");
    for name in SCORES {
        let score = f64::from(scribe.rng.between(0, 100)) / 100.0;
        scribe.writer.number(name, score);
    }
    scribe.writer.end(mark);
}

fn costs(scribe: &mut Scribe, story: &Story) {
    let analysis = f64::from(scribe.rng.between(800, 9_900)) / 1_000_000.0;
    let outline = story.outline_usage.map_or(0.0, |usage| usage.cost);
    let chapters = story.used();
    let outline_tokens = story.outline_usage.map_or(0, |usage| usage.tokens);
    let mark = scribe.writer.begin_document("costTracking");
    let breakdown = scribe.writer.begin_document("breakdown");
    scribe.writer.number("analysis", analysis);
    scribe.writer.number("outline", outline);
    scribe.writer.number("chapters", chapters.cost);
    scribe.writer.end(breakdown);
    let mut total = analysis + outline + chapters.cost;
    if story.cost_drift {
        total *= 1.2 + scribe.rng.thousandths();
        total += 0.01;
    }
    scribe.writer.number("totalCost", total);
    scribe.count("tokensUsed", outline_tokens + chapters.tokens);
    let remaining = if story.stage.in_flight() { scribe.rng.thousandths() } else { 0.0 };
    scribe.writer.number("estimatedRemaining", remaining);
    scribe.writer.end(mark);
}

fn performance(scribe: &mut Scribe, story: &Story) {
    let mark = scribe.writer.begin_document("performance");
    let (requests, errors) = (scribe.rng.between(1, 90), scribe.rng.between(0, 2));
    scribe.count("totalRequests", requests);
    scribe.count("errorCount", errors);
    if scribe.rng.chance(75) {
        let average = f64::from(scribe.rng.between(900_000, 90_000_000)) / 1_024.0;
        scribe.writer.number("averageResponseTime", average);
        later(scribe, story, "lastHealthCheck");
    }
    scribe.writer.end(mark);
}

fn alerts(scribe: &mut Scribe, story: &Story, foreign: &Foreign) {
    let count = scribe.rng.index(8);
    items(scribe, "continuityAlerts", count, |scribe| {
        if scribe.rng.chance(80) {
            clock_id(scribe, story);
        }
        if foreign.has(Oddity::OddAlerts) {
            let severity = scribe.rng.pick(&["fatal", "", "WARNING"]);
            scribe.writer.string("severity", severity.as_bytes());
        } else if scribe.rng.chance(85) {
            let severity = scribe.rng.pick(&["info", "warning", "critical"]);
            scribe.writer.string("severity", severity.as_bytes());
        }
        if scribe.rng.chance(90) {
            scribe.sentence("message");
        }
        if scribe.rng.chance(70) {
            scribe.sentence("details");
        }
        scribe.phrase("suggestion", 4);
        if scribe.rng.chance(75) {
            let context = scribe.writer.begin_document("context");
            chapter_number(scribe, story, "chapter");
            let name = scribe.rng.pick(&NAMES);
            scribe.writer.string("character", name.as_bytes());
            scribe.phrase("plotThread", 2);
            scribe.writer.end(context);
        }
        if foreign.has(Oddity::OddAlerts) {
            scribe.double("timestamp", 1_753_351_200_000.0);
        } else if scribe.rng.chance(90) {
            later(scribe, story, "timestamp");
        }
        let resolved = scribe.rng.chance(30);
        scribe.writer.boolean("resolved", resolved);
        scribe.object_id("_id", story.created_ms);
    });
}

fn enhancements(scribe: &mut Scribe, story: &Story) {
    let count = scribe.rng.index(7);
    items(scribe, "enhancementsApplied", count, |scribe| {
        clock_id(scribe, story);
        let kind = scribe.rng.pick(&["character", "dialogue", "plot", "style", "world"]);
        scribe.writer.string("type", kind.as_bytes());
        scribe.phrase("name", 2);
        scribe.sentence("description");
        if scribe.rng.chance(80) {
            scribe.sentence("details");
        }
        later(scribe, story, "timestamp");
        scribe.object_id("_id", story.created_ms);
    });
}

fn decisions(scribe: &mut Scribe, story: &Story) {
    // Now and then more than the fifty that a job shows.
    let most = if scribe.rng.chance(5) { 70 } else { 14 };
    let count = scribe.rng.index(most);
    items(scribe, "aiDecisions", count, |scribe| {
        if scribe.rng.chance(90) {
            clock_id(scribe, story);
        }
        let kind = scribe.rng.pick(&DECISIONS);
        scribe.writer.string("type", kind.as_bytes());
        scribe.sentence("summary");
        if scribe.rng.chance(60) {
            scribe.sentence("reasoning");
        }
        let confidence = f64::from(scribe.rng.between(0, 100)) / 100.0;
        scribe.writer.number("confidence", confidence);
        let alternatives = scribe.rng.index(3);
        items(scribe, "alternatives", alternatives, |scribe| {
            scribe.phrase("option", 3);
            scribe.sentence("reason");
            scribe.object_id("_id", story.created_ms);
        });
        scribe.phrase("impact", 3);
        later(scribe, story, "timestamp");
        scribe.object_id("_id", story.created_ms);
    });
}

fn phase_times(scribe: &mut Scribe, story: &Story) {
    let mark = scribe.writer.begin_document("phaseStartTimes");
    let count = scribe.rng.index(PHASES.len() + 1);
    for phase in &PHASES[..count] {
        later(scribe, story, phase);
    }
    scribe.writer.end(mark);
}

fn items(scribe: &mut Scribe, name: &str, count: usize, mut item: impl FnMut(&mut Scribe)) {
    let mark = scribe.writer.begin_array(name);
    for index in 0..count {
        let open = scribe.writer.begin_item(index);
        item(scribe);
        scribe.writer.end(open);
    }
    scribe.writer.end(mark);
}

/// An id as it was made from the millisecond clock: within one burst they collide.
fn clock_id(scribe: &mut Scribe, story: &Story) {
    let id = story.created_ms + i64::from(scribe.rng.between(0, 5));
    scribe.writer.string("id", id.to_string().as_bytes());
}

fn chapter_number(scribe: &mut Scribe, story: &Story, name: &str) {
    let number = scribe.rng.between(1, story.target_chapters);
    scribe.count(name, number);
}

/// A time within some hours of the job's beginning.
fn later(scribe: &mut Scribe, story: &Story, name: &str) {
    let date_ms = story.created_ms + i64::from(scribe.rng.between(0, 14_000_000));
    scribe.writer.date(name, date_ms);
}

/// Up to `most` different ones of the items, in an order of their own. The number of items is a
/// power of two, so any odd step visits each once.
fn subset<const N: usize>(
    rng: &mut Rng,
    items: &[&'static str; N],
    most: usize,
) -> Vec<&'static str> {
    let count = rng.index(most + 1);
    let (mut at, step) = (rng.index(N), 2 * rng.index(N) + 1);
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..count.min(N) {
        chosen.push(items[at]);
        at = (at + step) % N;
    }
    chosen
}
