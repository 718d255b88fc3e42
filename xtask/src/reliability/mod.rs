//! `cargo xtask reliability`: runs the suites that try faults, counts what they did, and writes
//! `docs/reliability.md` from that.

mod page;
mod tried;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::server::Servers;
use crate::summary::Summary;
use crate::tools;
use tried::Tried;

/// The file in which tests write what they have tried.
const COUNTS_VARIABLE: &str = "RESHELVE_TEST_COUNTS";

/// The test binaries that try faults and count them: package, name, what they are.
const SUITES: &[(&str, &str, &str)] = &[
    ("reshelve", "faults", "a file system in memory that fails at every operation"),
    ("reshelve", "sequences", "random sequences of steps against a model, in memory"),
    ("reshelve-cli", "kill", "kill -9 before every system call of a run"),
    ("reshelve-cli", "kill_rollbacks", "kill -9 before every system call of a rollback"),
    ("reshelve-cli", "kill_rehearsals", "kill -9 of rehearsals, in folders and databases"),
    ("reshelve-cli", "random_kills", "kill -9 at any moment"),
    ("reshelve-cli", "disk_full", "disks that are full or fail"),
    ("reshelve-cli", "two_at_once", "two processes that want the same run or target"),
    ("reshelve-cli", "run_folders", "run folders that are copied, moved, cut off, edited"),
    ("reshelve-cli", "clocks", "clocks of the tool that jump"),
    ("reshelve-cli", "live_clocks", "clocks of the server that jump"),
    ("reshelve-cli", "live_faults", "errors of a server, kills of tool and server"),
    ("reshelve-cli", "live_server_killed", "kill -9 of the server under replacing and rollback"),
    ("reshelve-cli", "live_proxy", "a network that cuts, delays, repeats and breaks off"),
    ("reshelve-cli", "live_journal", "kill -9 at every command that writes"),
    ("reshelve-cli", "live_kills", "kill -9 of runs and rollbacks at every command that writes"),
    ("reshelve-cli", "live_rights", "rights that are taken away in the middle"),
    ("reshelve-cli", "live_stopped", "a rollback that is stopped until its lease has expired"),
    ("reshelve-cli", "live_tls", "certificates that do not hold"),
    ("reshelve-cli", "live_fencing", "processes that lost their lease"),
    ("reshelve-cli", "live_rollback", "kill -9 of a rollback, and edits beside it"),
];

/// What to do.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Whether to try all faults, not only those that CI tries.
    pub(crate) long: bool,
    /// The suites to run; all if none is named. What the others counted last stays.
    pub(crate) suites: Vec<String>,
    /// Whether to compare the list of suites with the page, and run nothing.
    pub(crate) check: bool,
}

/// Runs the suites, and writes the page; or only checks it.
pub(crate) fn run(plan: &Plan, summary: &mut Summary) -> Result<()> {
    if plan.check {
        return check(summary);
    }
    let counts = tools::target_folder().join("reliability.jsonl");
    if let Some(other) = plan.suites.iter().find(|it| !SUITES.iter().any(|(_, name, _)| name == it))
    {
        bail!("there is no suite `{other}`");
    }
    let is_asked_for =
        |suite: &str| plan.suites.is_empty() || plan.suites.iter().any(|it| it == suite);
    forget(&counts, is_asked_for)?;
    let servers = Servers::get(false, summary);
    let mut has_failed = false;
    for (_, suite, _) in SUITES.iter().filter(|(_, suite, _)| is_asked_for(suite)) {
        // Of the whole workspace: a package alone has its dependencies built with other features.
        let mut command = tools::cargo(&["test", "--locked", "--workspace", "--test", suite]);
        servers.tell(&mut command);
        command.env(COUNTS_VARIABLE, &counts);
        if plan.long {
            command.env("RESHELVE_FAULTS", "all");
        }
        has_failed |= !tools::check(suite, command, summary)?;
    }
    servers.stop(summary);
    if has_failed {
        bail!("a suite has failed: the page is left as it was");
    }
    let text = fs::read_to_string(&counts)
        .with_context(|| format!("nothing was counted in {}", counts.display()))?;
    let tried = Tried::read(&text)?;
    fs::write(page_file(), page::write(&tried, plan.long))
        .with_context(|| format!("cannot write {}", page_file().display()))?;
    summary.note(&format!("docs/reliability.md: {}", tried.words()));
    Ok(())
}

/// Removes what an earlier run counted of these suites.
fn forget(counts: &Path, is_asked_for: impl Fn(&str) -> bool) -> Result<()> {
    let text = fs::read_to_string(counts).unwrap_or_default();
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !tried::suite_of(line).is_some_and(|suite| is_asked_for(&suite)))
        .collect();
    let text = kept.iter().map(|line| format!("{line}\n")).collect::<String>();
    fs::write(counts, text).with_context(|| format!("cannot write {}", counts.display()))
}

/// Whether the page lists the suites that there are.
pub(crate) fn check(summary: &mut Summary) -> Result<()> {
    let text = fs::read_to_string(page_file())
        .with_context(|| format!("cannot read {}", page_file().display()))?;
    let is_same = page::suites_in(&text) == page::suites();
    if !is_same {
        summary.note("docs/reliability.md lists other suites: run cargo xtask reliability --long");
    }
    summary.check("docs/reliability.md lists the suites that there are", is_same);
    Ok(())
}

fn page_file() -> PathBuf {
    tools::root().join("docs/reliability.md")
}
