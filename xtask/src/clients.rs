//! `cargo xtask clients`: mongosh and mongoose read what the binary writes into a live target.
//!
//! Synthetic collections of every preset are run into databases of their own. `mongosh` counts the
//! documents, and `tests/clients/read.mjs` takes every one of them through mongoose models: once
//! with the version that the new stack is built with, once with the newest. Then documents are
//! spoiled on purpose, and each has to be named: a check that finds nothing proves nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::server::Servers;
use crate::summary::Summary;
use crate::{npm, printer, tools};

/// What is left out where a part is missing.
pub(crate) const WHAT: &str = "mongosh and mongoose reading a live target";

/// Where the packages are named and locked.
const PACKAGES: &str = "tests/clients";

const MONGOOSES: [&str; 2] = ["mongoose-7", "mongoose-9"];

/// As `reshelve generate` names them.
const PRESETS: [&str; 4] = ["standard", "lifecycle", "populated", "foreign"];

/// Foreign writers leave documents that are rejected.
const FOREIGN: &str = "foreign";

/// The one in which documents are spoiled: it has everything that there is to spoil.
const SPOILED: &str = "populated";

/// Enough that every kind of event and part occurs, few enough for every run of the tests.
const DOCUMENTS: &str = "60";

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// With a server of its own.
pub(crate) fn run(summary: &mut Summary) -> Result<()> {
    let servers = Servers::get(false, summary);
    let checked = check(&servers, summary);
    servers.stop(summary);
    checked
}

/// With a server that is there already. What is missing is told, and no failure.
pub(crate) fn check(servers: &Servers, summary: &mut Summary) -> Result<()> {
    printer::heading("official clients");
    let Some(server) = servers.shared_uri() else {
        summary.leave_out(WHAT, "no test server");
        return Ok(());
    };
    let modules = match npm::install(PACKAGES, "clients") {
        Ok(modules) => modules,
        Err(error) => {
            printer::line(&format!("left out: {error:#}"));
            summary.leave_out(WHAT, &format!("{error:#}"));
            return Ok(());
        }
    };
    let start = Instant::now();
    let folder = tools::target_folder().join("clients-data");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    // mongosh keeps its settings and logs in the home folder: not in that of the person who tests.
    let settings = folder.join("home/.mongodb/mongosh");
    fs::create_dir_all(&settings).with_context(|| format!("cannot make {}", settings.display()))?;
    fs::write(settings.join("config"), "{\"enableTelemetry\":false}")
        .context("cannot write the settings of mongosh")?;
    let bench = Bench { reshelve: tools::build_reshelve(false)?, modules, folder, server };
    let mut seeded = Vec::new();
    for preset in PRESETS {
        let outcome = bench.seed(preset);
        if tell(&format!("clients {preset}: a live target is filled"), &outcome, summary) {
            seeded.push(preset);
        }
    }
    bench.count(&seeded, summary);
    for preset in &seeded {
        for mongoose in MONGOOSES {
            let outcome = bench.read(preset, mongoose);
            if let Ok(line) = &outcome {
                printer::line(&format!("{preset}: {line}"));
            }
            tell(&format!("clients {preset}: {mongoose} reads every document"), &outcome, summary);
        }
    }
    if seeded.contains(&SPOILED) {
        for mongoose in MONGOOSES {
            let outcome = bench.spoil(mongoose);
            if let Ok(line) = &outcome {
                printer::line(line);
            }
            tell(&format!("clients: {mongoose} finds what was spoiled"), &outcome, summary);
        }
    }
    if let Err(error) = bench.drop_databases() {
        summary.note(&format!("databases of the clients stay: {error:#}"));
    }
    summary.time("clients", start.elapsed());
    Ok(())
}

/// One check, whose error is printed where it belongs.
fn tell<T>(title: &str, outcome: &Result<T>, summary: &mut Summary) -> bool {
    if let Err(error) = outcome {
        printer::line(&format!("{title}: {error:#}"));
    }
    summary.check(title, outcome.is_ok());
    outcome.is_ok()
}

