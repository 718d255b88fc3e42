//! `cargo xtask bench --serving`: requests per second of `serve`, over a folder and over a live
//! target, beside the new stack's own libraries over that live target.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::corpus::Place;
use super::load::{self, Rate};
use super::{Plan, machine};
use crate::served::Served;
use crate::server::Servers;
use crate::summary::Summary;
use crate::{npm, printer, tools};

/// Finished novels, of which the answer to a detail has about 400 KB.
const NOVELS: u64 = 200;
const NOVEL_BYTES: &str = "330000";

/// For so long a server is asked in a round.
const ROUND: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_secs(1);

/// How many times the rate of the Node server is promised.
const PROMISED: f64 = 5.0;
const PROMISED_OF_LISTS: f64 = 20.0;

/// The servers, in the order of the columns; the last is not ours.
const SERVERS: [&str; 3] = ["a folder", "a live target", "Node, the live target"];

/// A question: its name, and its targets.
struct Question {
    name: &'static str,
    targets: Vec<String>,
    promised: f64,
}

/// Measures, prints the table, and publishes it if that is asked.
pub(super) fn run(plan: &Plan, place: &Place, summary: &mut Summary) -> Result<()> {
    let packages = match npm::install("bench/serve", "bench-serve") {
        Ok(packages) => packages,
        Err(error) => {
            summary.leave_out("requests per second", &format!("{error:#}"));
            return Ok(());
        }
    };
    let servers = Servers::get(false, summary);
    let Some(server) = servers.shared_uri() else { return Ok(()) };
    let uri = format!("{server}/reshelve_bench_serving");
    let script = packages.join("server.mjs");
    fs::copy(tools::root().join("bench/serve/server.mjs"), &script)
        .context("cannot copy the script")?;
    let folder = filled(place, &uri)?;
    let serve = |what: &str| {
        let mut serve = place.reshelve(&["serve", "--listen", "127.0.0.1:0", what]);
        serve.current_dir(&place.folder);
        Served::start(serve)
    };
    let mut node = tools::program("node", &[]);
    node.arg(&script).arg(&uri);
    let served = [serve(&folder)?, serve(&uri)?, Served::start(node)?];
    let questions = questions(&served[0])?;
    agree(&served, &questions)?;
    let rounds = measure(plan, &served, &questions)?;
    let table = table(plan, place, &served, &questions, &rounds)?;
    printer::heading("table");
    printer::line(&table);
    drop(served);
    servers.stop(summary);
    if plan.publish {
        super::publish("serving", &table)?;
    }
    for (question, rates) in questions.iter().zip(&rounds) {
        for (at, name) in SERVERS[..2].iter().enumerate() {
            let holds = rates[at].requests_per_s >= question.promised * rates[2].requests_per_s;
            summary.check(&format!("{} from {name}: the promised rate", question.name), holds);
        }
    }
    Ok(())
}

/// Fills both targets, and names the folder.
fn filled(place: &Place, uri: &str) -> Result<String> {
    let arguments = ["--document-bytes", NOVEL_BYTES, "--stage", "completed"];
    let source = place.corpus("served", NOVELS, &arguments)?;
    let folder = place.folder.join("served-target");
    let runs = place.folder.join("served-runs");
    for path in [&folder, &runs] {
        super::corpus::remove(path)?;
    }
    let collections = "novel_jobs,novel_job_events,novel_job_metrics,novel_job_metadata";
    let mut down = place.reshelve(&["indexes", "down", uri, "--force", collections]);
    // There may be nothing of an earlier time.
    drop(down.output());
    tools::expect(&mut place.reshelve(&["indexes", "up", uri]), &[0])?;
    for target in [folder.as_os_str(), uri.as_ref()] {
        let mut run = place.reshelve(&["run", "--apply", "--runs-dir"]);
        tools::expect(run.arg(&runs).arg(&source.path).arg(target), &[0])?;
    }
    Ok(folder.to_string_lossy().into_owned())
}

