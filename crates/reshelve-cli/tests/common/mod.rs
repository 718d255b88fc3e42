//! A place of its own for every test, in which the binary is run, killed and resumed.

#[path = "../../../reshelve/tests/counts/mod.rs"]
pub(crate) mod counts;
pub(crate) mod documents;
pub(crate) mod tree;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// What lies under a folder: names and bytes; folders end with a slash and are empty.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// A temporary folder: the working directory of the commands that are run in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        // Where memory can be written to like a disk, thousands of syncs cost nothing.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Place { folder: tempfile::Builder::new().prefix("reshelve-").tempdir_in(parent).unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A call of the binary, with nothing of the environment but the path.
    pub(crate) fn call(&self, args: &[&str]) -> Call {
        self.call_through(&[], args)
    }

    /// A call of the binary by another program, such as strace.
    pub(crate) fn call_through(&self, program: &[&str], args: &[&str]) -> Call {
        let binary = binary();
        let mut words =
            program.iter().copied().chain([binary.as_str()]).chain(args.iter().copied());
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Call { command, stdin: None }
    }

    /// Runs the binary, and expects this exit code.
    pub(crate) fn expect(&self, code: i32, args: &[&str]) -> Told {
        self.call(args).expect(code)
    }

    /// What lies in one of the folders here.
    pub(crate) fn tree(&self, name: &str) -> Tree {
        tree(&self.path(name))
    }

    /// The ids of the runs that can be seen, oldest first.
    pub(crate) fn runs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(".reshelve/runs")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    /// The id of the only run.
    pub(crate) fn run(&self) -> String {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// What the only run left.
    pub(crate) fn outcome(&self, target: &str) -> Outcome {
        self.outcome_of(&self.run(), target)
    }

    /// What a run left: target, rejects, totals.
    pub(crate) fn outcome_of(&self, run: &str, target: &str) -> Outcome {
        let folder = format!(".reshelve/runs/{run}");
        let mut kept = self.tree(&folder);
        let report = kept.remove("report.json").expect("there is a report");
        let report: Value = serde_json::from_slice(&report).expect("the report is whole");
        kept.remove("run.json");
        kept.remove("checkpoint.json");
        kept.remove("control.json");
        // Which folder it was.
        kept.remove("target.json");
        if let Some(journal) = kept.get_mut("journal.bin") {
            // Where batches end is no property of the documents.
            *journal = jobs_of(journal);
        }
        let fields = [
            "applied",
            "documents",
            "events",
            "warnings",
            "rejects",
            "bytes",
            "replaced",
            "exit",
            "state",
            "reason",
            "warning_examples",
            "reject_examples",
        ];
        let totals = fields
            .iter()
            .map(|&name| {
                let told = report["summary"].get(name).unwrap_or(&report[name]);
                (name.to_owned(), told.clone())
            })
            .collect();
        Outcome { target: self.tree(target), kept, totals }
    }
}

/// Says that this test is left out, and why. The task runner names a file for such lines: in CI each
/// of them is a failure, unless `xtask/src/left_out.rs` knows of it.
#[expect(clippy::print_stdout, reason = "shown with the test, where someone looks at it alone")]
pub(crate) fn left_out(why: &str) {
    let program = std::env::current_exe().unwrap();
    let program = program.file_stem().unwrap().to_string_lossy().into_owned();
    let file = program.rsplit_once('-').map_or(program.as_str(), |(file, _)| file);
    let thread = std::thread::current();
    let line = format!("{file}::{}: {why}\n", thread.name().unwrap_or("a test"));
    print!("left out: {line}");
    if let Some(path) = std::env::var_os("RESHELVE_TEST_LEFT_OUT") {
        let list = fs::OpenOptions::new().append(true).create(true).open(path);
        list.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// Whether system calls can be made to fail here; a test is left out where they cannot.
pub(crate) fn strace_is_there() -> bool {
    let there = Command::new("strace").arg("-V").output().is_ok();
    if !there {
        left_out("strace is missing");
    }
    there
}

/// The binary that is tested; `RESHELVE_BINARY` names another build.
fn binary() -> String {
    std::env::var("RESHELVE_BINARY").unwrap_or(env!("CARGO_BIN_EXE_reshelve").to_owned())
}

/// What a run left, without what differs from run to run.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) target: Tree,
    /// The files of the run folder: rejects, what was replaced, and nothing temporary.
    pub(crate) kept: Tree,
    pub(crate) totals: BTreeMap<String, Value>,
}

impl Outcome {
    pub(crate) fn expect_same(&self, other: &Outcome, what: &str) {
        assert_same(&self.target, &other.target, &format!("{what}: the targets"));
        assert_same(&self.kept, &other.kept, &format!("{what}: the run folders"));
        assert_eq!(self.totals, other.totals, "{what}: the totals");
    }

    /// The number of documents of a kind, such as `rejected`.
    pub(crate) fn documents(&self, kind: &str) -> u64 {
        self.totals["documents"][kind].as_u64().unwrap()
    }
}

/// A call that is about to be made.
pub(crate) struct Call {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Call {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Call {
        self.command.env(name, value);
        self
    }

    /// Sends what it says elsewhere.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Call {
        self.command.stderr(to);
        self
    }

    /// Sends what it prints elsewhere.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Call {
        self.command.stdout(to);
        self
    }

    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Call {
        self.command.stdin(Stdio::piped());
        self.stdin = Some(bytes.to_vec());
        self
    }

    /// Runs it to its end.
    pub(crate) fn finish(mut self) -> Told {
        let said = format!("{:?}", self.command.get_args().collect::<Vec<&OsStr>>());
        let mut child = self.command.spawn().unwrap();
        let feeder = self.stdin.map(|bytes| {
            let mut pipe = child.stdin.take().unwrap();
            // Whoever reads may have had enough.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)))
        });
        let output = child.wait_with_output().unwrap();
        if let Some(feeder) = feeder {
            feeder.join().unwrap();
        }
        Told::of(said, output)
    }

    pub(crate) fn expect(self, code: i32) -> Told {
        self.finish().expect(code)
    }

    /// Runs it beside the test; `piped` leaves its standard input open to be written to.
    pub(crate) fn spawn(mut self, piped: bool) -> Child {
        self.command.stdin(if piped { Stdio::piped() } else { Stdio::null() });
        self.command.spawn().unwrap()
    }
}

