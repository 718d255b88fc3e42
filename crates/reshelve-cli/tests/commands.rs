//! The commands that look: inspect, explain, runs, status; generate, completions, man pages, the
//! settings file; and `DRY_RUN`, which stops every command that writes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn inspect_tells_what_is_there() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "7"]);
    let told = json(&place.expect(0, &["inspect", "dump", "--json"]).stdout);
    assert_eq!(told["schema"], "reshelve.inspect/1");
    let collections = told["collections"].as_array().unwrap();
    let jobs = collections.iter().find(|one| one["name"] == "jobs").unwrap();
    assert_eq!(jobs["documents"], 7);
    let page = place.expect(0, &["inspect", "dump"]).stdout;
    assert!(page.contains("letswriteabook") && page.contains("sessions"), "{page}");
}

#[test]
fn explain_finds_one_document() {
    let place = Place::new();
    place.expect(0, &["generate", "x.jsonl", "--preset", "populated", "--documents", "5"]);
    let line = std::fs::read_to_string(place.path("x.jsonl")).unwrap();
    let first = json(line.lines().next().unwrap());
    let id = first["_id"]["$oid"].as_str().unwrap();
    let told = json(&place.expect(0, &["explain", "x.jsonl", "--job", id, "--json"]).stdout);
    assert_eq!(told["schema"], "reshelve.explain/1");
    let fields = told["fields"].as_array().unwrap();
    let of = |path: &str| fields.iter().find(|field| field["path"] == path).unwrap();
    assert_eq!(of("premise")["target"], "novel_jobs.payload.premise, context.job.premise");
    assert_eq!(of("__v")["target"], serde_json::Value::Null);
    let told = place.expect(2, &["explain", "x.jsonl", "--job", "nobody"]);
    assert!(told.stderr.contains("hint:"), "{}", told.stderr);
}

#[test]
fn runs_are_listed_and_shown() {
    let place = Place::new();
    place.expect(0, &["generate", "x.bson", "--documents", "9", "--size", "small"]);
    assert!(place.expect(0, &["runs"]).stdout.contains("no runs"));
    place.expect(2, &["status"]);
    place.expect(0, &["run", "x.bson", "target"]);
    place.expect(0, &["run", "x.bson", "target", "--apply"]);
    let runs = json(&place.expect(0, &["runs", "--json"]).stdout);
    let runs = runs["runs"].as_array().unwrap();
    assert_eq!([&runs[0]["applied"], &runs[1]["applied"]], [false, true]);
    let newest = json(&place.expect(0, &["status", "--json"]).stdout);
    assert_eq!(newest["run"], runs[1]["run"]);
    assert_eq!(newest["state"], "done");
    assert_eq!(newest["documents"]["written"], 9);
    let named = runs[0]["run"].as_str().unwrap();
    assert!(place.expect(0, &["status", named]).stdout.contains("dry run"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = Place::new();
    for out in ["a.bson", "b.bson"] {
        place.expect(0, &["generate", out, "--documents", "20", "--seed", "5"]);
    }
    let read = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(read("a.bson") == read("b.bson"));
    let told = place.expect(2, &["generate", "a.bson"]);
    assert!(told.stderr.contains("--overwrite"), "{}", told.stderr);
    place.expect(2, &["generate", "c", "--form", "parchment"]);
}

#[test]
fn the_settings_file_stands_below_the_environment_and_the_command_line() {
    let place = Place::new();
    place.expect(0, &["generate", "x.bson", "--documents", "4", "--size", "small"]);
    place.write(
        "reshelve.toml",
        b"runs-dir = \"mine\"\n[run]\nsource = \"x.bson\"\ntarget = \"t\"\n",
    );
    place.expect(0, &["run"]);
    assert!(place.path("mine").is_dir());
    place.expect(0, &["run", "--runs-dir", "other"]);
    assert!(place.path("other").is_dir());
    place.write("reshelve.toml", b"runs-dri = \"mine\"\n");
    let told = place.expect(2, &["run", "x.bson", "t"]);
    assert!(told.stderr.contains("runs-dri"), "{}", told.stderr);
}

/// A flag that nobody gave is blamed for the value of a variable or of the settings file.
#[test]
fn a_value_that_is_refused_is_told_with_where_it_stands() {
    let place = Place::new();
    let generate = ["generate", "x.bson"];
    let told = place.call(&generate).env("RESHELVE_DOCUMENTS", "many").expect(2);
    told.says(&[
        "invalid value 'many'",
        "hint: the value is that of the variable RESHELVE_DOCUMENTS",
    ]);
    place.write("mine.toml", b"[generate]\ndocuments = \"few\"\n");
    let call = || place.call(&generate).env("RESHELVE_CONFIG", "mine.toml");
    call().expect(2).says(&["invalid value 'few'", "hint: the value stands in mine.toml"]);
    for given in [&["--documents", "few"][..], &["--documents=few"]] {
        let told = place.call(&common::with(&generate, given)).env("RESHELVE_DOCUMENTS", "few");
        let told = told.expect(2);
        assert!(!told.stderr.contains("the value"), "{}", told.stderr);
    }
}

#[test]
fn pages_are_made_from_the_definition() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.expect(0, &["completions", shell]).stdout;
        assert!(script.contains("reshelve") && script.contains("in-flight"), "{shell}");
    }
    place.expect(0, &["man", "pages"]);
    let page = std::fs::read_to_string(place.path("pages").join("reshelve-run.1")).unwrap();
    assert!(page.contains("BATCH_SIZE"), "the page names the environment variables");
}

