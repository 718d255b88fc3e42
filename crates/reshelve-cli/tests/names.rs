//! Paths that are not UTF-8, as file systems of old have them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

/// Runs the binary with arguments that need not be text.
fn call(folder: &Path, args: &[&OsStr]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reshelve"));
    command.args(args).current_dir(folder).env_clear().output().unwrap()
}

fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    words.iter().copied().map(OsStr::new).collect()
}

#[test]
fn a_path_that_is_not_utf8_is_refused_before_anything_is_made() {
    let place = Place::new();
    let odd = OsStr::from_bytes(b"d\xE9mp");
    let folder: PathBuf = place.path("");
    place.expect(0, &["generate", "dump", "--documents", "3"]);
    fs::rename(place.path("dump"), folder.join(odd)).unwrap();
    // What only reads works.
    for command in ["profile", "inspect"] {
        assert_eq!(call(&folder, &[OsStr::new(command), odd]).status.code(), Some(0), "{command}");
    }
    let apply = words(&["--apply", "--in-flight", "include"]);
    symlink(odd, place.path("link")).unwrap();
    for dry in [true, false] {
        let more = if dry { &[][..] } else { &apply[..] };
        for ends in [[odd, OsStr::new("out")], [OsStr::new("link"), odd]] {
            let output = call(&folder, &[&[OsStr::new("run")], &ends[..], more].concat());
            let told = String::from_utf8(output.stderr).unwrap();
            // A target inside the source is refused for that.
            let code = output.status.code();
            assert!(matches!(code, Some(2 | 3)), "{told}");
            assert!(code == Some(3) || told.contains("xE9mp\" is not UTF-8"), "{told}");
            assert!(told.contains("hint:"), "{told}");
            assert!(!place.path(".reshelve").exists() && !place.path("out").exists(), "{told}");
        }
    }
    // As the hint says.
    let output = call(&folder, &[&words(&["run", "link", "out"])[..], &apply].concat());
    assert_eq!(output.status.code(), Some(0));
    let names =
        fs::read_dir(place.path(".reshelve/runs")).unwrap().map(|it| it.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.as_bytes().ends_with(b".tmp")));
}
