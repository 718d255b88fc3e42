//! Damaged sources of every form: what lies before the damage is carried over, the message says
//! what and where, and once the source is mended `resume` ends as if nothing had happened.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::path::PathBuf;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Outcome, Place, Told, Tree, assert_same};

/// The forms of a source: names as `generate` takes them.
const FORMS: [&str; 11] = [
    "jobs.bson",
    "jobs.bson.gz",
    "jobs.bson.zst",
    "dump",
    "dump-gzip",
    "all.archive",
    "all.archive.gz",
    "jobs.jsonl",
    "jobs.jsonl.gz",
    "jobs.json",
    "jobs.json.zst",
];

/// A place with a source, and what it comes to.
struct Scene {
    place: Place,
    form: &'static str,
    /// The file that holds the documents.
    file: PathBuf,
    whole: Vec<u8>,
    expected: Outcome,
}

impl Scene {
    fn new(form: &'static str) -> Scene {
        let place = Place::new();
        generate(&place, form, "5");
        let mut file = place.path(form);
        if file.is_dir() {
            let ending = if form.ends_with("gzip") { ".gz" } else { "" };
            file = file.join(format!("letswriteabook/jobs.bson{ending}"));
        }
        let whole = fs::read(&file).unwrap();
        let expected = Outcome::default();
        let mut scene = Scene { place, form, file, whole, expected };
        scene.run("undisturbed", 0);
        scene.expected = scene.place.outcome("undisturbed");
        fs::remove_dir_all(scene.place.path(".reshelve")).unwrap();
        scene
    }

    fn run(&self, target: &str, code: i32) -> Told {
        let args = ["run", self.form, target, "--apply", "--in-flight", "skip"];
        self.place.expect(code, &args)
    }

    fn damage(&self, bytes: &[u8]) {
        fs::write(&self.file, bytes).unwrap();
    }

    /// The run stops, says this, and has carried over what lies before.
    fn stops(&self, words: &[&str]) {
        let told = self.run("target", 1).says(words).says(&["hint:", "reshelve resume"]);
        let place = if self.form.contains(".json") { "line " } else { "byte offset " };
        // Where nothing at all could be decompressed, there is no line either.
        let nothing = told.stderr.contains("byte offset 0)");
        assert!(nothing || told.stderr.contains(place), "{}: {}", self.form, told.stderr);
        let stopped = self.place.outcome("target");
        assert_eq!(stopped.totals["state"], "failed", "{}", self.form);
        assert_eq!(stopped.totals["exit"], 1, "{}", self.form);
        let reason = stopped.totals["reason"].as_str().unwrap();
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
    }

    /// The target holds the beginning of what it will hold.
    fn expect_beginning(&self) {
        for (name, bytes) in self.place.tree("target") {
            if let Some(expected) = self.expected.target.get(&name) {
                assert!(expected.starts_with(&bytes), "{}: {name}", self.form);
            }
        }
    }

    /// The mended source ends as if nothing had happened.
    fn mended(&self) -> Told {
        self.damage(&self.whole);
        let told = self.place.expect(0, &["resume", &self.place.run()]);
        self.place.outcome("target").expect_same(&self.expected, self.form);
        told
    }
}

fn generate(place: &Place, name: &str, seed: &str) {
    let mut args = vec![
        "generate",
        name,
        "--preset",
        "lifecycle",
        "--size",
        "small",
        "--documents",
        "90",
        "--seed",
        seed,
    ];
    if name == "dump-gzip" {
        args.extend(["--form", "folder-gzip"]);
    }
    place.expect(0, &args);
}

#[test]
fn truncated_anywhere() {
    for form in FORMS {
        for hundredths in [25, 60, 97] {
            let scene = Scene::new(form);
            scene.damage(&scene.whole[..scene.whole.len() * hundredths / 100]);
            scene.stops(&["truncated"]);
            scene.expect_beginning();
            let read = scene.place.outcome("target").documents("read");
            let all = scene.expected.documents("read");
            // Compressed blocks may swallow what lies before the cut, though not all of it.
            let some = hundredths < 60 || read > 0 || form == "all.archive.gz";
            assert!(read <= all && some, "{form}: {read} of {all}");
            scene.mended();
        }
    }
}

#[test]
fn archives_give_what_lies_before_the_cut() {
    let scene = Scene::new("all.archive.gz");
    scene.damage(&scene.whole[..scene.whole.len() * 97 / 100]);
    scene.stops(&["truncated"]);
    assert!(scene.place.outcome("target").documents("read") > 45);
    scene.mended();
}

#[test]
fn everything_before_the_cut_is_carried_over() {
    let scene = Scene::new("jobs.bson");
    let documents = common::split(&scene.whole);
    for (cut, missing) in [(1, 1), (3, 1), (4, 1), (100, 1), (documents[89].len() - 1, 1)] {
        let scene = Scene::new("jobs.bson");
        let before: usize = documents[..89].iter().map(Vec::len).sum();
        scene.damage(&scene.whole[..before + cut]);
        scene.stops(&["truncated", &format!("byte offset {before})")]);
        let read = scene.place.outcome("target").documents("read");
        assert_eq!(read, 90 - missing, "cut {cut}");
        scene.mended();
    }
}

