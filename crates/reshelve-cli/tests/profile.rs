//! `profile`: the same documents give the same profile in every form, every figure is what was
//! counted by hand, and what grows is bounded.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::path::Path;

use common::{Place, mixed_source, split};
use reshelve_core::raw::Writer;
use serde_json::{Value, json};

fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

/// What `profile --json` tells.
fn profile(place: &Place, args: &[&str]) -> Value {
    let told = place.expect(0, &[&["profile", "--json"][..], args].concat());
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["schema"], "reshelve.profile/1");
    told
}

fn field<'p>(profile: &'p Value, path: &str) -> &'p Value {
    let fields = profile["fields"].as_array().unwrap();
    fields.iter().find(|field| field["path"] == path).expect(path)
}

/// A document; the first field is its `_id`.
fn document(id: &str, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    let mark = out.begin();
    out.string("_id", id.as_bytes());
    write(&mut out);
    out.end(mark);
    out.into_bytes()
}

/// A source that holds these documents, profiled.
fn profiled(documents: &[Vec<u8>]) -> Value {
    let place = Place::new();
    place.write("x.bson", &documents.concat());
    profile(&place, &["x.bson"])
}

#[test]
fn every_form_of_the_same_documents_gives_the_same_profile() {
    let place = Place::new();
    let mut told: Vec<(String, Value)> = Vec::new();
    for entry in std::fs::read_dir(samples()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            continue;
        }
        let name = path.to_str().unwrap().to_owned();
        told.push((name.clone(), profile(&place, &[&name, "--db", "letswriteabook"])));
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let args = ["profile", "-", "--json", "--db", "letswriteabook"];
            let piped = place.call(&args).stdin(&bytes).expect(0).stdout;
            told.push((format!("{name} on standard input"), serde_json::from_str(&piped).unwrap()));
        }
    }
    assert!(told.len() > 15, "the samples have moved");
    for (name, one) in &told {
        assert_eq!(*one, told[0].1, "{name} and {}", told[0].0);
    }
    assert_eq!(told[0].1["documents"], 25);
    let file = samples().join("dump/letswriteabook/jobs.bson");
    assert_eq!(told[0].1["bytes"], file.metadata().unwrap().len());
}

