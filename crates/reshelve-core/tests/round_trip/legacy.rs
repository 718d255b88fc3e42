//! Documents in the shape of the legacy schema, each field of which may be right, absent, null, of
//! another type, repeated or out of order: so that every rule of the mapping is met.

use proptest::collection::vec;
use proptest::prelude::*;
use reshelve_core::raw::kind;

use crate::arbitrary::{date, id, name, number, text, value};
use crate::tree::{Fields, Node};

/// Chances of 100 that a field is as the schema says.
const RIGHT: u32 = 82;

fn string() -> BoxedStrategy<Node> {
    text().prop_map(|text| Node::string(&text)).boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Node> {
    prop_oneof![9 => prop::sample::select(words).prop_map(Node::string), 1 => string()].boxed()
}

fn boolean() -> BoxedStrategy<Node> {
    any::<bool>().prop_map(Node::boolean).boxed()
}

/// What the schema calls a date where numbers of milliseconds are dates too.
fn time() -> BoxedStrategy<Node> {
    let milliseconds = (-1_i64..253_402_300_800_001).prop_map(Node::int64);
    prop_oneof![6 => date(), 1 => milliseconds, 1 => number()].boxed()
}

/// A field: present as it should be, or in one of the ways in which it should not.
fn field(name: &'static str, right: BoxedStrategy<Node>) -> BoxedStrategy<Fields> {
    let named = move |value| vec![(name.to_owned(), value)];
    let empty = prop::sample::select(vec![kind::NULL, kind::UNDEFINED]);
    prop_oneof![
        RIGHT => right.clone().prop_map(named),
        8 => Just(Vec::new()),
        3 => empty.prop_map(move |kind| named(Node::Plain(kind, Vec::new()))),
        4 => value().prop_map(named),
        3 => (value(), right).prop_map(move |(first, second)| [named(first), named(second)].concat()),
    ]
    .boxed()
}

/// A document of these fields: now and then with one more, now and then in another order.
fn document(parts: Vec<(&'static str, BoxedStrategy<Node>)>) -> BoxedStrategy<Fields> {
    let fields: Vec<_> = parts.into_iter().map(|(name, right)| field(name, right)).collect();
    let parts = prop_oneof![6 => fields.clone().boxed(), 1 => fields.prop_shuffle().boxed()];
    let more = prop_oneof![9 => Just(Vec::new()), 1 => vec((name(), value()), 1..3)];
    (parts, more).prop_map(|(parts, more)| [parts.concat(), more].concat()).boxed()
}

fn nested(parts: Vec<(&'static str, BoxedStrategy<Node>)>) -> BoxedStrategy<Node> {
    document(parts).prop_map(Node::Document).boxed()
}

/// An array of these, with a stray value now and then, and now and then with other keys.
fn array(item: BoxedStrategy<Node>, length_max: usize) -> BoxedStrategy<Node> {
    let item = prop_oneof![14 => item, 1 => value()];
    prop_oneof![
        9 => vec(item.clone(), 0..length_max).prop_map(Node::array),
        1 => vec((name(), item), 0..length_max).prop_map(Node::Array),
    ]
    .boxed()
}

/// A map whose keys refer to each other, need escaping, or collide once escaped.
fn map(item: BoxedStrategy<Node>) -> BoxedStrategy<Node> {
    let key = prop::sample::select(vec![
        "Ada",
        "Ada of the Isle",
        "Isle",
        "a.b",
        "a\u{ff0e}b",
        "$a",
        "\u{ff04}a",
        "",
        "_",
        "a#2",
    ]);
    let item = prop_oneof![14 => item, 1 => value()];
    vec((key.prop_map(str::to_owned), item), 0..6).prop_map(Node::Document).boxed()
}

fn object_id() -> BoxedStrategy<Node> {
    any::<[u8; 12]>().prop_map(Node::object_id).boxed()
}

fn any_document() -> BoxedStrategy<Node> {
    vec((name(), value()), 0..4).prop_map(Node::Document).boxed()
}

fn outline() -> BoxedStrategy<Node> {
    let entry = nested(vec![
        ("_id", object_id()),
        ("chapterNumber", number()),
        ("title", string()),
        ("summary", string()),
        ("keyEvents", array(string(), 4)),
        ("characterFocus", array(string(), 3)),
        ("plotAdvancement", value()),
        ("wordTarget", number()),
        ("genreElements", array(string(), 3)),
        ("humanLikeElements", any_document()),
    ]);
    array(entry, 4)
}

fn chapters() -> BoxedStrategy<Node> {
    let chapter = nested(vec![
        ("_id", object_id()),
        ("chapterNumber", number()),
        ("title", string()),
        ("content", string()),
        ("wordCount", number()),
        ("status", one_of(&["pending", "generating", "completed", "failed", "odd"])),
        ("attempts", number()),
        ("lastAttemptAt", date()),
        ("failureReason", string()),
        ("qualityScore", number()),
        ("generatedAt", date()),
        ("tokensUsed", number()),
        ("cost", number()),
    ]);
    array(chapter, 5)
}

fn usage() -> BoxedStrategy<Node> {
    let stage = nested(vec![
        ("model", string()),
        ("tokensUsed", number()),
        ("cost", number()),
        ("duration", number()),
    ]);
    nested(vec![
        ("premiseAnalysis", stage.clone()),
        ("outlineGeneration", stage.clone()),
        ("chapterGeneration", stage),
    ])
}

fn progress() -> BoxedStrategy<Node> {
    nested(vec![
        ("outlineComplete", boolean()),
        ("chaptersCompleted", number()),
        ("chaptersFailed", number()),
        ("totalChapters", number()),
        ("failedChapterNumbers", array(number(), 4)),
        ("hasFailures", boolean()),
        ("estimatedCompletion", date()),
        ("lastActivity", date()),
        ("failedAt", date()),
    ])
}

fn story_bible() -> BoxedStrategy<Node> {
    let character = nested(vec![
        ("description", string()),
        ("traits", array(string(), 4)),
        ("relationships", array(string(), 4)),
        ("firstAppearance", number()),
        ("lastSeen", number()),
        ("_id", object_id()),
    ]);
    let location = nested(vec![
        ("description", string()),
        ("firstMentioned", number()),
        ("significance", string()),
        ("_id", object_id()),
    ]);
    let note = nested(vec![
        ("_id", object_id()),
        ("title", string()),
        ("timestamp", date()),
        ("more", value()),
    ]);
    let theme = prop_oneof![2 => nested(vec![("name", string()), ("examples", array(string(), 3))]), 1 => string()];
    nested(vec![
        ("characters", map(character)),
        ("locations", map(location)),
        ("plotThreads", array(note.clone(), 3)),
        ("timeline", array(note, 3)),
        ("themes", array(theme.boxed(), 4)),
    ])
}

fn alerts() -> BoxedStrategy<Node> {
    let context =
        nested(vec![("chapter", number()), ("character", string()), ("plotThread", string())]);
    let alert = nested(vec![
        ("id", one_of(&["a", "a#2", "legacy-0", "b"])),
        ("severity", one_of(&["info", "warning", "critical", "odd"])),
        ("message", one_of(&["m", "n", ""])),
        ("details", string()),
        ("suggestion", string()),
        ("context", context),
        ("timestamp", time()),
        ("resolved", boolean()),
    ]);
    // Equal alerts are merged: a part of the array is repeated.
    (array(alert, 5), 0_usize..3)
        .prop_map(|(mut alerts, repeated)| {
            if let Some(fields) = alerts.fields_mut() {
                let again: Fields = fields.iter().take(repeated).cloned().collect();
                fields.extend(again);
            }
            alerts
        })
        .boxed()
}

fn decisions() -> BoxedStrategy<Node> {
    let alternative = nested(vec![("_id", object_id()), ("option", string()), ("x", value())]);
    let decision = nested(vec![
        ("id", one_of(&["d", "d#2", "legacy-1"])),
        ("type", string()),
        ("summary", string()),
        ("reasoning", string()),
        ("confidence", number()),
        ("alternatives", array(alternative, 3)),
        ("impact", string()),
        ("timestamp", time()),
    ]);
    array(decision, 4)
}

fn enhancements() -> BoxedStrategy<Node> {
    let enhancement = nested(vec![
        ("id", one_of(&["e", "legacy-0"])),
        ("type", string()),
        ("name", string()),
        ("description", string()),
        ("details", string()),
        ("timestamp", time()),
    ]);
    array(enhancement, 3)
}

fn tracking() -> BoxedStrategy<Node> {
    let breakdown =
        nested(vec![("analysis", number()), ("outline", number()), ("chapters", number())]);
    nested(vec![
        ("totalCost", number()),
        ("tokensUsed", number()),
        ("estimatedRemaining", number()),
        ("breakdown", breakdown),
    ])
}

fn metadata() -> BoxedStrategy<Node> {
    let performance = nested(vec![
        ("averageResponseTime", number()),
        ("totalRequests", number()),
        ("errorCount", number()),
        ("lastHealthCheck", date()),
    ]);
    let scores = nested(vec![("humanLikenessScore", number()), ("more", value())]);
    nested(vec![
        ("storyBible", story_bible()),
        ("continuityAlerts", alerts()),
        ("enhancementsApplied", enhancements()),
        ("aiDecisions", decisions()),
        ("enhancedQualityMetrics", scores),
        ("costTracking", tracking()),
        ("performance", performance),
        ("currentStep", string()),
        ("estimatedTimeRemaining", number()),
        ("phaseStartTimes", map(date())),
    ])
}

/// A legacy document.
pub(crate) fn legacy() -> BoxedStrategy<Fields> {
    let error = nested(vec![
        ("message", string()),
        ("phase", one_of(&["completed", "chapter_writing", ""])),
        ("timestamp", time()),
    ]);
    let parts = vec![
        ("status", one_of(&["completed", "failed", "writing", "planning", "cancelled", "odd"])),
        ("currentPhase", one_of(&["chapter_writing", "completed", "premise_analysis"])),
        ("premise", string()),
        ("title", string()),
        ("genre", string()),
        ("subgenre", string()),
        ("targetWordCount", number()),
        ("targetChapters", number()),
        ("humanLikeWriting", boolean()),
        ("analysis", any_document()),
        ("outline", outline()),
        ("chapters", chapters()),
        ("modelUsage", usage()),
        ("progress", progress()),
        ("qualityMetrics", any_document()),
        ("metadata", metadata()),
        ("error", prop_oneof![error, string()].boxed()),
        ("createdAt", date()),
        ("updatedAt", date()),
        ("completedAt", date()),
        ("__v", number()),
    ];
    (id(), document(parts))
        .prop_map(|(id, fields)| [vec![("_id".to_owned(), id)], fields].concat())
        .boxed()
}
