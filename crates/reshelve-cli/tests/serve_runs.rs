//! The pages of runs: which runs `serve` knows, and what it shows of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use common::{Place, Told, until};
use serving::{Answer, Served};

fn page(served: &Served, target: &str) -> String {
    let (answer, head) = served.send("GET", target, &[], "");
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    assert!(!head.contains("unsafe"), "{target}: {head}");
    answer.body
}

/// Two runs into a target: a dry run, and one with rejects and warnings.
fn place() -> (Place, [String; 2]) {
    let place = Place::new();
    place.write("legacy.bson", &common::mixed_source(&place, 30, "small"));
    place.expect(0, &["run", "legacy.bson", "target", "--limit", "5"]);
    let args = ["run", "legacy.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(4, &args);
    let runs = place.runs();
    let runs = [runs[0].clone(), runs[1].clone()];
    (place, runs)
}

#[test]
fn the_list_has_every_run_newest_first_and_says_how_it_ended() {
    let (place, [dry, applied]) = place();
    let served = Served::new(&place, &["target"]);
    let list = page(&served, "/ui/runs");
    assert!(list.find(&applied).unwrap() < list.find(&dry).unwrap(), "{list}");
    for word in ["dry run", "a part of its source", "documents read", "legacy.bson", " rejected"] {
        assert!(list.contains(word), "{word}: {list}");
    }
    assert!(!list.contains("http-equiv=\"refresh\""), "nothing is at work");
    assert!(page(&served, "/").contains("href=\"/ui/runs\""));
    for odd in ["after=50", "after=x", "after=18446744073709551615"] {
        page(&served, &format!("/ui/runs?{odd}"));
    }
}

#[test]
fn the_page_of_a_run_has_its_warnings_rejects_and_files() {
    let (place, [dry, applied]) = place();
    place.expect(0, &["report", &applied]);
    let served = Served::new(&place, &["target"]);
    let shown = page(&served, &format!("/ui/runs/{applied}"));
    for word in [
        "(served here)",
        "duplicate-id",
        "malformed-bson",
        "Jobs to insert",
        "href=\"/ui/novels/",
        "files/report.html",
        "include",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!page(&served, &format!("/ui/runs/{dry}")).contains("Journal"));
    let rejects = format!("/ui/runs/{applied}/rejects");
    let listed = page(&served, &rejects);
    let count = listed.matches(&format!("href=\"{rejects}/")).count();
    assert!(count >= 3, "{listed}");
    let mut seen = 0;
    for at in 0..count {
        let one = page(&served, &format!("{rejects}/{at}"));
        assert!(one.contains("<pre"), "{one}");
        seen += usize::from(one.contains("&quot;_id&quot;"));
    }
    assert!(seen >= 2, "documents are shown as text");
    for nothing in [
        "/ui/runs/nope".to_owned(),
        "/ui/runs/..".to_owned(),
        format!("/ui/runs/..%2F{applied}"),
        "/ui/runs/%2Fetc".to_owned(),
        format!("{rejects}/{count}"),
        format!("{rejects}/x"),
        format!("/ui/runs/{applied}/files/checkpoint.json"),
        format!("/ui/runs/{applied}/files/..%2Frun.json"),
    ] {
        assert_eq!(served.get(&nothing).status, 404, "{nothing}");
    }
}

#[test]
fn a_report_is_shown_as_it_is_and_can_do_nothing() {
    let (place, [_, applied]) = place();
    place.expect(0, &["report", &applied]);
    let served = Served::new(&place, &["target"]);
    let address = format!("/ui/runs/{applied}/files/report.html");
    let (answer, head) = served.send("GET", &address, &[], "");
    let written = place.read(&format!(".reshelve/runs/{applied}/report/report.html"));
    assert_eq!(answer.body.as_bytes(), written, "the report");
    assert!(head.contains("default-src 'none'; style-src 'sha256-"), "{head}");
    assert!(head.contains("sandbox") && !head.contains("unsafe"), "{head}");
}

#[test]
fn runs_beside_the_target_are_found_and_those_of_another_place_are_told() {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "8", "--no-in-flight"]);
    let elsewhere = ["--runs-dir", "else/runs"];
    place.expect(0, &common::with(&["run", "made.bson", "else/target", "--apply"], &elsewhere));
    place.expect(0, &["run", "made.bson", "other", "--apply"]);
    let other = place.run();
    let beside = std::fs::read_dir(place.path("else/runs")).unwrap().next().unwrap().unwrap();
    let beside = beside.file_name().into_string().unwrap();
    let served = Served::new(&place, &["else/target"]);
    let list = page(&served, "/ui/runs");
    assert!(list.contains(&beside) && list.contains(&other), "{list}");
    let words = "another place than the one that is served";
    assert_eq!(list.matches(words).count(), 1, "{list}");
    assert!(page(&served, &format!("/ui/runs/{other}")).contains(words));
    assert!(!page(&served, &format!("/ui/runs/{beside}")).contains(words));
    drop(served);
    let served = Served::new(&place, &["else/target", "--runs-dir", "else/runs"]);
    let list = page(&served, "/ui/runs");
    assert!(list.contains(&beside) && !list.contains(&other), "{list}");
    drop(served);
    let served = Served::new(&place, &["else/target", "--runs-dir", "nowhere"]);
    assert!(page(&served, "/ui/runs").contains("No runs are known here."));
}

