//! What `verify` shows beside its verdict: totals three ways, histograms, conflicts, jobs in
//! flight; and the quick look at a sample.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, mixed_source, split};
use serde_json::{Value, json};

fn verify(place: &Place, code: i32, args: &[&str]) -> Value {
    let told = place.expect(code, &[&["verify"], args, &["--json"]].concat());
    serde_json::from_str(&told.stdout).unwrap()
}

/// Correct migrations of every kind of corpus hold, with whatever they reject and leave out.
#[test]
fn correct_migrations_hold() {
    let place = Place::new();
    let corpora = [
        ("standard", "bson", "include"),
        ("lifecycle", "jsonl", "as-failed"),
        ("populated", "archive", "skip"),
        ("foreign", "bson.gz", "skip"),
    ];
    for (preset, form, in_flight) in corpora {
        let (source, target) = (format!("{preset}.{form}"), format!("to-{preset}"));
        let made = ["generate", &source, "--preset", preset, "--documents", "60"];
        place.expect(0, &[&made[..], &["--size", "small"]].concat());
        let options = ["--in-flight", in_flight];
        let run = ["run", &source, &target, "--apply"];
        let ran = place.call(&[&run[..], &options].concat()).finish();
        assert!(matches!(ran.code, Some(0 | 4)), "{preset}: {}", ran.stderr);
        let told = verify(&place, 0, &[&[&source[..], &target], &options[..]].concat());
        let counts = &told["counts"];
        let number = |name: &str| counts[name].as_u64().unwrap();
        let jobs = number("legacy") - number("rejected") - number("skipped");
        assert_eq!(number("legacy"), 60, "{preset}");
        for collection in ["novel_jobs", "novel_job_metrics", "novel_job_metadata"] {
            assert_eq!(number(collection), jobs, "{preset}: {told}");
        }
        assert_eq!(told["restored"]["identical"], jobs, "{preset}");
    }
}

#[test]
fn rejects_of_every_kind_are_no_mismatch() {
    let place = Place::new();
    let source = mixed_source(&place, 60, "small");
    place.write("mixed.bson", &source);
    place.expect(4, &["run", "mixed.bson", "target", "--apply", "--in-flight", "skip"]);
    let told = verify(&place, 0, &["mixed.bson", "target", "--in-flight", "skip"]);
    assert_eq!(told["counts"]["rejected"], 3);
    assert!(told["counts"]["skipped"].as_u64().unwrap() > 0);
    assert_eq!(told["in_flight"]["count"], told["counts"]["skipped"]);
}

/// Three jobs whose costs are known.
fn known_costs(place: &Place) {
    let job = |id: &str, status: &str, tracked: &Value, cost: f64, usage: f64| {
        json!({
            "_id": id, "status": status, "title": format!("the title of {id}"),
            "chapters": [{"chapterNumber": 1, "status": "completed", "content": "text",
                "cost": cost, "tokensUsed": 100}],
            "modelUsage": {"chapterGeneration": {"cost": usage, "tokensUsed": 100}},
            "metadata": {"costTracking": tracked},
        })
        .to_string()
    };
    let lines = [
        job("right", "completed", &json!({"totalCost": 0.5, "tokensUsed": 100}), 0.5, 0.5),
        job("zero", "completed", &json!({"totalCost": 0.0, "tokensUsed": 0}), 0.25, 0.25),
        job("more", "failed", &json!({"totalCost": 2.0}), 0.5, 0.5),
        job("retried", "writing", &Value::Null, 0.05, 0.02),
    ];
    place.write("source.jsonl", (lines.join("\n") + "\n").as_bytes());
    place.expect(0, &["run", "source.jsonl", "target", "--apply", "--in-flight", "include"]);
}

