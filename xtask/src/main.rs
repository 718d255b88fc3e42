//! Chores of the workspace: `cargo xtask test`, `ci`, `conformance`, `compare`, `fuzz`,
//! `browser`, `schemathesis`, `server`, `bench`, `reliability`.
//!
//! Every chore goes on after a failure, so that one run shows all there is to mend, and ends with
//! what was left out on this machine and the line `N passed, M failed`.

mod bench;
mod browser;
mod ci;
mod clients;
mod compare;
mod conformance;
mod fuzz;
mod left_out;
mod machine;
mod npm;
mod printer;
mod reliability;
mod schemathesis;
mod seeds;
mod served;
mod server;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use summary::Summary;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--fast]                            all tests, then clients, the pages, requests from
                                           the OpenAPI document, conformance, a short fuzz run
  ci [--fast]                              format, lints, licences, documentation and the lowest
                                           Rust, then test; what is left out and is not listed
                                           in xtask/src/left_out.rs is a failure
  conformance [--seed N] [--documents N] [--release]
                                           the binary against the oracle of the mapping
  compare OLD [NEW] [--documents N] [--only TEXT] [--also PATH]
                                           the release builds of two commits over all corpora, byte
                                           for byte; NEW is the working tree unless named
  clients                                  mongosh and mongoose read what the binary writes
  browser [TEXT]                           drives the pages of `serve` in Chromium; only the
                                           checks whose name has TEXT
  schemathesis [--short]                   requests made from the OpenAPI document of `serve`
  fuzz [--seconds N] [TARGET…]             each fuzz target for so long
  bench [--runs N] [--quick] [--live] [--folder DIR] [--only GROUP]
        [--program PATH] [--publish]
                                           whole processes beside each other: a table of figures;
                                           PATH is measured instead of a new release build
  bench --serving [--runs N] [--publish]   requests per second of `serve`, beside Node
  bench --instructions [--record]          instructions per document against those on record
  reliability [--long] [SUITE…]            runs the suites that try faults, counts, and writes
                                           docs/reliability.md
  reliability --check                      whether that page lists the suites that there are
  server [COMMAND…]                        builds the server for live tests if it is missing, and
                                           runs a command with it, such as `cargo test live`

--fast leaves out clients, conformance and the fuzz run.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // What the benchmarks measure with: no chore, and no summary.
    let helper = match arguments.split_first() {
        Some((name, rest)) if name == "meter" => Some(bench::meter::run(rest)),
        Some((name, rest)) if name == "inflate" => Some(bench::meter::inflate(rest)),
        _ => None,
    };
    if let Some(result) = helper {
        return match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                printer::error(&format!("{error:#}"));
                ExitCode::from(2)
            }
        };
    }
    if let Some(("compare", rest)) = arguments.split_first().map(|(name, rest)| (&**name, rest)) {
        let answer = compare_plan(&mut Flags { left: rest }).and_then(|plan| compare::run(&plan));
        return match answer {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                printer::error(&format!("{error:#}"));
                ExitCode::from(2)
            }
        };
    }
    let mut summary = Summary::default();
    match run(&arguments, &mut summary) {
        Ok(()) => {
            summary.print();
            if summary.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            printer::error(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String], summary: &mut Summary) -> Result<()> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => bail!("no command given\n{USAGE}"),
    };
    let mut flags = Flags { left: rest };
    match command {
        "test" => {
            let fast = flags.only("--fast")?;
            test::run(fast, summary)
        }
        "ci" => {
            let fast = flags.only("--fast")?;
            ci::run(summary)?;
            test::run(fast, summary)?;
            summary.refuse_left_out();
            Ok(())
        }
        "conformance" => {
            let mut plan = conformance::Plan::default();
            while let Some(flag) = flags.next() {
                match flag {
                    "--seed" => plan.seed = flags.number(flag)?,
                    "--documents" => plan.documents = flags.number(flag)?,
                    "--release" => plan.release = true,
                    other => bail!("unknown argument `{other}`\n{USAGE}"),
                }
            }
            conformance::run(&plan, summary)
        }
        "clients" => match flags.next() {
            None => clients::run(summary),
            Some(other) => bail!("unknown argument `{other}`\n{USAGE}"),
        },
        "browser" => browser::check(flags.at_most_one()?, summary),
        "schemathesis" => schemathesis::check(flags.only("--short")?, summary),
        "fuzz" => {
            let mut plan = fuzz::Plan::default();
            while let Some(flag) = flags.next() {
                match flag {
                    "--seconds" => plan.seconds = flags.number(flag)?,
                    other if other.starts_with('-') => bail!("unknown argument `{other}`\n{USAGE}"),
                    target => plan.targets.push(target.to_owned()),
                }
            }
            fuzz::run(&plan, summary)
        }
        "bench" => bench::run(&bench_plan(&mut flags)?, summary),
        "reliability" => {
            let mut plan = reliability::Plan::default();
            while let Some(flag) = flags.next() {
                match flag {
                    "--long" => plan.long = true,
                    "--check" => plan.check = true,
                    other if other.starts_with('-') => bail!("unknown argument `{other}`\n{USAGE}"),
                    suite => plan.suites.push(suite.to_owned()),
                }
            }
            reliability::run(&plan, summary)
        }
        "server" => server::run(rest, summary),
        other => bail!("unknown command `{other}`\n{USAGE}"),
    }
}