/// What every check needs.
struct Bench {
    reshelve: PathBuf,
    modules: PathBuf,
    folder: PathBuf,
    /// The connection string of the server.
    server: String,
}

impl Bench {
    /// The database of a preset: no other process has it.
    fn database(preset: &str) -> String {
        format!("reshelve_test_clients_{}_{preset}", std::process::id())
    }

    fn uri(&self, preset: &str) -> String {
        uri_of(&self.server, &Bench::database(preset))
    }

    fn file(&self, preset: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{preset}{ending}"))
    }

    /// Fills a target, and keeps what the binary tells of it.
    fn seed(&self, preset: &str) -> Result<()> {
        let (source, target) = (self.file(preset, ".bson"), self.uri(preset));
        let reshelve = |arguments: &[&str]| tools::reshelve(&self.reshelve, arguments);
        let mut generate = reshelve(&["generate", "--preset", preset, "--documents", DOCUMENTS]);
        tools::expect(generate.arg(&source), &[0])?;
        tools::expect(&mut reshelve(&["indexes", "up", &target]), &[0])?;
        let mut run = reshelve(&["run", "--apply", "--in-flight", "include", "--json"]);
        run.arg("--runs-dir").arg(self.folder.join("runs")).arg(&source).arg(&target);
        let codes: &[i32] = if preset == FOREIGN { &[4] } else { &[0] };
        tools::expect(&mut run, codes)?;
        let told = tools::expect(&mut reshelve(&["checksums", "--json", &target]), &[0])?;
        fs::write(self.file(preset, ".checksums.json"), told).context("cannot keep the checksums")
    }

    /// The shell's counts of all targets against those of the binary.
    fn count(&self, presets: &[&str], summary: &mut Summary) {
        let counted = self.counts(presets);
        tell("clients: mongosh counts", &counted, summary);
        let Ok(counted) = counted else { return };
        for preset in presets {
            let outcome = self.same_counts(preset, &counted[Bench::database(preset)]);
            if let Ok(line) = &outcome {
                printer::line(&format!("{preset}: mongosh counts {line}"));
            }
            tell(&format!("clients {preset}: mongosh counts the same"), &outcome, summary);
        }
    }

    /// Database to collection to count. One shell for all, as it is slow to start.
    fn counts(&self, presets: &[&str]) -> Result<Value> {
        let databases: Vec<String> = presets.iter().map(|preset| Bench::database(preset)).collect();
        let script = format!(
            "print(EJSON.stringify(Object.fromEntries({databases:?}.map((name) => [name, \
             Object.fromEntries({COLLECTIONS:?}.map((each) => [each, \
             db.getSiblingDB(name).getCollection(each).countDocuments({{}})]))]))))"
        );
        let told = self.shell(&script)?;
        serde_json::from_slice(&told)
            .with_context(|| format!("mongosh printed {}", String::from_utf8_lossy(&told)))
    }

    fn same_counts(&self, preset: &str, counted: &Value) -> Result<String> {
        let file = self.file(preset, ".checksums.json");
        let told = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let told: Value = serde_json::from_slice(&told).context("no checksums")?;
        agree(&told["collections"], counted)
    }

    /// Every document through the models; what was read, in a line.
    fn read(&self, preset: &str, mongoose: &str) -> Result<String> {
        let mut read = self.node("read.mjs", mongoose);
        read.arg("--checksums").arg(self.file(preset, ".checksums.json"));
        let told = tools::expect(read.arg(self.uri(preset)), &[0])?;
        let told: Value = serde_json::from_slice(&told).context("read.mjs printed no JSON")?;
        let documents = COLLECTIONS
            .iter()
            .filter_map(|name| told["collections"][name]["documents"].as_u64())
            .sum::<u64>();
        let client = told["client"].as_str().unwrap_or("mongoose");
        Ok(format!("{client} reads {documents} documents"))
    }

