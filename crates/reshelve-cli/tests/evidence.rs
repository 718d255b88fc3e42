//! The evidence pack: it is checked by the program that is in it, which knows nothing of ours.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::process::Command;

use common::{Place, Told, split};

/// A migrated source, and its pack laid out in the folder `pack`.
fn packed(options: &[&str]) -> Place {
    let place = Place::new();
    let made = ["generate", "source.bson", "--preset", "lifecycle", "--documents", "30"];
    place.expect(0, &[&made[..], &["--size", "small"]].concat());
    let run = ["run", "source.bson", "target", "--in-flight", "include"];
    place.expect(0, &[&run[..], options].concat());
    place.expect(0, &["report", &place.run(), "--bundle", "--out", "out"]);
    let unpack = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])";
    let archive = format!("out/evidence-{}.tar.gz", place.run());
    python(&place, &["-c", unpack, &archive, "."]).expect(0);
    fs::rename(place.path(&format!("evidence-{}", place.run())), place.path("pack")).unwrap();
    place
}

fn python(place: &Place, args: &[&str]) -> Told {
    let mut command = Command::new("python3");
    command.args(["-W", "ignore"]).args(args).current_dir(place.path(".")).env("PYTHONUTF8", "1");
    Told::of(format!("{args:?}"), command.output().expect("Python 3 is installed"))
}

fn check(place: &Place, code: i32, target: &[&str]) -> String {
    let told = python(place, &[&["pack/check.py"], target].concat()).expect(code);
    assert!(told.stdout.ends_with(if code == 0 { "PASS\n" } else { "FAIL\n" }), "{}", told.stdout);
    told.stdout
}

#[test]
fn a_pack_proves_itself_and_its_target() {
    let place = packed(&["--apply"]);
    let told = check(&place, 0, &["target"]);
    assert!(told.contains("novel_jobs: documents 30"), "{told}");
    check(&place, 0, &["target/letswriteabook"]);
    assert!(check(&place, 0, &[]).contains("the target was not checked"));
    let names: Vec<String> = place.tree("pack").into_keys().collect();
    let wanted = [
        "MANIFEST.sha256",
        "README.txt",
        "profile.json",
        "check.py",
        "checkpoint.json",
        "evidence.json",
        "rejects.jsonl",
        "report.html",
        "report-data.json",
        "report.md",
        "run.json",
    ];
    for name in wanted {
        assert!(names.contains(&name.to_owned()), "no {name} among {names:?}");
    }
}

#[test]
fn a_compressed_target_is_recounted_too() {
    let place = packed(&["--apply", "--gzip"]);
    check(&place, 0, &["target"]);
}

#[test]
fn damage_to_the_target_is_found() {
    let place = packed(&["--apply"]);
    let path = place.path("target/letswriteabook/novel_job_metrics.bson");
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let told = check(&place, 1, &["target"]);
    assert!(told.contains("BAD  novel_job_metrics: checksum"), "{told}");
    assert!(told.contains("ok   novel_job_metrics: documents 30"), "{told}");
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    let told = python(&place, &["pack/check.py", "target"]).expect(1);
    assert!(told.stderr.contains("FAIL: novel_job_metrics ends within a document"));
}

#[test]
fn damage_to_the_pack_is_found() {
    let place = packed(&["--apply"]);
    let page = place.path("pack/report.html");
    fs::write(&page, fs::read_to_string(&page).unwrap().replace("Parity", "parity")).unwrap();
    assert!(check(&place, 1, &[]).contains("BAD  report.html"));
    let place = packed(&["--apply"]);
    fs::write(place.path("pack/more.txt"), "slipped in").unwrap();
    assert!(check(&place, 1, &[]).contains("BAD  more.txt is not in the manifest"));
    fs::remove_file(place.path("pack/more.txt")).unwrap();
    fs::remove_file(place.path("pack/run.json")).unwrap();
    assert!(check(&place, 1, &[]).contains("BAD  run.json"));
}

#[test]
fn a_dry_run_has_evidence_but_no_target() {
    let place = packed(&[]);
    assert!(check(&place, 0, &[]).contains("the run's verdict: dry-run"));
    assert!(check(&place, 1, &["target"]).contains("no target was read"));
}

#[test]
fn the_same_report_gives_the_same_pack() {
    let place = packed(&["--apply"]);
    let name = format!("evidence-{}.tar.gz", place.run());
    let made = |out: &str| {
        let args = ["report", &place.run(), "--bundle", "--out", out];
        place.call(&args).env("SOURCE_DATE_EPOCH", "1795000000").expect(0);
        place.read(&format!("{out}/{name}"))
    };
    assert!(made("one") == made("other"));
}

#[test]
fn a_pack_of_a_run_and_its_retry_holds_the_files_of_both() {
    let place = Place::new();
    let made = ["generate", "source.bson", "--documents", "20", "--size", "small"];
    place.expect(0, &made);
    let mut documents = split(&place.read("source.bson"));
    let name = b"\x02status\0";
    let at = documents[6].windows(name.len()).position(|window| window == name).unwrap();
    documents[6][at + name.len() + 4] = b'?';
    place.write("source.bson", &documents.concat());
    let run = ["run", "source.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(4, &run);
    let first = place.run();
    let again = ["--only-rejects", &first, "--on-unknown-status", "failed"];
    place.expect(0, &[&run[..], &again].concat());
    let retry = place.runs().pop().unwrap();
    place.expect(0, &["report", &retry, &first, "--bundle", "--out", "out"]);
    let unpack = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])";
    python(&place, &["-c", unpack, &format!("out/evidence-{first}.tar.gz"), "."]).expect(0);
    fs::rename(place.path(&format!("evidence-{first}")), place.path("pack")).unwrap();
    check(&place, 0, &["target"]);
    let names = place.tree("pack");
    for name in ["run.json", "checkpoint.json", "rejects.jsonl"] {
        let of_retry = format!("retry-{retry}-{name}");
        assert!(names.contains_key(name), "{name}");
        let of_run = place.read(&format!(".reshelve/runs/{retry}/{name}"));
        if name == "checkpoint.json" {
            // The hash of its content is for those who go on from it.
            let mut of_run: serde_json::Value = serde_json::from_slice(&of_run).unwrap();
            of_run.as_object_mut().unwrap().shift_remove("check").unwrap();
            let packed: serde_json::Value = serde_json::from_slice(&names[&of_retry]).unwrap();
            assert!(packed == of_run, "{packed}");
        } else {
            assert!(names[&of_retry] == of_run, "{name}");
        }
    }
}
