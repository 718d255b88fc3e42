//! What lies beside the wanted collection in a dump folder: what cannot be read, what is of no
//! use, and what is there twice is told, and stops nothing else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, left_out};

/// The commands that read a source, and whether they show notes on standard output.
const COMMANDS: [(&[&str], bool); 5] = [
    (&["inspect", "dump"], true),
    (&["profile", "dump"], false),
    (&["run", "dump", "dry"], false),
    (&["run", "dump", "out", "--apply", "--in-flight", "include"], false),
    (&["verify", "dump", "out"], false),
];

fn scene() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "3"]);
    place
}

/// Every command succeeds, and says these words in a note.
fn noted(place: &Place, program: &[&str], words: &[&str]) {
    for folder in [".reshelve", "out"].map(|name| place.path(name)) {
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
    }
    for (args, on_stdout) in COMMANDS {
        let told = place.call_through(program, args).expect(0);
        let text = if on_stdout { &told.stdout } else { &told.stderr };
        let notes: Vec<&str> = text.lines().filter(|line| line.starts_with("note: ")).collect();
        for word in words {
            assert!(notes.iter().any(|note| note.contains(word)), "{args:?}, {word}: {text}");
        }
        assert!(!told.stdout.contains("damaged"), "{args:?}: {}", told.stdout);
    }
}

/// A program through which a call has no privileges; none where there is no such program.
fn without_privileges(place: &Place) -> Option<Vec<&'static str>> {
    let is_refused = |path: &std::path::Path| fs::read_dir(path).is_err();
    let probe = place.path("probe");
    fs::create_dir(&probe).unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o000)).unwrap();
    let is_plain_user = is_refused(&probe);
    fs::remove_dir(&probe).unwrap();
    if is_plain_user {
        return Some(Vec::new());
    }
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let setpriv = vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let works = std::process::Command::new("setpriv").arg("--version").output().is_ok()
        && place.call_through(&setpriv, &["--version"]).finish().code == Some(0);
    if !works {
        left_out("setpriv is missing, or the binary is not for everybody");
    }
    works.then_some(setpriv)
}

#[test]
fn what_cannot_be_read_stops_nothing_else() {
    let place = scene();
    let Some(program) = without_privileges(&place) else { return };
    let locked = |name: &str, mode: u32| {
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(place.path("dump/lost+found")).unwrap();
    locked("dump/lost+found", 0);
    let other = "dump/letswriteabook/other.metadata.json";
    fs::copy(place.path("dump/letswriteabook/sessions.metadata.json"), place.path(other)).unwrap();
    locked(other, 0);
    let words = ["dump/lost+found cannot be read", "other.metadata.json cannot be read"];
    noted(&place, &program, &words);
    // The wanted collection may be in there.
    for args in [&["profile", "dump", "--db", "lost+found"][..], &["run", "dump", "x", "--db", "y"]]
    {
        let told = place.call_through(&program, args).expect(1);
        told.says(&["dump/", "cannot be read", "Permission denied", "hint:", "readable"]);
    }
    // The documents of another collection, and then the wanted ones.
    locked("dump/letswriteabook/sessions.bson", 0);
    noted(&place, &program, &words);
    let page = place.call_through(&program, &["inspect", "dump"]).expect(0).stdout;
    assert!(page.contains("sessions.bson cannot be read"), "{page}");
    locked("dump/letswriteabook/jobs.bson", 0);
    for (args, _) in &COMMANDS[1..] {
        let told = place.call_through(&program, args).expect(1);
        told.says(&["letswriteabook/jobs.bson: Permission denied", "hint: make it readable"]);
    }
    let page = place.call_through(&program, &["inspect", "dump"]).expect(1).stdout;
    assert!(page.contains("damaged: jobs") && page.contains("Permission denied"), "{page}");
    locked("dump/lost+found", 0o700);
}

#[test]
fn links_that_lead_nowhere_are_told() {
    let place = scene();
    let at = |name: &str| place.path(&format!("dump/letswriteabook/{name}"));
    symlink("nowhere", at("notes.bson")).unwrap();
    symlink("notes.metadata.json", at("notes.metadata.json")).unwrap();
    noted(&place, &[], &["notes.bson cannot be read", "notes.metadata.json cannot be read"]);
    fs::rename(at("jobs.bson"), place.path("moved.bson")).unwrap();
    symlink("../../gone/jobs.bson", at("jobs.bson")).unwrap();
    for (args, _) in &COMMANDS[1..] {
        let told = place.expect(1, args);
        told.says(&["letswriteabook.jobs: ", "jobs.bson cannot be read", "leads nowhere", "hint:"]);
    }
    let page = place.expect(1, &["inspect", "dump"]).stdout;
    assert!(page.contains("damaged: jobs") && page.contains("leads nowhere"), "{page}");
    // A link that leads somewhere is as good as a file.
    fs::remove_file(at("jobs.bson")).unwrap();
    symlink("../../moved.bson", at("jobs.bson")).unwrap();
    noted(&place, &[], &["notes.bson"]);
}

#[test]
fn metadata_of_macos_is_no_collection() {
    let place = scene();
    let metadata = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02\0\0\0\x09\0\0";
    for name in ["dump/letswriteabook/._jobs.bson", "dump/letswriteabook/._jobs.metadata.json"] {
        place.write(name, metadata);
    }
    fs::create_dir_all(place.path("dump/__MACOSX/letswriteabook")).unwrap();
    place.write("dump/__MACOSX/._jobs.bson", metadata);
    place.write("dump/letswriteabook/.DS_Store", b"\0\0\0\x01Bud1");
    noted(&place, &[], &["._jobs.bson and others"]);
    let page = place.expect(0, &["inspect", "dump"]).stdout;
    assert!(!page.contains(" ._jobs "), "{page}");
    // Named by itself, it is told what it is.
    place.expect(2, &["profile", "dump/__MACOSX/._jobs.bson"]).says(&["macOS"]);
}

#[test]
fn a_collection_that_is_there_twice_is_told_by_inspect_too() {
    let place = scene();
    let at = |name: &str| place.path(&format!("dump/letswriteabook/{name}"));
    fs::copy(at("sessions.bson"), at("sessions.bson.zst")).unwrap();
    // It matters for the wanted collection alone.
    noted(&place, &[], &["letswriteabook.sessions is in two files"]);
    fs::copy(at("jobs.bson"), at("jobs.bson.gz")).unwrap();
    let page = place.expect(0, &["inspect", "dump"]).stdout;
    let note = page.lines().find(|line| line.contains("letswriteabook.jobs is in two files"));
    let note = note.expect("inspect names them");
    assert!(note.contains("jobs.bson, ") || note.contains("jobs.bson and "), "{note}");
    assert!(note.contains("jobs.bson.gz"), "{note}");
    let rows = page.lines().filter(|line| line.contains(" jobs ") && line.contains(" 3 "));
    assert_eq!(rows.count(), 2, "{page}");
    place.expect(2, &["run", "dump", "out2"]).says(&["the same collection is in two files"]);
}
