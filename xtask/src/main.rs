//! Chores of the workspace: `cargo xtask test`, `ci`, `conformance`, `fuzz`, `server`.
//!
//! Every chore goes on after a failure, so that one run shows all there is to mend, and ends with
//! what was left out on this machine and the line `N passed, M failed`.

mod ci;
mod conformance;
mod fuzz;
mod printer;
mod seeds;
mod server;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use summary::Summary;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--fast]                            all tests, then conformance and a short fuzz run
  ci [--fast]                              format, lints, licences and documentation, then test
  conformance [--seed N] [--documents N] [--release]
                                           the binary against the oracle of the mapping
  fuzz [--seconds N] [TARGET…]             each fuzz target for so long
  server [COMMAND…]                        builds the server for live tests if it is missing, and
                                           runs a command with it, such as `cargo test live`

--fast leaves out conformance and the fuzz run.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
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
            let fast = flags.only_fast()?;
            test::run(fast, summary)
        }
        "ci" => {
            let fast = flags.only_fast()?;
            ci::run(summary)?;
            test::run(fast, summary)
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
        "server" => server::run(rest, summary),
        other => bail!("unknown command `{other}`\n{USAGE}"),
    }
}

/// The arguments behind the command.
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

    fn only_fast(&mut self) -> Result<bool> {
        match (self.next(), self.next()) {
            (None, _) => Ok(false),
            (Some("--fast"), None) => Ok(true),
            (Some(other), _) => bail!("unknown argument `{other}`\n{USAGE}"),
        }
    }
}