fn bench_plan(flags: &mut Flags<'_>) -> Result<bench::Plan> {
    let mut plan = bench::Plan::default();
    while let Some(flag) = flags.next() {
        match flag {
            "--runs" => plan.runs = flags.number(flag)?,
            "--quick" => plan.quick = true,
            "--live" => plan.live = true,
            "--folder" => plan.folder = Some(flags.next().context("--folder needs a path")?.into()),
            "--instructions" => plan.instructions = true,
            "--record" => plan.record = true,
            "--program" => {
                plan.program = Some(flags.next().context("--program needs a path")?.into());
            }
            "--serving" => plan.serving = true,
            "--publish" => plan.publish = true,
            "--only" => plan.only.push(flags.next().context("--only needs a group")?.to_owned()),
            other => bail!("unknown argument `{other}`\n{USAGE}"),
        }
    }
    Ok(plan)
}

fn compare_plan(flags: &mut Flags<'_>) -> Result<compare::Plan> {
    let mut plan = compare::Plan::default();
    while let Some(flag) = flags.next() {
        match flag {
            "--documents" => plan.documents = flags.number(flag)?,
            "--only" => plan.only = Some(flags.next().context("--only needs a text")?.to_owned()),
            "--also" => plan.also.push(flags.next().context("--also needs a path")?.into()),
            other if other.starts_with('-') => bail!("unknown argument `{other}`\n{USAGE}"),
            commit if plan.old.is_empty() => commit.clone_into(&mut plan.old),
            commit if plan.new.is_none() => plan.new = Some(commit.to_owned()),
            other => bail!("a third commit: `{other}`\n{USAGE}"),
        }
    }
    if plan.old.is_empty() {
        bail!("no commit to compare with\n{USAGE}");
    }
    Ok(plan)
}

/// The arguments after the command.
struct Flags<'a> {
    left: &'a [String],
}

impl<'a> Flags<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(first)
    }

    fn number(&mut self, flag: &str) -> Result<u64> {
        let text = self.next().with_context(|| format!("{flag} needs a number"))?;
        text.parse().with_context(|| format!("{flag} needs a number, not `{text}`"))
    }

    /// Whether this flag is there, which is the only one that may be.
    fn only(&mut self, flag: &str) -> Result<bool> {
        match (self.next(), self.next()) {
            (None, _) => Ok(false),
            (Some(given), None) if given == flag => Ok(true),
            (Some(other), _) => bail!("unknown argument `{other}`\n{USAGE}"),
        }
    }

    /// A text that is no flag, where one is given.
    fn at_most_one(&mut self) -> Result<Option<&'a str>> {
        match (self.next(), self.next()) {
            (text, None) if text.is_none_or(|text| !text.starts_with('-')) => Ok(text),
            (first, other) => {
                let unknown = other.or(first).unwrap_or_default();
                bail!("unknown argument `{unknown}`\n{USAGE}")
            }
        }
    }
}
