//! Runs the pages: every command block of README, guide and runbook, in order, as a reader would
//! who copies them into a shell in an empty folder. The answers are those that the pages show.
//! Blocks that need a server are run by `live_docs`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/pages.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod pages;

use pages::{Blocks, Shell};

fn follow(page: &str, commands_min: usize) {
    Shell::new().follow(page, Blocks::WithoutServer, commands_min);
}

#[test]
fn the_readme_can_be_followed_literally() {
    follow("README.md", 15);
}

#[test]
fn the_guide_can_be_followed_literally() {
    follow("docs/guide.md", 40);
}

#[test]
fn the_runbook_can_be_followed_literally() {
    follow("docs/operations.md", 20);
}

#[test]
fn an_answer_that_differs_is_found() {
    let wrong = |page: &str| Shell::new().wrong("a page", page, Blocks::All);
    let block = |lines: &str| format!("```console\n{lines}\n```\n");
    for right in [
        "$ echo one; echo two\none\ntwo",
        "$ echo one; echo two\n(…)\ntwo",
        "$ echo one two three\none (…) three",
        "$ echo took 5 ms, 1.5 MiB of memory\ntook 1 min 2.0 s, 3 GiB of memory",
        "$ echo runs/20261128-135137963-bef4e5\nruns/20261122-181408-f9da3f",
        "$ false\n$ echo $?\n1",
        "$ echo error: no; false\nerror: no",
        "$ cat <<X\n> a\n> X\na",
    ] {
        assert_eq!(wrong(&block(right)), Vec::<String>::new(), "{right}");
    }
    for different in [
        "$ echo one; echo two\none",
        "$ echo one; echo two\ntwo\none",
        "$ echo one; echo two\none\ntwo\nthree",
        "$ echo 200 documents\n201 documents",
        "$ echo 2 MiB\n3 MiB",
        "$ echo one; echo two\n(…)\none",
        "$ false",
        "$ echo error: no\nerror: no",
        "$ sh -c 'exit 4'\n$ echo $?\n3",
        "$ nosuchprogram",
    ] {
        assert_ne!(wrong(&block(different)), Vec::<String>::new(), "{different}");
    }
}
