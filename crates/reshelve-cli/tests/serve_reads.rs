//! What a request reads of a target: a list no text of a chapter.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs;
use std::process::{Child, Command, Stdio};

use common::{Place, left_out, strace_is_there, until};
use rustix::process::{Pid, Signal, kill_process};
use serving::Served;

/// Whatever brings bytes of a file into a process.
const READS: &str = "trace=read,pread64,readv,preadv,preadv2,mmap";

/// Writes down what a process reads, until it is told to stop.
struct Watch<'p> {
    place: &'p Place,
    strace: Child,
}

impl<'p> Watch<'p> {
    /// Watches a process, where that is allowed.
    fn begin(place: &'p Place, process: u32) -> Option<Self> {
        let log = place.path("log");
        drop(fs::remove_file(&log));
        let mut strace = Command::new("strace");
        strace.args(["-f", "-y", "-e", READS, "-o"]).arg(&log);
        strace.args(["-p", &process.to_string()]);
        let said = fs::File::create(place.path("said")).unwrap();
        let mut strace = strace.stdin(Stdio::null()).stderr(said).spawn().unwrap();
        let mut said = String::new();
        until("strace watches", || {
            said = String::from_utf8(place.read("said")).unwrap();
            said.contains("attached") || strace.try_wait().unwrap().is_some()
        });
        said.contains("attached").then_some(Watch { place, strace })
    }

    /// The bytes that were read of files whose name has this text.
    fn end(mut self, name: &str) -> u64 {
        kill_process(Pid::from_child(&self.strace), Signal::INT).unwrap();
        self.strace.wait().unwrap();
        let log = String::from_utf8_lossy(&self.place.read("log")).into_owned();
        assert!(log.contains("read"), "nothing at all was read");
        let of_it = log.lines().filter(|line| line.contains(name));
        let bytes = of_it.map(|line| line.rsplit(" = ").next().unwrap().parse::<u64>());
        // What was mapped, or is written on two lines, has no number here: that counts as much as
        // there can be.
        bytes.map(|bytes| bytes.unwrap_or(1 << 40)).sum()
    }
}

#[test]
fn a_list_reads_no_text_of_a_chapter() {
    if !strace_is_there() {
        return;
    }
    let place = Place::new();
    let novels = ["generate", "novels.bson", "--documents", "30", "--size", "large"];
    place.expect(0, &[&novels[..], &["--stage", "completed"]].concat());
    place.expect(0, &["run", "novels.bson", "target", "--apply"]);
    let served = Served::new(&place, &["target"]);
    let list = "/api/novel?status=completed";
    let id = served.get(list).body;
    let id = id.split("\"jobId\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let read = |targets: &[&str]| {
        let watch = Watch::begin(&place, served.process())?;
        for target in targets {
            assert_eq!(served.get(target).status, 200, "{target}");
        }
        Some(watch.end("novel_jobs.bson"))
    };
    let lists = [
        list,
        list,
        "/ui/novels",
        "/ui/novels?status=completed&sort=title",
        "/ui/novels?stage=chapters&mark=stuck&model=gpt-4o",
        "/ui/monitoring",
    ];
    let Some(of_lists) = read(&lists) else {
        return left_out("strace cannot trace here");
    };
    assert_eq!(of_lists, 0, "bytes of novel_jobs.bson");
    // What a job's own answer reads is seen, so lists would be seen too.
    let of_one = read(&[&format!("/api/novel/{id}")]).unwrap();
    assert!(of_one > 50_000, "{of_one}");
}