    /// Spoils documents one way each, and puts them right again.
    fn spoil(&self, mongoose: &str) -> Result<String> {
        let mut spoil = self.node("spoil.mjs", mongoose);
        let told = tools::expect(spoil.arg(self.uri(SPOILED)), &[0])?;
        Ok(String::from_utf8_lossy(&told).trim().to_owned())
    }

    fn drop_databases(&self) -> Result<()> {
        let databases = PRESETS.map(Bench::database);
        let script =
            format!("{databases:?}.forEach((name) => db.getSiblingDB(name).dropDatabase())");
        self.shell(&script).map(drop)
    }

    fn node(&self, script: &str, mongoose: &str) -> Command {
        let mut node = tools::program("node", &[]);
        node.arg(tools::root().join("tests/clients").join(script));
        node.arg("--modules").arg(&self.modules).args(["--mongoose", mongoose]);
        node
    }

    fn shell(&self, script: &str) -> Result<Vec<u8>> {
        let mut shell = tools::program("node", &[]);
        shell.arg(self.modules.join("node_modules/mongosh/bin/mongosh.js"));
        shell.args(["--quiet", "--norc", "--eval", script, &self.uri(PRESETS[0])]);
        let home = self.folder.join("home");
        shell.env("HOME", &home).env("USERPROFILE", &home).env_remove("XDG_CONFIG_HOME");
        tools::expect(&mut shell, &[0])
    }
}

/// The counts of the four collections in a line, where the binary and the shell have the same.
fn agree(ours: &Value, theirs: &Value) -> Result<String> {
    let mut line = Vec::new();
    for collection in COLLECTIONS {
        let (ours, theirs) = (ours[collection]["documents"].as_u64(), theirs[collection].as_u64());
        anyhow::ensure!(
            ours.is_some() && ours == theirs,
            "{collection}: mongosh counts {theirs:?}, reshelve {ours:?}"
        );
        line.push(format!("{} {collection}", theirs.unwrap_or_default()));
    }
    Ok(line.join(", "))
}

/// The connection string of a database on a server: the name takes the place of the one in it.
/// Who logs in with the database of the string has to be told which it was.
fn uri_of(server: &str, database: &str) -> String {
    let (scheme, rest) = server.split_once("://").unwrap_or(("mongodb", server));
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, given) = path.split_once('/').unwrap_or((path, ""));
    let mut uri = format!("{scheme}://{hosts}/{database}");
    let mut options: Vec<String> =
        options.split('&').filter(|text| !text.is_empty()).map(str::to_owned).collect();
    if hosts.contains('@') && !options.iter().any(|option| option.starts_with("authSource=")) {
        options.push(format!("authSource={}", if given.is_empty() { "admin" } else { given }));
    }
    if !options.is_empty() {
        uri = format!("{uri}?{}", options.join("&"));
    }
    uri
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_agree_where_all_four_are_there_and_the_same() {
        let ours = json!({
            "novel_jobs": {"documents": 2}, "novel_job_events": {"documents": 9},
            "novel_job_metrics": {"documents": 2}, "novel_job_metadata": {"documents": 2},
        });
        let mut theirs = json!({
            "novel_jobs": 2, "novel_job_events": 9, "novel_job_metrics": 2, "novel_job_metadata": 2,
        });
        assert!(agree(&ours, &theirs).is_ok());
        theirs["novel_job_events"] = json!(8);
        assert!(agree(&ours, &theirs).is_err());
        assert!(agree(&ours, &json!({})).is_err());
        assert!(agree(&json!({}), &json!({})).is_err());
    }

    #[test]
    fn a_database_takes_the_place_of_the_one_in_the_connection_string() {
        assert_eq!(uri_of("mongodb://localhost:1", "x"), "mongodb://localhost:1/x");
        assert_eq!(uri_of("mongodb://a,b/y?tls=true", "x"), "mongodb://a,b/x?tls=true");
        assert_eq!(uri_of("mongodb://u:p@a/", "x"), "mongodb://u:p@a/x?authSource=admin");
        assert_eq!(uri_of("mongodb://u:p@a/y", "x"), "mongodb://u:p@a/x?authSource=y");
    }
}
