//! Runs into a live target, beside the official driver alone.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::contest::Contender;
use super::{Bench, FINISHED_NOVELS, FORMS, Group};
use crate::server::Servers;

/// The collections of the live copies.
const COPIED: [&str; 5] =
    ["jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata", "novel_jobs"];

/// A program with its arguments.
fn program(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments);
    command
}

/// Runs a program that prepares what is measured.
fn seed(mut program: Command) -> Result<()> {
    let status = program.stdout(Stdio::null()).status().context("cannot seed")?;
    anyhow::ensure!(status.success(), "{program:?} ended with {status}");
    Ok(())
}

impl Bench<'_> {
    /// A run into a live target, beside the official driver's `insert_many` of the same documents
    /// into the same server. Both find the collections and indexes made and empty.
    pub(super) fn live(&mut self) -> Result<Option<Group>> {
        if !self.plan.live {
            return Ok(None);
        }
        let servers = Servers::get(false, self.summary);
        let Some(server) = servers.shared_uri() else { return Ok(None) };
        let (insert, copy) = (self.place.plain("plain_insert")?, self.place.plain("plain_copy")?);
        let database = |name: &str| format!("{server}/reshelve_bench{name}");
        let uri = database("");
        let source = self.place.corpus("live", self.documents(FORMS), &FINISHED_NOVELS)?;
        let done = self.finished_target(&source)?.join("letswriteabook");
        let ready = || {
            let mut down = self.place.reshelve(&["indexes", "down", &uri]);
            down.args(["--force", "novel_jobs,novel_job_events,novel_job_metrics"]);
            down.args(["--force", "novel_job_metadata"]);
            [down, self.place.reshelve(&["indexes", "up", &uri])]
        };
        let runs = self.place.folder.join("runs-live");
        let run = |source: &std::ffi::OsStr| {
            let mut run = self.place.reshelve(&["run", "--apply", "--in-flight", "include"]);
            run.arg("--runs-dir").arg(&runs).arg(source).arg(&uri);
            run
        };
        // What the copies read, and the live source.
        let (legacy, moved) = (database("_legacy"), database("_moved"));
        for (at, what) in [(&legacy, &source.path), (&moved, &done)] {
            seed(program(&copy, &[&["drop", at][..], &COPIED].concat()))?;
            seed(program(&insert, &[at, &what.to_string_lossy()]))?;
        }
        let copied = database("_copied");
        let of_target = [&[moved.as_str(), &uri][..], &COPIED[1..]].concat();
        let into_target = |key: &str, title: &str, command: Command| {
            Contender::new(key, title, &source, command).after(ready())
        };
        let mut back = self.place.reshelve(&["rollback", "latest", "--apply"]);
        back.arg("--runs-dir").arg(&runs).arg("--target").arg(&uri);
        let taken_back =
            Contender::new("live-rollback", "`rollback --apply` of that run", &source, back);
        let written = ready().into_iter().chain([run(source.path.as_ref())]);
        let insert_all = program(&insert, &[&uri, &done.to_string_lossy()]);
        let copy_legacy = program(&copy, &[&legacy, &copied, "jobs"]);
        let contenders = [
            into_target("live-insert", "plain `insert_many` of the target", insert_all),
            into_target(
                "live-run",
                "`run --apply` into the live target",
                run(source.path.as_ref()),
            )
            .makes([runs.clone()]),
            taken_back.makes([runs.clone()]).after(written),
            into_target(
                "live-copy",
                "plain copy of a live target, by the driver",
                program(&copy, &of_target),
            ),
            Contender::new(
                "live-copy-legacy",
                "plain copy of the live source, by the driver",
                &source,
                copy_legacy,
            )
            .after([program(&copy, &["drop", &copied, "jobs"])]),
            into_target("live-live", "`run --apply`, live to live", run(legacy.as_ref()))
                .makes([runs.clone()]),
        ];
        let outcomes = self.hold("live target", &contenders)?;
        servers.stop(self.summary);
        let title = format!("A live target: {} finished novels", source.documents);
        Ok(Some(Group { name: "live", title, outcomes }))
    }
}