#[test]
fn figures_are_those_that_were_counted_by_hand() {
    let dated = |id: &str, created: i64| {
        document(id, |out| {
            out.string("status", b"writing");
            out.date("createdAt", created);
            out.number("n", 2.5);
        })
    };
    let first = document("a", |out| {
        out.string("status", b"completed");
        out.string("currentPhase", b"completed");
        out.date("createdAt", 1_753_000_000_000);
        let chapters = out.begin_array("chapters");
        for (index, cost) in [0.25, 0.75].into_iter().enumerate() {
            let chapter = out.begin_item(index);
            out.number("cost", cost);
            out.end(chapter);
        }
        out.null("2");
        out.end(chapters);
        let nested = out.begin_array("nested");
        let inner = out.begin_nested(4, b"0");
        out.number_item(0, 1.0);
        out.number_item(1, 1e300);
        out.end(inner);
        out.end(nested);
        out.boolean("humanLikeWriting", true);
        out.string("title", "Wörter".as_bytes());
        out.string("title", b"");
    });
    let documents = [first, dated("b", 1_752_000_000_000), dated("c", 1_754_000_000_000)];
    let told = profiled(&documents);
    let sizes: Vec<usize> = documents.iter().map(Vec::len).collect();
    assert_eq!(told["documents"], 3);
    assert_eq!(told["bytes"], sizes.iter().sum::<usize>());
    assert_eq!(told["size"]["p50"], sizes[1]);
    assert_eq!(told["size"]["p90"], sizes[0]);
    assert_eq!(told["size"]["max"], sizes[0]);
    assert_eq!(told["largest"][0], json!({"id": "a", "position": 0, "bytes": sizes[0]}));
    let chapters = field(&told, "chapters");
    assert_eq!(chapters["types"], json!({"array": 1}));
    assert_eq!(chapters["items"], json!({"count": 1, "min": 3.0, "mean": 3.0, "max": 3.0}));
    assert_eq!(field(&told, "chapters[]")["types"], json!({"object": 2, "null": 1}));
    let cost = field(&told, "chapters[].cost");
    assert_eq!([&cost["documents"], &cost["occurrences"]], [1, 2]);
    assert_eq!(cost["numbers"], json!({"count": 2, "min": 0.25, "mean": 0.5, "max": 0.75}));
    assert_eq!(cost["presence_percent"], 33.33);
    assert_eq!(cost["in_parent_percent"], 100.0);
    assert_eq!(field(&told, "nested[][]")["types"], json!({"int": 1, "double": 1}));
    let title = field(&told, "title");
    assert_eq!([&title["documents"], &title["occurrences"]], [1, 2]);
    assert_eq!(title["string_bytes"], json!({"count": 2, "min": 0.0, "mean": 3.5, "max": 7.0}));
    assert_eq!(field(&told, "humanLikeWriting")["booleans"], json!({"false": 0, "true": 1}));
    let seen = &field(&told, "n")["seen"];
    assert_eq!(seen["first"], "2025-07-08T18:40:00.000Z");
    assert_eq!(seen["last"], "2025-07-31T22:13:20.000Z");
    assert_eq!(field(&told, "createdAt")["dates"], *seen);
    assert_eq!(field(&told, "status")["values"], json!({"completed": 1, "writing": 2}));
    assert_eq!(told["statuses"], json!({"completed": 1, "writing": 2}));
    let phases = json!({"completed": {"completed": 1}, "writing": {"<missing>": 2}});
    assert_eq!(told["status_phases"], phases);
    assert_eq!(told["eras"], json!({"1": 2, "4": 1}));
    assert_eq!(told["in_flight"], json!(["b", "c"]));
    assert_eq!(told["in_flight_total"], 2);
    let unknown: Vec<&Value> =
        told["unknown_fields"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
    assert_eq!(unknown, ["n", "nested"]);
}

#[test]
fn names_stand_as_they_are_and_only_the_three_maps_are_folded() {
    let strange = document("a", |out| {
        out.string("status", b"failed");
        out.int32("a.b", 1);
        out.int32("$set", 1);
        out.int32("\u{1b}[2J\n", 1);
        let empty = out.begin_document("");
        out.int32("", 1);
        out.end(empty);
        let metadata = out.begin_document("metadata");
        let bible = out.begin_document("storyBible");
        for map in ["characters", "locations", "themes"] {
            let map = out.begin_document(map);
            for key in ["Mara", "St. Mary", ""] {
                let entry = out.begin_document(key);
                out.string("description", b"text");
                out.end(entry);
            }
            out.end(map);
        }
        out.end(bible);
        let times = out.begin_document("phaseStartTimes");
        out.date("premise_analysis", 0);
        out.end(times);
        out.end(metadata);
    });
    let place = Place::new();
    place.write("x.bson", &strange);
    let told = profile(&place, &["x.bson"]);
    for (path, occurrences) in [
        ("a.b", 1),
        ("$set", 1),
        ("\u{1b}[2J\n", 1),
        ("", 1),
        (".", 1),
        ("metadata.storyBible.characters.*", 3),
        ("metadata.storyBible.characters.*.description", 3),
        ("metadata.storyBible.locations.*.description", 3),
        ("metadata.storyBible.themes.Mara.description", 1),
        ("metadata.storyBible.themes.St. Mary.description", 1),
        ("metadata.storyBible.themes..description", 1),
        ("metadata.phaseStartTimes.*", 1),
    ] {
        assert_eq!(field(&told, path)["occurrences"], occurrences, "{path:?}");
    }
    let page = place.expect(0, &["profile", "x.bson", "--all"]).stdout;
    assert!(!page.contains('\u{1b}') && page.contains(r"\u{1b}[2J\n"), "{page}");
}

#[test]
fn the_forecast_is_what_a_dry_run_counts() {
    let place = Place::new();
    for (at, (preset, options)) in [
        ("lifecycle", &[][..]),
        ("foreign", &[]),
        ("foreign", &["--on-unknown-status", "failed", "--status-policy", "evidence"]),
        ("foreign", &["--in-flight", "skip"]),
    ]
    .into_iter()
    .enumerate()
    {
        let make = ["generate", "x.bson", "--documents", "150", "--size", "small", "--overwrite"];
        place.expect(0, &[&make[..], &["--preset", preset]].concat());
        // Some documents come twice: all but the first of each are rejected.
        let bytes = place.read("x.bson");
        let again = split(&bytes)[..20].concat();
        place.write("x.bson", &[&bytes[..], &again].concat());
        let told = profile(&place, &[&["x.bson"][..], options].concat());
        let target = format!("target-{at}");
        let run = place.expect(4, &[&["run", "x.bson", &target, "--json"][..], options].concat());
        let run: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(told["forecast"]["warnings"], run["warnings"], "{preset} {options:?}");
        assert_eq!(told["forecast"]["rejects"], run["rejects"], "{preset} {options:?}");
        assert_eq!(told["documents"], run["documents"]["read"]);
        if options.contains(&"skip") {
            assert_eq!(told["in_flight_total"], run["documents"]["skipped"]);
        }
    }
}

#[test]
fn threads_do_not_change_the_profile() {
    let place = Place::new();
    place.write("x.bson", &mixed_source(&place, 3_000, "small"));
    let one = profile(&place, &["x.bson", "--jobs", "1"]);
    for jobs in ["2", "5"] {
        assert_eq!(profile(&place, &["x.bson", "--jobs", jobs]), one);
    }
    assert_eq!(one["forecast"]["rejects"]["malformed-bson"], 1);
    assert_eq!(one["documents"], 3_003);
}

#[test]
fn documents_that_are_rejected_are_profiled_as_far_as_they_can_be_read() {
    let place = Place::new();
    let text = "{\"_id\":\"a\",\"status\":\"writing\",\"x\":1}\n{\"_id\":{\"$oid\":\"zz\"}}\n\
                {\"_id\":7,\"status\":\"writing\"}\n";
    place.write("x.jsonl", text.as_bytes());
    let told = profile(&place, &["x.jsonl"]);
    assert_eq!(told["documents"], 3);
    let rejects = json!({"malformed-json": 1, "unsupported-id": 1});
    assert_eq!(told["forecast"]["rejects"], rejects);
    assert_eq!(told["statuses"], json!({"writing": 2}));
    assert_eq!(told["in_flight"], json!(["a"]));
    // 5 for the document, and 1 + name + 1 + value for each field.
    let (first, last) = (5 + 11 + 20 + 7, 5 + 9 + 20);
    assert_eq!(told["bytes"], first + last);
    assert_eq!(field(&told, "_id")["types"], json!({"int": 1, "string": 1}));
}

#[test]
fn paths_past_the_ten_thousandth_are_counted_together() {
    let wide = |id: &str, from: usize, to: usize| {
        document(id, |out| {
            out.string("status", b"failed");
            (from..to).for_each(|number| out.int32(&format!("name{number}"), 1));
        })
    };
    // The two that every document has leave room for 9 998 names.
    let told = profiled(&[wide("a", 0, 6_000), wide("b", 5_000, 12_000), wide("c", 9_900, 10_100)]);
    let fields = told["fields"].as_array().unwrap();
    assert_eq!(fields.len(), 10_001);
    let last = fields.last().unwrap();
    assert_eq!(last["path"], "<other>");
    assert_eq!([&last["documents"], &last["occurrences"]], [2, 2_002 + 102]);
    assert_eq!(last["types"], json!({"int": 2_104}));
    assert_eq!(field(&told, "name9997")["documents"], 2);
}

#[test]
fn a_thousand_jobs_in_flight_are_named_and_all_are_counted() {
    let documents: Vec<Vec<u8>> = (0..1_234)
        .map(|number| document(&format!("job-{number}"), |out| out.string("status", b"recovering")))
        .collect();
    let told = profiled(&documents);
    let named = told["in_flight"].as_array().unwrap();
    assert_eq!((named.len(), &named[0], &named[999]), (1_000, &json!("job-0"), &json!("job-999")));
    assert_eq!(told["in_flight_total"], 1_234);
}

#[test]
fn an_enumeration_has_few_short_words_that_repeat() {
    let documents: Vec<Vec<u8>> = (0..120)
        .map(|number| {
            document(&format!("{number}"), |out| {
                out.string("status", b"failed");
                out.string("fifty", format!("word {}", number % 50).as_bytes());
                out.string("fifty-one", format!("word {}", number % 51).as_bytes());
                out.string("once", format!("word {}", number / 2 * 2 + number % 3).as_bytes());
                out.string("long", "x".repeat(60 + number % 6).as_bytes());
            })
        })
        .collect();
    let told = profiled(&documents);
    let values = |path: &str| field(&told, path)["values"].as_object().map(serde_json::Map::len);
    assert_eq!(values("status"), Some(1));
    assert_eq!(values("fifty"), Some(50));
    assert_eq!(values("fifty-one"), None);
    assert_eq!(values("once"), None);
    assert_eq!(values("long"), None);
    assert_eq!(field(&told, "fifty")["values"]["word 0"], 3);
}

#[test]
fn a_damaged_source_is_named_with_its_place_and_nothing_is_told() {
    let place = Place::new();
    place.expect(0, &["generate", "x.bson", "--documents", "30", "--fault", "truncate-last"]);
    for args in [&["profile", "x.bson"][..], &["profile", "x.bson", "--json"]] {
        let told = place.expect(1, args);
        // No profile; an error as JSON where JSON was asked for.
        let is_json = args.contains(&"--json");
        assert!(!told.stdout.contains("reshelve.profile"), "{}", told.stdout);
        assert_eq!(told.stdout.contains("reshelve.error/1"), is_json, "{}", told.stdout);
        assert_eq!(told.stdout.lines().count(), usize::from(is_json));
        told.says(&["x.bson", "truncated", "offset", "29 documents before that place", "hint:"]);
    }
    place.expect(1, &["profile", "nothing.bson"]).says(&["nothing.bson"]);
}

#[test]
fn the_page_says_what_matters_first() {
    let place = Place::new();
    let make = ["generate", "x.bson", "--documents", "60", "--size", "small"];
    place.expect(0, &[&make[..], &["--preset", "foreign"]].concat());
    let page = place.expect(0, &["profile", "x.bson"]).stdout;
    let told = profile(&place, &["x.bson"]);
    assert!(page.starts_with("60 documents, "), "{page}");
    let rejected = &told["forecast"]["rejects"]["unknown-status"];
    assert!(page.contains(&format!("A run would reject {rejected} of them")), "{page}");
    let order = ["  size ", "\n status ", "  eras ", "  in flight ", "  would warn", "\n field "];
    let places: Vec<Option<usize>> = order.iter().map(|part| page.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{page}");
    assert!(page.contains("--all shows them") && !page.contains("\n metadata.storyBible.c"));
    let all = place.expect(0, &["profile", "x.bson", "--all"]).stdout;
    assert!(all.contains("\n metadata.storyBible.characters "), "{all}");
    place.write("empty.bson", b"");
    assert!(place.expect(0, &["profile", "empty.bson"]).stdout.starts_with("0 documents, 0 B."));
    assert_eq!(profile(&place, &["empty.bson"])["size"]["mean"], 0.0);
}
