//! Follows a page: runs its command blocks in order in one shell, as a reader would who copies
//! them, and compares each answer with the one that the page shows.
//!
//! - In a `console` block, a line `$ …` is a command (`> …` continues it), and the lines after it
//!   are its whole answer; `(…)` stands for what is left out, also within a line.
//! - In an `sh` block, each line is a command, and its answer is not shown.
//! - A command ends with exit code 0, unless the next one is `echo $?` with the shown code, or the
//!   shown answer has an `error:`.
//! - `<!-- not run: WHY -->` before a block leaves it out; `<!-- needs a server -->` leaves it to
//!   the live test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::common::Place;

/// What a page shows for something that was left out of an answer.
const LEFT_OUT: &str = "(…)";
const NOT_RUN: &str = "<!-- not run: ";
const NEEDS_A_SERVER: &str = "<!-- needs a server -->";
/// Where pages show the folder in which they are followed.
const SHOWN_FOLDER: &str = "/srv/novels";
/// What the shell prints after each command, followed by its exit code.
const ENDED: &str = "=-=-= ended with";
/// Where a command names the next one; pages name their own.
const NEXT: &str = "Next: ";
/// The command that shows the exit code of the one before it.
const ASKS_FOR_CODE: &str = "echo $?";

/// How many blocks of a page may be left out.
const LEFT_OUT_MAX: usize = 8;
/// How many lines of a wrong answer are shown.
const ANSWER_MAX: usize = 40;

/// Which blocks are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Those that need nothing but the program.
    WithoutServer,
    /// Those that need a server, and no others.
    WithServer,
    All,
}

/// A command of a page.
#[derive(Debug)]
pub(crate) struct Step {
    line: usize,
    command: String,
    /// What the page shows of its answer; None if it does not show answers here.
    shown: Option<Vec<String>>,
}

impl Step {
    fn new(line: usize, command: &str, shown: Option<Vec<String>>) -> Step {
        // In a shell where somebody types, zsh takes comments for commands and arguments.
        assert!(!format!(" {command}").contains(" # "), "line {line}: a comment in a command");
        Step { line, command: command.to_owned(), shown }
    }
}

