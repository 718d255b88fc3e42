//! Kills the binary before one of its effects on files: strace does it, at the Nth call of a kind in
//! any of the threads.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::Place;

/// The system calls that leave something behind.
pub(crate) const EFFECTS: [&str; 10] = [
    "mkdir",
    "openat",
    "write",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "unlink",
    "ftruncate",
];

/// The points at which a command can be killed: of each call, the numbers within its thread.
pub(crate) type Points = BTreeMap<&'static str, BTreeSet<usize>>;

/// Runs a command to its end, and tells at which calls of each kind it can be killed.
pub(crate) fn points(place: &Place, args: &[&str], code: i32) -> Points {
    let kinds = format!("trace={}", EFFECTS.join(","));
    let strace = ["strace", "-f", "-qq", "-o", "log", "-e", &kinds];
    place.call_through(&strace, args).expect(code);
    let log = String::from_utf8(place.read("log")).unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut points = Points::new();
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let named = |effect: &&str| call.trim_start().starts_with(&format!("{effect}("));
        let Some(&effect) = EFFECTS.iter().find(|effect| named(effect)) else { continue };
        let count = counts.entry((thread, effect)).or_default();
        *count += 1;
        // Opening a file leaves something behind only where it makes it.
        if effect != "openat" || call.contains("O_CREAT") {
            points.entry(effect).or_default().insert(*count);
        }
    }
    points
}

/// What kills.
pub(crate) struct Killer {
    trace: String,
    inject: String,
}

/// Kills at such a call of that number.
pub(crate) fn killer(effect: &str, point: usize) -> Killer {
    let trace = format!("trace={effect}");
    Killer { trace, inject: format!("inject={effect}:signal=KILL:when={point}") }
}

impl Killer {
    /// The program that the binary is called through.
    pub(crate) fn line(&self) -> [&str; 9] {
        let Killer { trace, inject } = self;
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", inject]
    }
}

/// Whether all faults are to be tried, or only some of each kind.
pub(crate) fn is_long() -> bool {
    std::env::var("RESHELVE_FAULTS").is_ok_and(|value| value == "all")
}