#[test]
fn totals_are_told_three_ways_and_wrong_records_are_no_failure() {
    let place = Place::new();
    known_costs(&place);
    let told = verify(&place, 0, &["source.jsonl", "target"]);
    let cost = &told["totals"]["cost_usd"];
    let near = |value: &Value, expected: f64| {
        assert!(
            (value.as_f64().unwrap() - expected).abs() < 1e-9,
            "{value}, not {expected}: {told}"
        );
    };
    // By hand: what costTracking says; what the chapters add up to; what the mapping stores, which
    // is the record where it is above 0.
    near(&cost["recorded"], 2.5);
    near(&cost["recomputed"], 0.5 + 0.25 + 0.5 + 0.05);
    near(&cost["mapped"], 0.5 + 0.25 + 2.0 + 0.05);
    near(&cost["stored"], 0.5 + 0.25 + 2.0 + 0.05);
    assert_eq!((&cost["recorded_jobs"], &cost["recorded_zero"]), (&json!(3), &json!(1)));
    assert_eq!(cost["within_tolerance"], true);
    let chapters = &cost["stages"]["chapters"];
    near(&chapters["recorded"], 0.5 + 0.25 + 0.5 + 0.02);
    near(&chapters["stored"], 1.3);
    let tokens = &told["totals"]["tokens"];
    near(&tokens["recorded"], 100.0);
    near(&tokens["stored"], 400.0);
    assert_eq!(tokens["stages"]["outline"]["recorded_jobs"], 0);

    let buckets = |histogram: &Value| -> Vec<(String, Vec<String>)> {
        let filled = histogram["buckets"].as_array().unwrap().iter();
        let filled = filled.filter(|bucket| bucket["count"] != 0);
        let bounds = |bucket: &Value| format!("{} {}", bucket["above"], bucket["below"]);
        let jobs = |bucket: &Value| serde_json::from_value(bucket["jobs"].clone()).unwrap();
        filled.map(|bucket| (bounds(bucket), jobs(bucket))).collect()
    };
    let one = |bounds: &str, job: &str| (bounds.to_owned(), vec![job.to_owned()]);
    assert_eq!(
        buckets(&told["deltas"]["cost_usd"]),
        [one("-1.0 -0.1", "zero"), one("0.0 0.0", "right"), one("1.0 null", "more")]
    );
    assert_eq!(told["deltas"]["cost_usd"]["unrecorded"], 1);
    let of_chapters = buckets(&told["deltas"]["cost_usd"]["stages"]["chapters"]);
    assert_eq!(of_chapters[0], one("-0.1 -0.01", "retried"));

    let text = place.expect(0, &["verify", "source.jsonl", "target"]).stdout;
    for words in ["legacy recorded", "0.1 to 1 less", "such as zero", "over 1 more"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

#[test]
fn conflicts_and_jobs_in_flight_are_listed_with_their_titles() {
    let place = Place::new();
    known_costs(&place);
    let told = verify(&place, 0, &["source.jsonl", "target"]);
    let listed = |job: &str, status: &str| {
        json!({"count": 1, "jobs":
            [{"job": job, "title": format!("the title of {job}"), "status": status}]})
    };
    let conflicts = &told["status_conflicts"];
    assert_eq!(conflicts["novels_behind_failed"], listed("more", "failed"));
    assert_eq!(conflicts["failures_behind_completed"], json!({"count": 0, "jobs": []}));
    assert_eq!(told["in_flight"], listed("retried", "writing"));
}

#[test]
fn a_source_has_the_fingerprint_that_its_run_wrote_down() {
    let place = Place::new();
    known_costs(&place);
    let told = verify(&place, 0, &["source.jsonl", "target"]);
    let checkpoint = place.read(&format!(".reshelve/runs/{}/checkpoint.json", place.run()));
    let checkpoint: Value = serde_json::from_slice(&checkpoint).unwrap();
    assert_eq!(told["source"]["hash"], checkpoint["source_hash"]);
    assert_eq!(told["source"]["documents"], 4);
}

#[test]
fn a_sample_is_a_quick_look_and_no_proof() {
    let place = Place::new();
    let made = ["generate", "source.bson", "--preset", "populated", "--documents", "60"];
    place.expect(0, &[&made[..], &["--size", "small"]].concat());
    place.expect(0, &["run", "source.bson", "target", "--apply", "--in-flight", "include"]);
    let arguments = ["source.bson", "target", "--sample", "10"];
    let told = verify(&place, 0, &arguments);
    assert_eq!(told["sample"], json!({"documents": 10, "of": 60}));
    assert_eq!(told["counts"]["novel_jobs"], 10);
    assert_eq!(
        told["restored"],
        json!({"identical": 10, "different": 0, "missing": 0, "extra": null})
    );
    assert_eq!(verify(&place, 0, &arguments), told, "the same documents again");
    assert_eq!(verify(&place, 0, &["source.bson", "target"])["sample"], Value::Null);
    let text = place.expect(0, &[&["verify"], &arguments[..]].concat()).stdout;
    assert!(text.contains("10 of 60 documents: no mismatch found. This is not a proof"), "{text}");
    assert!(!text.contains("Parity holds"), "{text}");

    // The order of the target does not matter to it; damage to what it looks at does.
    let path = place.path("target/letswriteabook/novel_jobs.bson");
    let mut documents = split(&std::fs::read(&path).unwrap());
    documents.reverse();
    std::fs::write(&path, documents.concat()).unwrap();
    verify(&place, 0, &arguments);
    std::fs::write(&path, documents[..30].concat()).unwrap();
    let found = verify(&place, 5, &["source.bson", "target", "--sample", "60"]);
    assert_eq!(found["restored"]["missing"], 30);
    let text = place.expect(5, &["verify", "source.bson", "target", "--sample", "60"]).stdout;
    assert!(text.contains("Parity does NOT hold. A sample, 60 of 60"), "{text}");
}

#[test]
fn a_sample_leaves_jobs_out_that_are_there_twice() {
    let place = Place::new();
    let source = mixed_source(&place, 30, "small");
    place.write("mixed.bson", &source);
    place.expect(4, &["run", "mixed.bson", "target", "--apply", "--in-flight", "include"]);
    let told = verify(&place, 0, &["mixed.bson", "target", "--sample", "100"]);
    // Of 33 documents one is no BSON, and two are the same job.
    assert_eq!(told["sample"], json!({"documents": 30, "of": 33}));
}

#[test]
fn a_sample_of_a_stream_is_refused() {
    let place = Place::new();
    let made = ["generate", "source.bson", "--documents", "5", "--size", "small"];
    place.expect(0, &made);
    place.expect(0, &["run", "source.bson", "target", "--apply", "--in-flight", "include"]);
    let source = place.read("source.bson");
    let call = place.call(&["verify", "-", "target", "--sample", "3"]).stdin(&source);
    call.expect(2).says(&["only once", "hint: leave out --sample"]);
}