/// What is between two fences.
struct Block<'a> {
    line: usize,
    form: &'a str,
    /// The line of text before it.
    before: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut before, mut open) = (Vec::new(), "", None::<(Block<'_>, usize)>);
    for (at, line) in page.lines().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        open = match (open.take(), text.strip_prefix("```")) {
            (None, Some(form)) => {
                Some((Block { line: at + 2, form, before, lines: Vec::new() }, indent))
            }
            (None, None) => None,
            (Some((block, _)), Some(_)) => {
                blocks.push(block);
                None
            }
            (Some((mut block, indent)), None) => {
                block.lines.push(line.get(indent..).unwrap_or(""));
                Some((block, indent))
            }
        };
        if !text.is_empty() {
            before = text;
        }
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// Whether a command continues on the next line: a backslash, or a here-document without its end.
fn continues(command: &str) -> bool {
    let here = command.split_once("<<").map(|(_, rest)| rest.lines().next().unwrap_or(""));
    let word = here.and_then(|rest| rest.split_whitespace().next());
    let word = word.map(|word| word.trim_matches(['\'', '"', '-']));
    command.ends_with('\\') || word.is_some_and(|word| !command.lines().any(|line| line == word))
}

/// The commands of a page, in order, and how many blocks are left out with a reason.
pub(crate) fn steps(page: &str, which: Blocks) -> (Vec<Step>, usize) {
    let (mut steps, mut left_out) = (Vec::<Step>::new(), 0);
    for block in blocks(page).iter().filter(|block| matches!(block.form, "sh" | "console")) {
        let needs_a_server = block.before == NEEDS_A_SERVER;
        let is_run = which == Blocks::All || needs_a_server == (which == Blocks::WithServer);
        if block.before.starts_with(NOT_RUN) {
            left_out += 1;
            continue;
        }
        if is_run {
            let first = steps.len();
            for (at, line) in block.lines.iter().enumerate() {
                add(&mut steps, first, block.form == "console", block.line + at, line);
            }
        }
    }
    (steps, left_out)
}

/// Adds a line of a block, whose steps begin at `first`.
fn add(steps: &mut Vec<Step>, first: usize, answers: bool, line: usize, text: &str) {
    let open = steps[first..].last_mut().filter(|step| continues(&step.command));
    match (open, answers) {
        (Some(step), true) => {
            let text = text.strip_prefix("> ").unwrap_or_else(|| {
                panic!("line {line}: a command continues with `> `");
            });
            step.command = format!("{}\n{text}", step.command);
        }
        (Some(step), false) => step.command = format!("{}\n{text}", step.command),
        (None, true) => match (text.strip_prefix("$ "), steps[first..].last_mut()) {
            (Some(command), _) => steps.push(Step::new(line, command, Some(Vec::new()))),
            (None, Some(step)) => step.shown.get_or_insert_default().push(text.to_owned()),
            (None, None) => panic!("line {line}: an answer without a command"),
        },
        (None, false) if text.is_empty() => {}
        (None, false) => steps.push(Step::new(line, text, None)),
    }
}

/// What is wrong with an exit code, where anything is.
fn wrong_code(code: i32, step: &Step, next: Option<&Step>) -> Option<String> {
    if next.is_some_and(|next| next.command == ASKS_FOR_CODE) {
        return None;
    }
    let shown = step.shown.as_deref().unwrap_or_default();
    let is_failure = shown.iter().any(|line| line.starts_with("error:"));
    (is_failure == (code == 0)).then(|| format!("exit code {code}, unlike on the page"))
}

/// A shell, in a folder with nothing in it, with the program on its path.
pub(crate) struct Shell {
    place: Place,
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The exit code of the last command.
    code: i32,
    /// A text of the pages that stands for what differs here, such as a connection string.
    stand_in: Option<[String; 2]>,
}

impl Shell {
    pub(crate) fn new() -> Shell {
        let place = Place::new();
        for folder in ["bin", "novels"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        let program = place.path("bin/reshelve");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_reshelve"), program).unwrap();
        // `cargo run` is what a reader of the README has before anything is installed. What cargo
        // would build is here already.
        let cargo =
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift; exec reshelve \"$@\"\n";
        place.write("bin/cargo", cargo.as_bytes());
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(place.path("bin/cargo"), executable).unwrap();
        let usual = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(place.path("bin")).chain(std::env::split_paths(&usual));
        let mut process = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(place.path("novels"))
            .env_clear()
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", place.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        commands.write_all(b"exec 2>&1\n").unwrap();
        Shell { place, process, commands, answers, code: 0, stand_in: None }
    }

    /// The folder in which the commands are run.
    pub(crate) fn folder(&self) -> PathBuf {
        self.place.path("novels")
    }

    /// Replaces a text of the pages in every command.
    pub(crate) fn replace(&mut self, shown: &str, real: &str) {
        self.stand_in = Some([shown.to_owned(), real.to_owned()]);
    }

    /// Runs a command; its exit code and its answer, both streams in the order in which they came.
    pub(crate) fn run(&mut self, command: &str) -> (i32, Vec<String>) {
        let command = match &self.stand_in {
            Some([shown, real]) => command.replace(shown, real),
            None => command.to_owned(),
        };
        self.place.write("step", command.as_bytes());
        let step = self.place.path("step");
        // The shell writes line by line: what a process in the background says can come between.
        let end = format!("printf '\\n{ENDED} %s\\n' $?");
        let call = format!("(exit {}); . '{}' </dev/null\n{end}\n", self.code, step.display());
        self.commands.write_all(call.as_bytes()).unwrap();
        let folder = fs::canonicalize(self.folder()).unwrap().to_string_lossy().into_owned();
        let mut answer = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.answers.read_until(b'\n', &mut line).unwrap() == 0 {
                panic!("the shell has ended: {command}\n{}", answer.join("\n"));
            }
            let line = String::from_utf8_lossy(&line);
            let (said, code) = line.split_once(ENDED).unwrap_or((&line, ""));
            if code.is_empty() || !said.is_empty() {
                answer.push(said.trim_end().replace(&folder, SHOWN_FOLDER));
            }
            if !code.is_empty() {
                self.code = code.trim().parse().unwrap();
                return (self.code, answer);
            }
        }
    }

    /// Runs these blocks of a page, in order, and expects what it says. A page has at least so many
    /// commands; with fewer, their form has changed.
    pub(crate) fn follow(&mut self, name: &str, which: Blocks, commands_min: usize) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = fs::read_to_string(root.join(name)).unwrap();
        let (steps, left_out) = steps(&page, which);
        assert!(steps.len() >= commands_min, "{name}: only {} commands were found", steps.len());
        assert!(left_out < LEFT_OUT_MAX, "{name}: {left_out} blocks are not run");
        let wrong = self.wrong(name, &page, which);
        assert!(wrong.is_empty(), "{} commands:\n\n{}", wrong.len(), wrong.join("\n"));
    }

    /// Runs these blocks of a page, and says of each command that is not as the page says why.
    pub(crate) fn wrong(&mut self, name: &str, page: &str, which: Blocks) -> Vec<String> {
        let mut wrong = Vec::new();
        let (steps, _) = steps(page, which);
        for (at, step) in steps.iter().enumerate() {
            let (code, answer) = self.run(&step.command);
            let is_told = |shown: &Vec<String>| difference(shown, &answer);
            let what = wrong_code(code, step, steps.get(at + 1))
                .or_else(|| step.shown.as_ref().and_then(is_told));
            let Some(what) = what else { continue };
            let (line, command) = (step.line, &step.command);
            let answer: Vec<&str> = answer.iter().take(ANSWER_MAX).map(String::as_str).collect();
            let answer = answer.join("\n");
            wrong.push(format!("{name}:{line}: {command}\n{what}\n--- the answer\n{answer}\n"));
        }
        wrong
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It waits for the next command.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a shown answer has that the real one has not, or the other way round.
fn difference(shown: &[String], answer: &[String]) -> Option<String> {
    let shows_next = shown.iter().any(|line| line.starts_with(NEXT));
    let is_compared = |line: &&String| {
        let is_extra = is_progress(line) || line.starts_with(NEXT) && !shows_next;
        !line.trim().is_empty() && !is_extra
    };
    let mut rest = answer.iter().filter(is_compared).peekable();
    let mut is_gap = false;
    for line in shown.iter().filter(|line| !line.trim().is_empty()) {
        if line.trim() == LEFT_OUT {
            is_gap = true;
            continue;
        }
        let next = rest.peek().map(|next| next.as_str()).unwrap_or("nothing more");
        let unlike = format!("the page shows\n  {line}\nwhere the answer has\n  {next}");
        let is_found = if is_gap {
            rest.any(|next| is_like(line, next))
        } else {
            rest.next().is_some_and(|next| is_like(line, next))
        };
        if !is_found {
            return Some(unlike);
        }
        is_gap = false;
    }
    let more = rest.next().filter(|_| !is_gap);
    more.map(|line| {
        format!("the page does not show\n  {line}\nor leaves it out without `{LEFT_OUT}`")
    })
}

/// Whether it is a line of progress: these come if a command takes long.
fn is_progress(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit())
        && line.contains(" documents, ")
        && line.contains("B/s")
}

/// Whether a shown line, in which parts may be left out, is this line.
pub(crate) fn is_like(shown: &str, line: &str) -> bool {
    let (shown, line) = (masked(shown), masked(line));
    let parts: Vec<&str> = shown.split(LEFT_OUT).map(str::trim).collect();
    let ([first, .., last], true) = (&parts[..], parts.len() > 1) else { return shown == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// A line without what differs from run to run: ids of runs, times, rates, memory, free space,
/// and the room between columns.
fn masked(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut masked: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let bare = bare(word);
        let after = words.get(at + 1..).unwrap_or_default();
        let is_of_this_run = match after {
            [of, memory, ..] if *of == "of" && bare_is_size(bare) => memory.starts_with("memory"),
            [are, free, ..] if *are == "are" && bare_is_size(bare) => free.starts_with("free"),
            _ => is_time_or_rate(bare),
        };
        if !is_of_this_run {
            masked.push(without_run(word));
            continue;
        }
        while masked.last().is_some_and(|last| self::bare(last).parse::<f64>().is_ok()) {
            masked.pop();
        }
        if masked.last().is_none_or(|last| last != "TIME") {
            masked.push("TIME".to_owned());
        }
    }
    masked.join(" ")
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '<')
}

fn bare_is_size(word: &str) -> bool {
    matches!(word, "B" | "KiB" | "MiB" | "GiB" | "TiB")
}

fn is_time_or_rate(word: &str) -> bool {
    matches!(
        word,
        "ms" | "s" | "min" | "h" | "d" | "B/s" | "KiB/s" | "MiB/s" | "GiB/s" | "documents/s"
    )
}

/// A word with every id of a run in it replaced: `20261122-181408-24b867`.
fn without_run(word: &str) -> String {
    let parts: Vec<&str> = word.split('-').collect();
    let digits = |text: &str| text.chars().rev().take_while(char::is_ascii_digit).count();
    let hex = |text: &str| text.chars().take_while(char::is_ascii_hexdigit).count();
    let mut text = parts[0].to_owned();
    let mut at = 1;
    while at < parts.len() {
        let is_run = digits(&text) == 8
            && parts[at].len() >= 6
            && digits(parts[at]) == parts[at].len()
            && parts.get(at + 1).is_some_and(|part| hex(part) >= 6);
        if is_run {
            text.truncate(text.len() - 8);
            text = format!("{text}RUN{}", &parts[at + 1][6..]);
            at += 2;
        } else {
            text = format!("{text}-{}", parts[at]);
            at += 1;
        }
    }
    text
}
