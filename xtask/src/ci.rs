//! `cargo xtask ci`: what must hold of the code itself, before its tests are run.

use anyhow::Result;

use crate::summary::Summary;
use crate::tools;

/// Format, lints, licences and sources of dependencies, documentation.
pub(crate) fn run(summary: &mut Summary) -> Result<()> {
    tools::check("cargo fmt", tools::cargo(&["fmt", "--all", "--check"]), summary)?;
    let mut clippy = vec!["clippy", "--workspace", "--all-targets", "--locked", "--quiet"];
    clippy.extend(["--", "-D", "warnings"]);
    tools::check("cargo clippy", tools::cargo(&clippy), summary)?;
    if tools::succeeds("cargo", &["deny", "--version"]) {
        // Advisories need the network; they are for a scheduled job, not for every change.
        let deny = ["deny", "--locked", "check", "bans", "licenses", "sources"];
        tools::check("cargo deny", tools::cargo(&deny), summary)?;
    } else {
        summary.leave_out("cargo deny", "cargo-deny is not installed");
    }
    let mut doc = tools::cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    tools::check("cargo doc", doc, summary)?;
    Ok(())
}
