//! What every plan promises: well-formed, deterministic, sized, shaped as the specification says.

use super::*;
use reshelve_core::raw::{Document, check};

fn plans() -> Vec<Plan> {
    let mut plans = vec![
        Plan::standard(1, 120),
        Plan::lifecycle(2, 400),
        Plan::populated(3, 300),
        Plan::foreign(4, 600),
    ];
    for size in [Size::Small, Size::Large, Size::Mixed, Size::Bytes(100)] {
        plans.push(Plan { size, ..Plan::lifecycle(5, 60) });
    }
    plans
}

#[test]
fn every_document_is_well_formed() {
    for plan in plans() {
        for (index, document) in Stream::new(plan).enumerate() {
            if let Err(error) = check(&document) {
                panic!("{plan:?} {index}: {error}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_ever() {
    let mut hasher = blake3::Hasher::new();
    for plan in plans() {
        for document in Stream::new(plan).take(40) {
            hasher.update(&document);
        }
    }
    // A change here breaks every measurement and every case that names a seed: make a new plan
    // option instead.
    assert_eq!(hasher.finalize().to_hex().as_str(), GOLDEN);
}

const GOLDEN: &str = "5b7683179ba101f170c1b20331a51a54679450771e9270d74de623f885018179";

#[test]
fn a_document_depends_on_its_index_alone() {
    let plan = Plan::foreign(9, 50);
    let all: Vec<Vec<u8>> = Stream::new(plan).collect();
    let mut other = vec![1, 2, 3];
    document(&Plan { documents: 1, ..plan }, 37, &mut other);
    assert_eq!(other[3..], all[37]);
    assert_ne!(all[36], all[37]);
    assert_ne!(Stream::new(Plan { seed: 10, ..plan }).next().unwrap(), all[0]);
}

#[test]
fn finished_novels_have_the_size_that_was_asked_for() {
    for (size, low, high) in [
        (Size::Small, 1_900, 6_500),
        (Size::Medium, 22_000, 38_000),
        (Size::Large, 85_000, 135_000),
        (Size::Bytes(6_000), 5_300, 6_700),
        (Size::Bytes(400_000), 390_000, 410_000),
    ] {
        let stages = Stages::Only(Stage::Completed);
        for document in Stream::new(Plan { size, stages, ..Plan::standard(11, 150) }) {
            let length = document.len();
            assert!((low..high).contains(&length), "{size:?}: {length}");
        }
    }
}

/// A string of the document, by path; empty where there is none.
fn text(document: Document<'_>, name: &str) -> String {
    let bytes = document.get(name).and_then(|value| value.string()).unwrap_or_default();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn chapters(document: Document<'_>) -> Vec<Document<'_>> {
    let chapters = document.get("chapters").and_then(|value| value.array()).unwrap();
    chapters.values().map(|value| value.document().unwrap()).collect()
}

/// Looks at some documents of one era and stage.
fn each(era: Era, stage: Stage, look: impl Fn(Document<'_>)) {
    let plan =
        Plan { eras: Eras::Only(era), stages: Stages::Only(stage), ..Plan::standard(21, 25) };
    for document in Stream::new(plan) {
        look(Document::new(&document));
    }
}

#[test]
fn eras_have_the_fields_of_their_time() {
    for era in Era::ALL {
        each(era, Stage::Completed, |document| {
            let has = |name| document.get(name).is_some();
            assert_eq!(has("humanLikeWriting"), era >= Era::Four);
            assert_eq!(has("metadata"), era == Era::Five);
            assert_eq!(has("completedAt"), era == Era::One);
            assert_eq!(has("qualityMetrics"), era == Era::One);
            let phase = if era == Era::One { "finalization" } else { "completed" };
            assert_eq!(text(document, "currentPhase"), phase);
            let progress = document.get("progress").and_then(|value| value.document()).unwrap();
            assert_eq!(progress.get("hasFailures").is_some(), era != Era::One);
            let outline = document.get("outline").and_then(|value| value.array()).unwrap();
            let human = |entry: Document<'_>| entry.get("humanLikeElements").is_some();
            let entries = outline.values().filter_map(|value| value.document());
            assert_eq!(entries.filter(|&entry| human(entry)).count() > 0, era >= Era::Four);
            for chapter in chapters(document) {
                assert_eq!(chapter.get("status").is_some(), era != Era::One);
            }
            // `_id` and `createdAt` are of the same second.
            let id = document.get("_id").and_then(|value| value.object_id()).unwrap();
            let seconds = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
            let created = document.get("createdAt").and_then(|value| value.date_ms()).unwrap();
            assert_eq!(created / 1_000, i64::from(seconds));
        });
    }
}

#[test]
fn stages_have_their_status() {
    for era in Era::ALL {
        each(era, Stage::JustCreated, |document| {
            assert_eq!(text(document, "status"), "planning");
            assert!(chapters(document).is_empty());
            assert_eq!(document.get("__v").and_then(|value| value.int32()), Some(0));
        });
        each(era, Stage::Outlining, |document| {
            assert_eq!(text(document, "status"), "outlining");
            assert_eq!(text(document, "currentPhase"), "outline_generation");
        });
        each(era, Stage::Writing, |document| {
            assert_eq!(text(document, "status"), "writing");
            let statuses: Vec<String> =
                chapters(document).iter().map(|chapter| text(*chapter, "status")).collect();
            let generating = statuses.iter().filter(|status| *status == "generating").count();
            assert_eq!(generating, usize::from(era != Era::One));
        });
        each(era, Stage::Failed, |document| {
            assert_eq!(text(document, "status"), "failed");
            assert!(document.get("error").is_none());
        });
        each(era, Stage::Recovering, |document| {
            assert_eq!(text(document, "status"), "recovering");
        });
    }
}

#[test]
fn failed_chapters_say_why() {
    for stage in [Stage::ChapterFailed, Stage::CompletedWithFailures] {
        each(Era::Five, stage, |document| {
            let failed: Vec<_> = chapters(document)
                .into_iter()
                .filter(|chapter| text(*chapter, "status") == "failed")
                .collect();
            assert!(!failed.is_empty());
            for chapter in &failed {
                assert_eq!(chapter.get("attempts").and_then(|value| value.int32()), Some(3));
                assert!(chapter.get("content").unwrap().is_nullish());
                assert!(text(*chapter, "failureReason").starts_with("Failed to generate chapter "));
            }
            let progress = document.get("progress").and_then(|value| value.document()).unwrap();
            let count = progress.get("chaptersFailed").and_then(|value| value.int32()).unwrap();
            assert_eq!(usize::try_from(count).unwrap(), failed.len());
        });
    }
}

#[test]
fn costs_add_up_where_nothing_lies() {
    each(Era::Five, Stage::Completed, |document| {
        let sum = chapters(document)
            .iter()
            .fold(0.0, |sum, chapter| sum + chapter.get("cost").and_then(|v| v.double()).unwrap());
        let usage = document.get("modelUsage").and_then(|value| value.document()).unwrap();
        let chapters = usage.get("chapterGeneration").and_then(|v| v.document()).unwrap();
        assert_eq!(chapters.get("cost").and_then(|value| value.double()), Some(sum));
    });
}

#[test]
fn the_mix_has_everything() {
    let mut seen = std::collections::BTreeSet::new();
    for document in Stream::new(Plan::foreign(31, 1_500)) {
        let document = Document::new(&document);
        seen.insert(text(document, "status"));
        for name in ["error", "analysis", "coverImage", "filter"] {
            if document.get(name).is_some() {
                seen.insert(name.to_owned());
            }
        }
    }
    for name in ["planning", "outlining", "writing", "completed", "failed", "recovering"] {
        assert!(seen.contains(name), "{name}");
    }
    for name in ["cancelled", "archived", "", "error", "analysis", "coverImage", "filter"] {
        assert!(seen.contains(name), "{name}");
    }
    for document in Stream::new(Plan { in_flight: false, ..Plan::lifecycle(32, 300) }) {
        let status = text(Document::new(&document), "status");
        assert!(matches!(status.as_str(), "completed" | "failed"), "{status}");
    }
}