fn questions(served: &Served) -> Result<Vec<Question>> {
    const LIST: &str = "/api/novel?status=completed";
    let list: Value = serde_json::from_str(&served.get(LIST)?).context("the list is no JSON")?;
    let ids = list["items"].as_array().context("the list has no items")?;
    let of = |part: &str| -> Vec<String> {
        let ids = ids.iter().filter_map(|job| job["jobId"].as_str());
        ids.map(|id| format!("/api/novel/{id}{part}")).collect()
    };
    let question = |name, targets, promised| Question { name, targets, promised };
    Ok(vec![
        question("list", vec![LIST.to_owned()], PROMISED_OF_LISTS),
        question("detail", of(""), PROMISED),
        question("events", of("/events"), PROMISED),
        question("metrics", of("/metrics"), PROMISED),
    ])
}

/// All answer the same: else the rates of one would be those of another question.
fn agree(served: &[Served; 3], questions: &[Question]) -> Result<()> {
    for question in questions {
        let target = &question.targets[0];
        let answers: Result<Vec<Value>> = served
            .iter()
            .map(|one| serde_json::from_str(&one.get(target)?).context("an answer is no JSON"))
            .collect();
        let answers = answers?;
        let is_same = answers.windows(2).all(|pair| pair[0] == pair[1]);
        anyhow::ensure!(is_same, "{target}: the servers do not answer the same");
    }
    Ok(())
}

/// The medians of each question and server, measured in turn.
fn measure(plan: &Plan, served: &[Served; 3], questions: &[Question]) -> Result<Vec<[Rate; 3]>> {
    let rounds = usize::try_from(plan.runs).unwrap_or(usize::MAX);
    let mut all = vec![[const { Vec::new() }; 3]; questions.len()];
    for round in 0..=rounds {
        for (question, measured) in questions.iter().zip(&mut all) {
            for (one, measured) in served.iter().zip(measured) {
                let time = if round == 0 { WARM_UP } else { ROUND };
                let rate = load::put_on(&one.address, &question.targets, time)?;
                if round > 0 {
                    measured.push(rate);
                }
            }
        }
        printer::line(&format!("round {round} of {rounds}"));
    }
    Ok(all.into_iter().map(|one| one.map(median)).collect())
}

fn median(mut rates: Vec<Rate>) -> Rate {
    rates.sort_by(|one, other| one.requests_per_s.total_cmp(&other.requests_per_s));
    rates[rates.len() / 2]
}

fn table(
    plan: &Plan,
    place: &Place,
    served: &[Served; 3],
    questions: &[Question],
    rounds: &[[Rate; 3]],
) -> Result<String> {
    let facts: Vec<String> =
        machine::facts(place).iter().map(|(name, value)| format!("{name} {value}")).collect();
    let mut text = format!(
        "Medians of {} interleaved rounds of {} s, {NOVELS} finished novels, 10 connections. \
         {}.\n\n| what | from | requests/s | × Node | promised | p99 ms | × Node | MB/s |\n\
         |---|---|---:|---:|---:|---:|---:|---:|\n",
        plan.runs,
        ROUND.as_secs(),
        facts.join(" · ")
    );
    for (question, rates) in questions.iter().zip(rounds) {
        for (at, (name, rate)) in SERVERS.iter().zip(rates).enumerate() {
            let faster = rate.requests_per_s / rates[2].requests_per_s;
            let slower = rate.p99_ms / rates[2].p99_ms;
            let [faster, promised, slower] = match at {
                2 => ["", "", ""].map(str::to_owned),
                _ => [
                    format!("{faster:.1}"),
                    format!("≥ {}", question.promised),
                    format!("{slower:.3}"),
                ],
            };
            text.push_str(&format!(
                "| {} | {name} | {:.1} | {faster} | {promised} | {:.1} | {slower} | {:.1} |\n",
                question.name,
                rate.requests_per_s,
                rate.p99_ms,
                rate.bytes_per_s / 1e6,
            ));
        }
    }
    text.push_str("\nPeak memory: ");
    for (name, one) in SERVERS.iter().zip(served) {
        let mib = one.peak_bytes()? / (1 << 20);
        text.push_str(&format!(
            "{name} {mib} MiB{}",
            if *name == SERVERS[2] { ".\n" } else { ", " }
        ));
    }
    Ok(text)
}
