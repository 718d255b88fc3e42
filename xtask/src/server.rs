//! The server for live tests: found, installed where it is missing, started for the time of the
//! tests and stopped after them.
//!
//! It is SecantusDB, which speaks MongoDB's protocol over MongoDB's storage engine. Its licence is
//! the GPL: it is run as a program of its own and never linked.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::summary::Summary;
use crate::{printer, tools};

/// The connection string that tests take.
const URI_VARIABLE: &str = "RESHELVE_TEST_MONGODB_URI";

/// The program of which tests start servers of their own.
const PROGRAM_VARIABLE: &str = "RESHELVE_TEST_SERVER";

/// A file in which the tests write what they talked to.
const TOLD_VARIABLE: &str = "RESHELVE_TEST_SERVER_TOLD";

const PACKAGE: &str = "secantus-mdb";
const VERSION: &str = "0.5.3-beta.193";
const PROGRAM: &str = "secantusd-rs";

/// How long the server may take until it listens.
const START_MAX: Duration = Duration::from_secs(60);

/// What is left out without a server.
const LIVE_TESTS: &str = "every test against a live MongoDB";

/// What is left out where only a server of the user's is there.
const OWN_TESTS: &str = "tests that start and kill a server of their own";

/// What the tests are given: a shared server, and the program for servers of their own.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    shared: Option<Shared>,
    program: Option<PathBuf>,
    told: Option<PathBuf>,
}

/// A server that was started here. It ends with the value.
#[derive(Debug)]
struct Shared {
    process: Child,
    folder: tempfile::TempDir,
    uri: String,
}

impl Servers {
    /// Gets what is there, and builds what is missing, unless it has to be fast. What cannot be
    /// had is left out loudly.
    pub(crate) fn get(fast: bool, summary: &mut Summary) -> Servers {
        printer::heading("server for live tests");
        let program = match program(!fast) {
            Ok(program) => Some(program),
            Err(error) => {
                printer::line(&format!("no test server: {error:#}"));
                let what = if given_uri().is_some() { OWN_TESTS } else { LIVE_TESTS };
                summary.leave_out(what, &format!("no test server: {error:#}"));
                None
            }
        };
        let mut servers = Servers { program, ..Servers::default() };
        if given_uri().is_some() {
            printer::line(&format!("tests use the server that {URI_VARIABLE} names"));
        } else if let Some(program) = &servers.program {
            match Shared::start(program) {
                Ok(shared) => {
                    printer::line(&format!("{} listens at {}", program.display(), shared.uri));
                    servers.shared = Some(shared);
                }
                Err(error) => summary.fail(&format!("server for live tests: {error:#}")),
            }
        }
        let told = tools::target_folder().join("test-server.txt");
        // What an earlier run told is no news.
        drop(fs::remove_file(&told));
        servers.told = Some(told);
        servers
    }

    /// Tells a command of tests where the servers are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(shared) = &self.shared {
            command.env(URI_VARIABLE, &shared.uri);
        }
        if let Some(program) = &self.program {
            command.env(PROGRAM_VARIABLE, program);
        }
        if let Some(told) = &self.told {
            command.env(TOLD_VARIABLE, told);
        }
    }

    /// Where the server is that tests share, if there is one.
    pub(crate) fn shared_uri(&self) -> Option<String> {
        given_uri().or_else(|| self.shared.as_ref().map(|shared| shared.uri.clone()))
    }

    /// Stops the server; the summary says which one the tests talked to.
    pub(crate) fn stop(self, summary: &mut Summary) {
        let Some(told) = &self.told else { return };
        if let Ok(line) = fs::read_to_string(told) {
            summary.note(&format!("live tests used {line}"));
        }
    }
}

/// `cargo xtask server`: gets the program; runs a command with a server, where one is given.
pub(crate) fn run(command: &[String], summary: &mut Summary) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        printer::heading("server for live tests");
        match self::program(true) {
            Ok(program) => printer::line(&format!("{}", program.display())),
            Err(error) => summary.fail(&format!("no test server: {error:#}")),
        }
        return Ok(());
    };
    let servers = Servers::get(false, summary);
    let mut command = Command::new(program);
    command.args(arguments);
    tools::forget_own_package(&mut command);
    servers.tell(&mut command);
    let checked = tools::check(program, command, summary);
    servers.stop(summary);
    checked.map(drop)
}

