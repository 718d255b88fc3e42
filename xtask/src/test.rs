//! `cargo xtask test`: everything that tells whether the program does what it promises.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::left_out::FAST;
use crate::server::Servers;
use crate::summary::Summary;
use crate::{browser, clients, conformance, fuzz, printer, schemathesis, tools};

/// A file in which tests write that they leave themselves out.
const LEFT_OUT_VARIABLE: &str = "RESHELVE_TEST_LEFT_OUT";

/// All tests; the parts that need other programs only where these exist.
pub(crate) fn run(fast: bool, summary: &mut Summary) -> Result<()> {
    let servers = Servers::get(fast, summary);
    let tested = cargo_test(&servers, summary);
    let read = if fast {
        summary.leave_out(clients::WHAT, FAST);
        Ok(())
    } else {
        clients::check(&servers, summary)
    };
    servers.stop(summary);
    tested?;
    read?;
    if fast {
        for what in
            [browser::WHAT, schemathesis::WHAT, "conformance against the oracle", "fuzz run"]
        {
            summary.leave_out(what, FAST);
        }
        return Ok(());
    }
    browser::check(None, summary)?;
    schemathesis::check(true, summary)?;
    conformance::run(&conformance::Plan::default(), summary)?;
    fuzz::run(&fuzz::Plan::default(), summary)
}

/// Unit, integration and documentation tests. Output goes through as it comes; the lines in which
/// the test binaries count are added up on the way.
fn cargo_test(servers: &Servers, summary: &mut Summary) -> Result<()> {
    printer::heading("cargo test");
    let start = Instant::now();
    let mut command = tools::cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    servers.tell(&mut command);
    let left_out = tools::target_folder().join("left-out.txt");
    // What an earlier run left out is no news.
    drop(fs::remove_file(&left_out));
    command.env(LEFT_OUT_VARIABLE, &left_out);
    // A text that changed is a failure here, and no new file beside the snapshots.
    command.env("INSTA_UPDATE", "no");
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let (mut passed_in_all, mut failed_in_all) = (0, 0);
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read what cargo test prints")?;
        let line = String::from_utf8_lossy(&line);
        printer::line(&line);
        if let Some(Counts { passed, failed, ignored }) = counts(&line) {
            summary.count("cargo test", passed, failed);
            passed_in_all += passed;
            failed_in_all += failed;
            if ignored > 0 {
                let what = format!("{ignored} tests of a test binary");
                summary.leave_out(&what, "marked as ignored");
            }
        }
    }
    for line in fs::read_to_string(&left_out).unwrap_or_default().lines() {
        let (test, why) = line.split_once(": ").unwrap_or((line, "it did not say why"));
        summary.leave_out(test, why);
    }
    let status = child.wait().context("cargo test did not end")?;
    // Code that does not compile and a test binary that dies count no failures of their own.
    if !status.success() && failed_in_all == 0 {
        summary.fail("cargo test: it did not build, or a test binary died");
    } else if passed_in_all == 0 {
        summary.fail("cargo test: no test ran");
    }
    summary.time("cargo test", start.elapsed());
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; …`.
fn counts(line: &str) -> Option<Counts> {
    let (_, counted) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| {
        counted.split("; ").find_map(|part| part.strip_suffix(what)?.trim_end().parse().ok())
    };
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
        ignored: number("ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; \
                    0 filtered out; finished in 0.00s";
        assert_eq!(counts(line), Some(Counts { passed: 12, failed: 3, ignored: 1 }));
        assert_eq!(counts("test result: odd"), None);
        assert_eq!(counts("test mapping::tests::counts ... ok"), None);
    }
}