#[test]
fn demo_proves_what_it_says() {
    let place = Place::new();
    let told = place.expect(0, &["demo", "--dir", "here", "--documents", "30"]);
    assert!(told.stdout.contains("30 of 30 documents came back byte for byte"), "{}", told.stdout);
    let steps = ["reshelve profile", "reshelve run", "reshelve verify", "reshelve restore"];
    for step in steps.iter().chain(&["reshelve report", "Parity holds."]) {
        assert!(told.stdout.contains(step), "no {step} in {}", told.stdout);
    }
    // It ends with the page to look at, and the novels.
    let mut last = told.stdout.trim_end().lines().rev();
    assert!(last.next().unwrap().ends_with(" reshelve serve here/target"), "{}", told.stdout);
    let page = last.next().unwrap().rsplit(' ').next().unwrap();
    assert!(page.ends_with("report.html"), "{page}");
    assert!(String::from_utf8(place.read(page)).unwrap().contains("Parity holds"));
    // Its own folder it clears, no other.
    place.expect(0, &["demo", "--dir", "here", "--documents", "30"]);
    std::fs::create_dir(place.path("mine")).unwrap();
    std::fs::write(place.path("mine").join("file"), b"precious").unwrap();
    place.expect(2, &["demo", "--dir", "mine"]);
    assert!(place.path("mine").join("file").exists());
}

#[test]
fn a_restore_replaces_nothing_unless_it_is_told_to() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    place.write("only.bson", b"the only copy");
    let told = place.expect(3, &["restore", "target", "only.bson"]);
    told.says(&["only.bson already exists", "hint:"]);
    assert_eq!(place.read("only.bson"), b"the only copy");
    // Refused before anything is made.
    place.expect(0, &["restore", "target", "back"]);
    place.expect(3, &["restore", "target", "back"]);
    place.expect(0, &["restore", "target", "only.bson", "--overwrite"]);
    assert_eq!(place.read("only.bson"), place.read("jobs.bson"));
}

#[test]
fn dry_run_stops_every_command_that_writes() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5", "--size", "small"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    let run = place.run();
    place.expect(0, &["run", "jobs.bson", "target", "--limit", "1", "--allow-existing"]);
    let dry = place.runs().into_iter().find(|other| *other != run).unwrap();
    let before = place.tree("");
    for args in [
        &["resume", &run][..],
        &["restore", "target", "back"],
        &["restore", "target", "jobs.bson", "--overwrite"],
        &["indexes", "up", "elsewhere"],
        &["indexes", "down", "target"],
        &["generate", "more"],
        &["generate", "jobs.bson", "--overwrite"],
        &["demo"],
        &["run", "jobs.bson", "other", "--apply", "--in-flight", "include"],
    ] {
        place.call(args).env("DRY_RUN", "true").expect(2).says(&["DRY_RUN", "hint:"]);
        assert!(place.tree("") == before, "{args:?}");
    }
    place.write("reshelve.toml", b"dry-run = true\n");
    place.expect(2, &["restore", "target", "back"]).says(&["DRY_RUN"]);
    std::fs::remove_file(place.path("reshelve.toml")).unwrap();
    // What writes no data is not stopped.
    for args in [&["indexes", "status", "target"][..], &["resume", &dry], &["checksums", "target"]]
    {
        place.call(args).env("DRY_RUN", "true").expect(0);
    }
    place.call(&["restore", "target", "back"]).env("DRY_RUN", "false").expect(0);
}

#[test]
fn a_target_without_its_metadata_is_not_restored() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "3", "--size", "small"]);
    place.expect(0, &["run", "dump", "target", "--apply", "--in-flight", "include"]);
    place.write("target/letswriteabook/novel_job_metadata.bson", b"");
    place.write("back.bson", b"the only copy");
    for flags in [&["other.bson"][..], &["back.bson", "--overwrite"]] {
        let told = place.expect(3, &[&["restore", "target"], flags].concat());
        told.says(&["nothing was restored", "novel_job_metadata"]);
    }
    assert_eq!(place.read("back.bson"), b"the only copy");
    assert!(!place.path("other.bson").exists());
}

#[test]
fn lines_are_not_written_through_links() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "3", "--size", "small"]);
    place.expect(0, &["run", "dump", "target", "--apply", "--in-flight", "include"]);
    place.write("precious", b"precious");
    std::fs::create_dir(place.path("out")).unwrap();
    let link = place.path("out/mismatches.jsonl");
    std::os::unix::fs::symlink(place.path("precious"), &link).unwrap();
    place.expect(1, &["verify", "dump", "target", "--out", "out"]).says(&["a symbolic link"]);
    std::fs::remove_file(&link).unwrap();
    std::fs::hard_link(place.path("precious"), &link).unwrap();
    place.expect(0, &["verify", "dump", "target", "--out", "out"]);
    assert_eq!(place.read("precious"), b"precious");
}

#[test]
fn a_target_that_is_named_as_a_source_is_told_as_one() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "3", "--size", "small"]);
    place.expect(0, &["run", "dump", "target", "--apply", "--in-flight", "include"]);
    for args in [&["run", "target", "dump"][..], &["profile", "target"]] {
        let told = place.expect(2, args).stderr;
        assert!(
            told.contains("the source comes first") && !told.contains("--collection"),
            "{told}"
        );
    }
}