#[test]
fn a_spoiled_run_folder_and_hostile_text_do_no_harm() {
    let (place, [dry, applied]) = place();
    let plan = format!(".reshelve/runs/{dry}/run.json");
    place.write(&plan, b"{\"schema\":\"reshelve.plan/1\",");
    let path = format!(".reshelve/runs/{applied}/run.json");
    let hostile = String::from_utf8(place.read(&path)).unwrap();
    let hostile = hostile.replace("legacy.bson", "<script>alert(1)</script>\\u202e.bson");
    place.write(&path, hostile.as_bytes());
    let served = Served::new(&place, &["target"]);
    for target in ["/ui/runs", &format!("/ui/runs/{applied}")] {
        let shown = page(&served, target);
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script>alert"), "{shown}");
        assert!(!shown.contains('\u{202e}'));
    }
    assert!(page(&served, "/ui/runs").contains("run.json"), "what cannot be read is told");
}

#[test]
fn a_run_at_work_is_followed_with_its_rate_and_what_it_waits_for() {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "60", "--no-in-flight"]);
    let slow = ["--max-docs-per-s", "5", "--checkpoint-bytes", "1"];
    let args = common::with(&["run", "made.bson", "target", "--apply"], &slow);
    let run = place.call(&args).spawn(false);
    until("there is a checkpoint", || {
        let told = place.call(&["status", "latest", "--json"]).finish();
        told.code == Some(0) && told.stdout.contains("max-docs-per-s\",\"limit\":5")
    });
    let served = Served::new(&place, &["made.bson"]);
    let address = format!("/ui/runs/{}", place.run());
    until("it shows what it waits for", || {
        page(&served, &address).contains("at most 5 documents/s")
    });
    until("it knows a rate of its own", || page(&served, &address).contains("Rate lately"));
    let shown = page(&served, &address);
    let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>";
    for word in [refresh, "data-follow", "<progress value=", "left, about", "documents/s"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(page(&served, "/ui/runs").contains(refresh));
    place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(0);
    let Answer { body: shown, .. } = served.get(&address);
    assert!(!shown.contains("http-equiv=\"refresh\"") && shown.contains("Everything is written."));
}

/// The value of a series, if it is there.
fn measured(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

#[test]
fn runs_are_measured_by_their_ids() {
    let (place, [dry, applied]) = place();
    let served = Served::new(&place, &["target"]);
    let text = page(&served, "/metrics");
    let of = |name: &str, run: &str, rest: &str| {
        measured(&text, &format!("reshelve_{name}{{run=\"{run}\"{rest}}}"))
    };
    let status = place.expect(0, &["status", &applied, "--json"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    for outcome in ["read", "mapped", "written", "skipped", "rejected", "unchanged"] {
        let counted = of("run_documents_total", &applied, &format!(",outcome=\"{outcome}\""));
        assert_eq!(counted, status["documents"][outcome].as_f64(), "{outcome}: {text}");
    }
    for direction in ["read", "written"] {
        let counted = of("run_bytes_total", &applied, &format!(",direction=\"{direction}\""));
        assert_eq!(counted, status[format!("bytes_{direction}")].as_f64(), "{direction}: {text}");
    }
    assert_eq!(of("run_state", &applied, ",state=\"done\""), Some(1.0), "{text}");
    assert_eq!(of("run_state", &dry, ",state=\"done\""), Some(0.0), "{text}");
    assert_eq!(of("run_state", &dry, ",state=\"partial\""), Some(1.0), "{text}");
    assert_eq!(of("run_at_work", &dry, ""), Some(0.0), "{text}");
    assert!(of("run_progress_age_seconds", &applied, "").unwrap() >= 0.0, "{text}");
    assert!(of("run_last_progress_timestamp_seconds", &applied, "").unwrap() > 1e9, "{text}");
    assert_eq!(of("run_replication_lag_seconds", &applied, ""), None, "{text}");
    // Only the newest ones: the labels are few, however many runs there are.
    for _ in 0..20 {
        place.expect(0, &["run", "legacy.bson", "elsewhere", "--limit", "1"]);
    }
    let text = page(&served, "/metrics");
    assert_eq!(text.matches("reshelve_run_at_work{").count(), 20, "{text}");
    assert!(!text.contains(&dry) && !text.contains(&applied), "{text}");
}