/// How a call ended.
pub(crate) struct Told {
    said: String,
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Told {
    pub(crate) fn of(said: String, output: Output) -> Told {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code();
        Told { said, code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(crate) fn expect(self, code: i32) -> Told {
        let Told { said, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "{said}\n{stdout}\n{stderr}");
        self
    }

    /// Expects these words on standard error.
    pub(crate) fn says(self, words: &[&str]) -> Told {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} from {}: {}", self.said, self.stderr);
        }
        self
    }
}

/// A command line with more behind it.
pub(crate) fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

/// Refused, and nothing here has changed.
pub(crate) fn refused(place: &Place, args: &[&str], words: &[&str]) {
    let before = place.tree("");
    place.expect(3, args).says(words).says(&["error:", "hint:"]);
    assert_same(&before, &place.tree(""), &format!("{args:?}: everything"));
}

/// Asks again and again, and gives up after a minute.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain until {what}");
}

/// The records of a journal but those that end a batch.
fn jobs_of(journal: &[u8]) -> Vec<u8> {
    const COMPLETED: u8 = 3;
    let records = journal.chunks(128).filter(|record| record[0] != COMPLETED);
    records.flatten().copied().collect()
}

pub(crate) fn tree(folder: &Path) -> Tree {
    let mut found = Tree::new();
    if folder.is_dir() {
        collect(folder, "", &mut found);
    }
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
            found.insert(format!("{name}/"), Vec::new());
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Puts a tree back on disk.
pub(crate) fn plant(tree: &Tree, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in tree {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::write(path, bytes).unwrap();
        }
    }
}

/// Expects the same names with the same bytes, and says what differs without showing the bytes.
pub(crate) fn assert_same(one: &Tree, other: &Tree, what: &str) {
    let mut differences = Vec::new();
    for name in one.keys().chain(other.keys()) {
        match (one.get(name), other.get(name)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => {
                let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
                let (one, other) = (one.len(), other.len());
                differences.push(format!("{name}: {one} and {other} bytes, the same up to {at}"));
            }
            (Some(_), None) => differences.push(format!("{name}: only the first has it")),
            _ => differences.push(format!("{name}: only the second has it")),
        }
    }
    differences.dedup();
    assert!(differences.is_empty(), "{what} differ:\n{}", differences.join("\n"));
}

/// The documents of some BSON.
pub(crate) fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut documents = Vec::new();
    while let Some(prefix) = bytes.first_chunk() {
        let (document, rest) = bytes.split_at(i32::from_le_bytes(*prefix) as usize);
        documents.push(document.to_vec());
        bytes = rest;
    }
    documents
}

/// The whole documents at the beginning of some BSON, and what a cut-off write left after them.
pub(crate) fn split_whole(bytes: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut end = 0;
    while let Some(prefix) = bytes[end..].first_chunk() {
        let next = end + i32::from_le_bytes(*prefix) as usize;
        if next > bytes.len() {
            break;
        }
        end = next;
    }
    (split(&bytes[..end]), &bytes[end..])
}

/// A source with everything in it: jobs of every stage and era, some in flight, one twice, one
/// that is no valid BSON inside, one that is no job.
pub(crate) fn mixed_source(place: &Place, documents: u32, size: &str) -> Vec<u8> {
    let count = documents.to_string();
    let args = ["generate", "made.bson", "--preset", "lifecycle", "--documents", &count];
    place.expect(0, &[args.as_slice(), &["--size", size, "--overwrite"]].concat());
    let mut list = split(&place.read("made.bson"));
    fs::remove_file(place.path("made.bson")).unwrap();
    let torn_text = b"\x13\0\0\0\x02_id\0\x03\0\0\0x\xff\0\0".to_vec();
    let torn_text = [&(torn_text.len() as i32).to_le_bytes(), &torn_text[4..]].concat();
    let no_job = b"\x12\0\0\0\x02_id\0\x03\0\0\0no\0\0".to_vec();
    let no_job = [&(no_job.len() as i32).to_le_bytes(), &no_job[4..]].concat();
    let twice = list[2].clone();
    let third = list.len() / 3;
    list.insert(third, torn_text);
    list.insert(third * 2, twice);
    list.insert(third * 2 + 3, no_job);
    list.concat()
}
