//! `cargo xtask ci`: what must hold of the code itself, before its tests are run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::summary::Summary;
use crate::{reliability, tools};

/// Format, lints, licences and sources of dependencies, documentation, the lowest Rust.
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
    reliability::check(summary)?;
    lowest_rust(summary)?;
    core_without_a_system(summary)
}

/// The lowest Rust that is promised must build everything: it is the one in use, or another that is
/// installed.
fn lowest_rust(summary: &mut Summary) -> Result<()> {
    let name = "lowest supported Rust";
    let manifest = tools::root().join("Cargo.toml");
    let manifest = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let lowest = lowest_in(&manifest).context("Cargo.toml states no rust-version")?;
    let Some(used) = tools::output("rustc", &["--version"]) else {
        summary.fail(&format!("{name}: rustc does not run"));
        return Ok(());
    };
    let used = used.split_whitespace().nth(1).unwrap_or_default();
    if is_of(used, lowest) {
        summary.note(&format!("{name}: {lowest}, which is the Rust in use ({used})"));
        summary.check(name, true);
        return Ok(());
    }
    let installed = tools::output("rustup", &["toolchain", "list"]).unwrap_or_default();
    let toolchain = installed.split_whitespace().find(|toolchain| is_of(toolchain, lowest));
    let Some(toolchain) = toolchain else {
        summary.leave_out(name, &format!("Rust {lowest} is not installed; {used} is in use"));
        return Ok(());
    };
    let build = ["run", toolchain, "cargo", "check", "--workspace", "--locked", "--quiet"];
    let mut check = tools::program("rustup", &build);
    // The cargo that runs this has named its own compiler.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(variable);
    }
    check.env("CARGO_TARGET_DIR", tools::target_folder().join("lowest-rust"));
    tools::check(name, check, summary)?;
    summary.note(&format!("{name}: {lowest}, built with {toolchain}; {used} is in use"));
    Ok(())
}

/// The version in `rust-version = "1.95"`.
fn lowest_in(manifest: &str) -> Option<&str> {
    let (_, rest) = manifest.split_once("rust-version = \"")?;
    Some(rest.split_once('"')?.0)
}

/// Whether a toolchain such as `1.95.0` or `1.95.0-x86_64-unknown-linux-gnu` is of version `1.95`.
fn is_of(toolchain: &str, version: &str) -> bool {
    let number = toolchain.split('-').next().unwrap_or_default();
    number == version || number.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'))
}

/// The core has to build where there are no files, threads or clocks.
fn core_without_a_system(summary: &mut Summary) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let name = format!("core for {TARGET}");
    let folder = tools::output("rustc", &["--print", "target-libdir", "--target", TARGET]);
    if !folder.is_some_and(|folder| Path::new(folder.trim()).is_dir()) {
        summary.leave_out(&name, "the target is not installed");
        return Ok(());
    }
    let build = ["build", "--package", "reshelve-core", "--target", TARGET, "--locked", "--quiet"];
    tools::check(&name, tools::cargo(&build), summary).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(lowest_in("[a]\nrust-version = \"1.95\"\n"), Some("1.95"));
        assert_eq!(lowest_in("[a]\n"), None);
        for (toolchain, expected) in [
            ("1.95.0", true),
            ("1.95", true),
            ("1.95.0-x86_64-unknown-linux-gnu", true),
            ("1.950.0", false),
            ("1.96.0", false),
            ("stable-x86_64-unknown-linux-gnu", false),
        ] {
            assert_eq!(is_of(toolchain, "1.95"), expected, "{toolchain}");
        }
    }
}
