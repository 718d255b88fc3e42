//! `reshelve indexes`.

use std::path::Path;

use comfy_table::{Table, presets};
use reshelve::folder::{self, TargetFolder};
use reshelve::target_schema::{IndexState, TargetState};
use reshelve_mongo::{MIGRATION, Patience, indexes_down, indexes_status, indexes_up};
use serde::Serialize;

use super::ends;
use crate::cli::{
    IndexesAction, IndexesArgs, IndexesDownArgs, IndexesTargetArgs, TARGET_DB_DEFAULT,
};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, plain};

#[derive(Debug, Serialize)]
struct StatusDocument<'s> {
    schema: &'static str,
    #[serde(flatten)]
    state: &'s TargetState,
}

#[derive(Debug, Serialize)]
struct ChangedDocument<'c> {
    schema: &'static str,
    /// What was made or dropped: collections, and indexes as `collection.index`.
    changed: &'c [String],
}

pub(crate) fn run(args: &IndexesArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        IndexesAction::Status(args) => status(args),
        IndexesAction::Up(args) => up(args),
        IndexesAction::Down(args) => down(args),
    }
}

fn status(args: &IndexesTargetArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let state = match ends::live(&args.target)? {
        Some(uri) => indexes_status(&ends::target_connection(
            uri,
            args.target_db.as_deref(),
            &Patience::default(),
        )?)?,
        None => folder_for(&args.target, args.target_db.as_deref())?.state()?,
    };
    printer.text(&page(&state));
    printer.json(&StatusDocument { schema: "reshelve.indexes/1", state: &state });
    Ok(ExitCode::Done)
}

fn up(args: &IndexesTargetArgs) -> Result<ExitCode, Failure> {
    let made = match ends::live(&args.target)? {
        Some(uri) => indexes_up(&ends::target_connection(
            uri,
            args.target_db.as_deref(),
            &Patience::default(),
        )?)?,
        None => folder_for(&args.target, args.target_db.as_deref())?.make_indexes()?,
    };
    tell(args, &made, "Made", "All of it is there already.");
    Ok(ExitCode::Done)
}

fn down(args: &IndexesDownArgs) -> Result<ExitCode, Failure> {
    let target = &args.target;
    let Some(uri) = ends::live(&target.target)? else {
        let hint = "remove the folder, or look at it with `reshelve checksums` first";
        return Err(Failure::usage("a folder is not dropped by this command", Some(hint)));
    };
    let connection =
        ends::target_connection(uri, target.target_db.as_deref(), &Patience::default())?;
    let dropped = indexes_down(&connection, &args.force)?;
    tell(target, &dropped, "Dropped", "Nothing of it is there.");
    Ok(ExitCode::Done)
}

fn tell(args: &IndexesTargetArgs, changed: &[String], word: &str, nothing: &str) {
    let printer = Printer::new(args.json.json);
    let text = match changed {
        [] => nothing.to_owned(),
        changed => format!("{word}:\n  {}", changed.join("\n  ")),
    };
    printer.text(&text);
    printer.json(&ChangedDocument { schema: "reshelve.indexes-changed/1", changed });
}

/// The folder of a target, which need not be there yet.
fn folder_for(root: &Path, db: Option<&str>) -> Result<TargetFolder, Failure> {
    if root.is_dir()
        && let Some(found) = TargetFolder::find(root, db)?
    {
        return Ok(found);
    }
    Ok(TargetFolder {
        root: root.to_owned(),
        db: db.unwrap_or(TARGET_DB_DEFAULT).to_owned(),
        compression: folder::Compression::None,
    })
}

fn page(state: &TargetState) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["collection", "", "index", ""]);
    for index in &state.indexes {
        let there = state.collections.contains(&index.collection);
        table.add_row([
            index.collection.name(),
            if there { "present" } else { "missing" },
            index.name,
            match index.state {
                IndexState::Present => "present",
                IndexState::Missing => "MISSING",
                IndexState::Different => "DIFFERENT: another key, or not unique",
            },
        ]);
    }
    let mut lines = vec![table.trim_fmt()];
    if state.migration_applied {
        lines.push(format!("\nThe new stack's migration {MIGRATION} is recorded as applied."));
    }
    lines.extend(state.remarks.iter().map(|remark| format!("\n{}", plain(remark))));
    if !state.wanting().is_empty() {
        lines.push("\n`reshelve indexes up TARGET` makes what is missing.".into());
    }
    lines.join("\n")
}
