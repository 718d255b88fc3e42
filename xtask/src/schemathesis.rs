//! `cargo xtask schemathesis`: requests made from the OpenAPI document, against what the binary
//! serves: no server error, and no answer that the document does not name.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::served::Served;
use crate::summary::Summary;
use crate::{printer, tools};

/// What is left out where a part is missing.
pub(crate) const WHAT: &str = "requests made from the OpenAPI document";

/// The exact version: another one may find something else.
const VERSION: &str = "4.32.5";

/// What every answer is checked for. Left out are those that expect another application: one that
/// refuses parameters that its document does not name, and answers other methods 405.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// A new job is refused on purpose: there is no queue behind this server.
const EXPECTED: &str = "[[operations]]\ninclude-name = \"POST /api/novel\"\n\
    checks.not_a_server_error.expected-statuses = [\"2xx\", \"3xx\", \"4xx\", 500, 503]\n";

/// Settings with ids of novels, and without any: ids are then made up.
const KNOWN: &str = "known.toml";
const UNKNOWN: &str = "unknown.toml";
const DOCUMENT: &str = "openapi.json";
const TOKEN: &str = "open-sesame";

/// How much is tried: little in every run of the tests, or enough for an hour.
const EXAMPLES_SHORT: &str = "8";
const EXAMPLES: &str = "300";
/// The short form does not try every boundary of every parameter.
const PHASES_SHORT: &str = "examples,fuzzing";
const PHASES: &str = "examples,coverage,fuzzing";

/// Tries each kind of server. What is missing is told, and no failure.
pub(crate) fn check(is_short: bool, summary: &mut Summary) -> Result<()> {
    printer::heading(WHAT);
    let program = match install() {
        Ok(program) => program,
        Err(error) => {
            printer::line(&format!("left out: {error:#}"));
            summary.leave_out(WHAT, &format!("{error:#}"));
            return Ok(());
        }
    };
    let start = Instant::now();
    let folder = tools::target_folder().join("schemathesis-data");
    let reshelve = tools::build_reshelve(false)?;
    seed(&reshelve, &folder)?;
    // A document for all of them: without the token, a guarded server gives none.
    let document = serve(&reshelve, &folder, &["target"])?.get("/openapi.json")?;
    fs::write(folder.join(DOCUMENT), document).context("cannot write the document")?;
    let both = ["--legacy", "legacy.jsonl", "--normalized", "target", "--shadow"];
    let guarded = [&both[..], &["--token-file", "token"]].concat();
    for (name, args, token, short) in [
        ("one place", &["target"][..], None, KNOWN),
        ("the declared rules", &["legacy.jsonl", "--validation", "declared"], None, UNKNOWN),
        ("both sides, with the token", &guarded, Some(TOKEN), KNOWN),
        ("both sides, without the token", &guarded, None, UNKNOWN),
    ] {
        let served = serve(&reshelve, &folder, args)?;
        let try_with = |settings| run(&program, &folder, &served, settings, is_short, token);
        let passed = match is_short {
            true => try_with(short)?,
            false => try_with(KNOWN)? & try_with(UNKNOWN)?,
        };
        summary.check(&format!("schemathesis: {name}"), passed);
    }
    summary.time("schemathesis", start.elapsed());
    Ok(())
}

fn serve(reshelve: &Path, folder: &Path, args: &[&str]) -> Result<Served> {
    let mut serve = tools::reshelve(reshelve, &["serve", "--listen", "127.0.0.1:0"]);
    serve.args(args).current_dir(folder);
    Served::start(serve)
}

/// The places, and the ids that requests name beside those that are made up.
fn seed(reshelve: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let call = |arguments: &[&str]| {
        let mut command = tools::reshelve(reshelve, arguments);
        tools::expect(command.current_dir(folder), &[0]).map(drop)
    };
    call(&["generate", "legacy.jsonl", "--documents", "40", "--preset", "populated"])?;
    call(&["run", "legacy.jsonl", "target", "--apply", "--in-flight", "include"])?;
    fs::write(folder.join("token"), TOKEN).context("cannot write the token")?;
    let lines =
        fs::read_to_string(folder.join("legacy.jsonl")).context("cannot read the novels")?;
    let id = |line: &str| -> Option<String> {
        let novel: Value = serde_json::from_str(line).ok()?;
        let id = &novel["_id"];
        id["$oid"].as_str().or(id.as_str()).map(|id| format!("{id:?}"))
    };
    let ids: Vec<String> = lines.lines().filter_map(id).take(5).collect();
    ensure!(!ids.is_empty(), "the novels have no ids");
    let known = ids.join(", ");
    let known = format!("[parameters]\n\"path.jobId\" = [{known}]\n\"path.job\" = [{known}]\n");
    fs::write(folder.join(UNKNOWN), EXPECTED).context("cannot write the settings")?;
    fs::write(folder.join(KNOWN), format!("{known}\n{EXPECTED}"))
        .context("cannot write the settings")
}

/// Makes requests with such settings; whether every answer was one that the document names.
fn run(
    program: &Path,
    folder: &Path,
    served: &Served,
    settings: &str,
    is_short: bool,
    token: Option<&str>,
) -> Result<bool> {
    let (examples, phases) =
        if is_short { (EXAMPLES_SHORT, PHASES_SHORT) } else { (EXAMPLES, PHASES) };
    let mut command = tools::program(program, &["--config-file", settings, "run", DOCUMENT]);
    command.current_dir(folder).args(["--url", &served.address, "--phases", phases]);
    command.args(["--checks", CHECKS, "--max-examples", examples, "--seed", "1"]);
    command.args(["--warnings", "off", "--continue-on-failure", "--no-color"]);
    command.args(["--suppress-health-check", "all"]);
    command.arg("--header").arg(format!("Authorization: Bearer {}", token.unwrap_or("none")));
    Ok(command.status().context("cannot start schemathesis")?.success())
}

/// The program in a virtual environment of its own, made where that was not done yet.
fn install() -> Result<PathBuf> {
    let folder = tools::target_folder().join("schemathesis");
    let program = folder.join("bin/schemathesis");
    let is_there = tools::output(&program.to_string_lossy(), &["--version"])
        .is_some_and(|told| told.trim().ends_with(VERSION));
    if is_there {
        return Ok(program);
    }
    ensure!(tools::succeeds("python3", &["--version"]), "Python 3 is not installed");
    printer::line(&format!("installing schemathesis {VERSION} into {}", folder.display()));
    let mut make = tools::program("python3", &["-m", "venv", "--clear"]);
    let made = tools::expect(make.arg(&folder), &[0]).is_ok();
    ensure!(made, "Python cannot make a virtual environment (apt-get install python3-venv)");
    let mut pip = tools::program(folder.join("bin/python3"), &["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check").arg(format!("schemathesis=={VERSION}"));
    ensure!(
        tools::expect(&mut pip, &[0]).is_ok(),
        "pip could not install schemathesis (no network?)"
    );
    Ok(program)
}