impl Shared {
    fn start(program: &Path) -> Result<Shared> {
        let folder = tempfile::Builder::new()
            .prefix("reshelve-server-")
            .tempdir()
            .context("cannot make a data folder")?;
        let log = folder.path().join("server.log");
        let out = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let errors = out.try_clone().context("cannot share the log")?;
        let process = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", "0", "--storage-path", "data"])
            // What it acknowledges is on disk, and failpoints can be set.
            .args(["--sync-on-commit", "--enable-test-commands"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        // From here on the process ends with the value.
        let mut shared = Shared { process, folder, uri: String::new() };
        shared.uri = shared.wait_until_it_listens(&log)?;
        Ok(shared)
    }

    fn wait_until_it_listens(&mut self, log: &Path) -> Result<String> {
        let start = Instant::now();
        loop {
            let said = fs::read_to_string(log).context("cannot read the server's log")?;
            if let Some(address) = address_in(&said) {
                return Ok(format!("mongodb://{address}"));
            }
            let ended = self.process.try_wait().context("cannot ask for the server's end")?;
            if ended.is_some() || start.elapsed() > START_MAX {
                bail!("it does not listen in {}: {}", self.folder.path().display(), said.trim());
            }
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // It may have ended, and nobody needs its data.
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}

/// The address in `… listening on 127.0.0.1:27017` and the end of the line.
fn address_in(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("listening on ")?;
    let (address, _) = rest.split_once('\n')?;
    Some(address.trim())
}

/// The server that the user wants the tests to use.
fn given_uri() -> Option<String> {
    std::env::var(URI_VARIABLE).ok().filter(|uri| !uri.is_empty())
}

/// The server program: the one the user names, else the one among the tools, else a new one there.
fn program(build: bool) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE).filter(|name| !name.is_empty()) {
        let named = PathBuf::from(named);
        if !tools::succeeds(&named, &["--version"]) {
            bail!("{PROGRAM_VARIABLE} names {}, which does not run", named.display());
        }
        return Ok(named);
    }
    let folder = tools_folder()?;
    let installed = folder.join("bin").join(PROGRAM);
    if is_wanted_version(&installed) {
        return Ok(installed);
    }
    if !build {
        bail!("{PROGRAM} {VERSION} is not installed, and --fast builds none");
    }
    if !tools::succeeds("cmake", &["--version"]) {
        bail!("{PROGRAM} {VERSION} is not installed, and building it needs cmake");
    }
    install(&folder)?;
    if !is_wanted_version(&installed) {
        bail!("{} does not run as {VERSION}", installed.display());
    }
    Ok(installed)
}

/// Where programs lie that tests need and nobody wants to build twice.
fn tools_folder() -> Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = named("RESHELVE_TOOLS") {
        return Ok(PathBuf::from(folder));
    }
    let cache = match (named("XDG_CACHE_HOME"), named("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => Path::new(&home).join(".cache"),
        (None, None) => bail!("neither RESHELVE_TOOLS nor HOME says where tools lie"),
    };
    Ok(cache.join("reshelve-tools"))
}

fn is_wanted_version(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    output.is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout);
        said.split_whitespace().any(|word| word == VERSION)
    })
}

fn install(folder: &Path) -> Result<()> {
    printer::line(&format!(
        "building the test server {PACKAGE} {VERSION} into {}: this is done once, and takes ten \
         minutes or more",
        folder.display()
    ));
    let start = Instant::now();
    // Its declared minimum is newer than what it needs.
    let arguments = ["install", PACKAGE, "--version", VERSION, "--ignore-rust-version"];
    let status = tools::cargo(&arguments)
        .args(["--locked", "--quiet", "--root"])
        .arg(folder)
        .status()
        .context("cannot start cargo install")?;
    if !status.success() {
        bail!("cargo install {PACKAGE} did not succeed (no network?)");
    }
    printer::line(&format!("built in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_when_its_line_is_whole() {
        let line = "secantusd-rs listening on 127.0.0.1:37323\nmore";
        assert_eq!(address_in(line), Some("127.0.0.1:37323"));
        assert_eq!(address_in("secantusd-rs listening on 127.0.0.1:373"), None);
        assert_eq!(address_in(""), None);
    }
}
