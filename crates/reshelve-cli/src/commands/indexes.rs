//! `reshelve indexes`.

use std::sync::Arc;

use reshelve::target_schema::{IndexState, TargetState};
use reshelve_app::indexes::{self, Action, ChangedAnswer, MIGRATION, Outcome, Request};
use reshelve_app::text::plain;
use reshelve_app::{ExitCode, Failure, Handle};

use super::table::plain_table;
use crate::cli::{IndexesAction, IndexesArgs};
use crate::next::Next;
use crate::printer::{Notes, Printer};

pub(crate) fn run(args: &IndexesArgs) -> Result<ExitCode, Failure> {
    let (args, action) = match &args.action {
        IndexesAction::Status(args) => (args, Action::Status),
        IndexesAction::Up(args) => (args, Action::Up),
        IndexesAction::Down(args) => (&args.target, Action::Down { forced: args.force.clone() }),
    };
    let printer = Printer::new(args.json.json);
    let (word, nothing) = match action {
        Action::Down { .. } => ("Dropped", "There is nothing to drop."),
        _ => ("Created", "All collections and indexes already exist."),
    };
    let handle = args.password.handle(args.dry_run.handle(Handle::new(Arc::new(Notes))));
    let outcome = indexes::indexes(&Request { target: args.target(), action }, &handle)?;
    printer.text(&match &outcome {
        Outcome::State(answer) => page(&answer.state),
        Outcome::Changed(ChangedAnswer { changed, .. }) if changed.is_empty() => nothing.to_owned(),
        Outcome::Changed(answer) => format!("{word}:\n  {}", answer.changed.join("\n  ")),
    });
    printer.json(&outcome);
    let next = match &outcome {
        Outcome::State(answer) if answer.state.wanting().is_empty() => Next::nothing(),
        Outcome::State(_) => Next::new("indexes up"),
        Outcome::Changed(_) => Next::new("indexes status"),
    };
    let place = args.target();
    printer.next(&next.place(&place.name).with("--target-db", place.db.as_ref()));
    Ok(ExitCode::Done)
}

fn page(state: &TargetState) -> String {
    let mut table = plain_table();
    table.set_header(["collection", "is there", "index", "state"]);
    for index in &state.indexes {
        let there = state.collections.contains(&index.collection);
        table.add_row([
            index.collection.name(),
            if there { "yes" } else { "not yet" },
            index.name,
            &match (index.state, &index.difference) {
                (IndexState::Present, _) => "present".to_owned(),
                (IndexState::Missing, _) => "MISSING".to_owned(),
                (IndexState::Different, difference) => {
                    format!("DIFFERENT: {}", plain(difference.as_deref().unwrap_or_default()))
                }
            },
        ]);
    }
    let mut lines = vec![table.trim_fmt()];
    if state.migration_applied {
        lines.push(format!("\nThe new stack's migration {MIGRATION} is recorded as applied."));
    }
    lines.extend(state.remarks.iter().map(|remark| format!("\n{}", plain(remark))));
    if !state.wanting().is_empty() {
        lines.push("\n`reshelve indexes up TARGET` creates what is missing.".into());
    }
    lines.join("\n")
}