#[test]
fn mended_in_two_steps() {
    for form in ["jobs.bson", "jobs.bson.gz", "all.archive", "jobs.jsonl"] {
        let scene = Scene::new(form);
        let length = scene.whole.len();
        scene.damage(&scene.whole[..length * 2 / 5]);
        scene.stops(&["truncated"]);
        let run = scene.place.run();
        scene.damage(&scene.whole[..length * 4 / 5]);
        scene.place.expect(1, &["resume", &run]).says(&["truncated"]);
        scene.expect_beginning();
        scene.mended();
    }
}

#[test]
fn compressed_data_is_broken() {
    for form in ["jobs.bson.gz", "all.archive.gz", "dump-gzip", "jobs.jsonl.gz"] {
        for hundredths in [10, 50, 90] {
            let scene = Scene::new(form);
            let mut bytes = scene.whole.clone();
            let at = bytes.len() * hundredths / 100;
            bytes[at] ^= 0x10;
            scene.damage(&bytes);
            scene.stops(&[]);
            scene.mended();
        }
    }
}

#[test]
fn checksums_of_the_compression_do_not_hold() {
    for (form, behind) in [("jobs.bson.gz", 8), ("all.archive.gz", 8)] {
        let scene = Scene::new(form);
        let mut bytes = scene.whole.clone();
        let at = bytes.len() - behind;
        bytes[at] ^= 1;
        scene.damage(&bytes);
        scene.stops(&["checksum"]);
        scene.expect_beginning();
        scene.mended();
    }
}

#[test]
fn the_checksum_of_an_archive_does_not_hold() {
    let scene = Scene::new("all.archive");
    let mut bytes = scene.whole.clone();
    // The end of the namespace, which states the checksum.
    let end = b"jobs\0\x08EOF\0\x01\x12CRC\0";
    let at = bytes.windows(end.len()).position(|window| window == end).unwrap() + end.len();
    bytes[at] ^= 1;
    scene.damage(&bytes);
    scene.stops(&["checksum", "byte offset"]);
    scene.expect_beginning();
    scene.mended();
}

#[test]
fn documents_that_a_checksum_casts_doubt_on_are_read_anew() {
    let scene = Scene::new("all.archive");
    let args = ["generate", "all.archive", "--preset", "lifecycle", "--size", "small"];
    let more = ["--documents", "90", "--seed", "5", "--overwrite", "--fault", "changed-text"];
    scene.place.expect(0, &[args.as_slice(), &more].concat());
    scene.stops(&["checksum"]);
    let told = scene.mended();
    assert!(told.stderr.contains("begins again"), "{}", told.stderr);
}

#[test]
fn a_compressed_block_is_broken() {
    // Not every form has checksums: what cannot be decompressed is damage all the same.
    for form in ["jobs.bson.zst", "jobs.json.zst"] {
        let scene = Scene::new(form);
        let mut bytes = scene.whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0xff);
        scene.damage(&bytes);
        scene.stops(&[]);
        scene.mended();
    }
}

#[test]
fn a_length_is_broken() {
    for form in ["jobs.bson", "dump"] {
        let scene = Scene::new(form);
        let args = ["generate", form, "--preset", "lifecycle", "--size", "small", "--documents"];
        let more = ["90", "--seed", "5", "--overwrite", "--fault", "broken-length"];
        scene.place.expect(0, &[args.as_slice(), &more].concat());
        scene.stops(&[]);
        scene.expect_beginning();
        scene.mended();
    }
}

/// What a refused `resume` must leave alone; the lock names the process that tried last.
fn without_lock(place: &Place) -> Tree {
    let mut tree = place.tree("target");
    tree.remove("letswriteabook/.reshelve.lock");
    tree.extend(place.tree(".reshelve").into_iter().map(|(name, it)| (format!("r/{name}"), it)));
    tree
}

#[test]
fn another_source_is_refused_and_changes_nothing() {
    // Where a checksum has not confirmed what was read, a run begins again instead.
    for form in ["jobs.bson", "dump", "jobs.jsonl", "jobs.json"] {
        let scene = Scene::new(form);
        let other = Place::new();
        generate(&other, form, "6");
        let shorter = Place::new();
        generate(&shorter, form, "5");
        let file = scene.file.strip_prefix(scene.place.path("")).unwrap();
        fs::write(shorter.path("").join(file), &scene.whole[..scene.whole.len() / 3]).unwrap();
        scene.damage(&scene.whole[..scene.whole.len() * 4 / 5]);
        scene.stops(&["truncated"]);
        let before = without_lock(&scene.place);
        let run = scene.place.run();
        for source in [other.path(form), shorter.path(form)] {
            let source = source.to_str().unwrap();
            let told = scene.place.expect(3, &["resume", &run, "--source", source]);
            told.says(&["is not the one that this run has read", "hint:"]);
            assert_same(&before, &without_lock(&scene.place), form);
        }
        scene.mended();
    }
}

#[test]
fn standard_input_is_piped_again() {
    for form in ["jobs.bson", "jobs.bson.gz", "all.archive", "all.archive.gz", "jobs.jsonl"] {
        let scene = Scene::new(form);
        let cut = &scene.whole[..scene.whole.len() * 3 / 4];
        let args = ["run", "-", "target", "--apply", "--in-flight", "skip"];
        scene.place.call(&args).stdin(cut).expect(1).says(&["truncated", "standard input"]);
        let run = scene.place.run();
        let told = scene.place.call(&["resume", &run]).stdin(&scene.whole).finish();
        assert_eq!(told.code, Some(0), "{form}: {}", told.stderr);
        scene.place.outcome("target").expect_same(&scene.expected, form);
    }
}
