//! `reshelve snapshot`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::dump::COLLECTION_DEFAULT;
use reshelve_app::snapshot::{self, ListOutcome, Listed, Outcome, VerifyOutcome};
use reshelve_app::text::{counted, number, plain, size};
use reshelve_app::{ExitCode, Failure, hints};

use super::table::plain_table;
use crate::cli::{SnapshotAction, SnapshotArgs, SnapshotListArgs, SnapshotVerifyArgs};
use crate::next::Next;
use crate::printer::{Printer, Tone, note, toned};
use crate::progress::View;

/// The variable that may name the source.
const SOURCE_VARIABLE: &str = "LEGACY_MONGODB_URI";

pub(crate) fn run(args: &SnapshotArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        Some(SnapshotAction::Verify(args)) => return verify(args),
        Some(SnapshotAction::List(args)) => return list(args),
        None => {}
    }
    let (source, dest) = places(args)?;
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let taken = snapshot::snapshot(&args.request(&source, &dest), &handle);
    view.end();
    let outcome = taken?;
    let printer = Printer::new(args.json.json);
    printer.text(&page(&outcome));
    printer.json(&outcome);
    let collection = &outcome.manifest.collection;
    let other = Some(collection).filter(|name| *name != COLLECTION_DEFAULT);
    let next = Next::new("profile").place(outcome.dest.as_ref());
    printer.next(&next.with("--collection", other));
    Ok(ExitCode::Done)
}

/// SOURCE and DEST; where the variable has the source, the one place that is named is DEST.
fn places(args: &SnapshotArgs) -> Result<(PathBuf, PathBuf), Failure> {
    let variable = std::env::var_os(SOURCE_VARIABLE).map(PathBuf::from);
    match (&args.source, &args.dest) {
        (Some(source), Some(dest)) => Ok((source.clone(), dest.clone())),
        (Some(named), None) => match variable.filter(|it| it != named) {
            Some(source) if !source.as_os_str().is_empty() => {
                refuse_near_command(named)?;
                note(&format!("note: the source is that of {SOURCE_VARIABLE}"));
                Ok((source, named.clone()))
            }
            _ => {
                let message = format!("DEST is missing: {} is the source", plain_path(named));
                Err(Failure::usage(message, hints::snapshot::NAME_BOTH))
            }
        },
        _ => Err(Failure::usage("SOURCE and DEST are missing", hints::snapshot::NAME_BOTH)),
    }
}

/// A mistyped subcommand would be taken for a place.
fn refuse_near_command(named: &Path) -> Result<(), Failure> {
    let word = named.to_string_lossy();
    let is_near = |command: &str| {
        let mut letters = command.chars();
        word.len() > 2 && word.chars().all(|letter| letters.any(|it| it == letter))
    };
    if ["verify", "list"].into_iter().any(is_near) {
        let message = format!("{word} is no subcommand, and hardly a place");
        return Err(Failure::usage(message, hints::snapshot::NEARLY_A_COMMAND));
    }
    Ok(())
}

fn plain_path(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

fn page(outcome: &Outcome) -> String {
    let manifest = &outcome.manifest;
    let content = &manifest.content;
    let form = match manifest.form {
        snapshot::Form::Folder => "mongodump folder",
        snapshot::Form::Archive => "mongodump archive",
    };
    let from = &manifest.source;
    let mut lines = vec![
        format!(
            "{}, {} as BSON, in {}",
            counted(content.documents, "document"),
            size(content.bytes),
            plain(&outcome.dest)
        ),
        format!("  collection  {}.{}", plain(&manifest.db), plain(&manifest.collection)),
        format!("  form        {form}, {}", size(outcome.bytes_stored)),
        format!("  checksum    {}", content.checksum),
        format!("  from        {} ({})", plain(&from.place), from.form),
    ];
    if let Some(time) = &from.cluster_time {
        lines.push(format!("  cluster at  {time}"));
    }
    lines.push(match from.has_metadata {
        true => "  indexes     those of the source".to_owned(),
        false => "  indexes     only that of _id: those of the source are not known".to_owned(),
    });
    lines.push(match manifest.read_back {
        true => "  read back   every file and every document is as it was written".to_owned(),
        false => format!("  read back   {}", toned(Tone::Careful, "no, as --no-read-back asks")),
    });
    lines.join("\n")
}

fn verify(args: &SnapshotVerifyArgs) -> Result<ExitCode, Failure> {
    let view = Arc::new(View::default());
    let verified = snapshot::verify(&args.dest, args.threads.threads(), &view.handle());
    view.end();
    let outcome = verified?;
    let printer = Printer::new(args.json.json);
    printer.text(&verified_page(&outcome));
    printer.json(&outcome);
    Ok(outcome.exit_code())
}

fn verified_page(outcome: &VerifyOutcome) -> String {
    let stored = size(outcome.bytes_stored);
    if outcome.mismatches.is_empty() {
        let documents = counted(outcome.documents.unwrap_or_default(), "document");
        return format!(
            "The snapshot holds: {documents}, {stored}, as {} says",
            plain(&outcome.manifest)
        );
    }
    let mut lines = vec![toned(Tone::Bad, "The snapshot does not hold.")];
    lines.extend(outcome.mismatches.iter().map(|it| format!("  {}", plain(it))));
    lines.join("\n")
}

fn list(args: &SnapshotListArgs) -> Result<ExitCode, Failure> {
    let outcome = snapshot::list(&args.folder)?;
    let printer = Printer::new(args.json.json);
    printer.text(&list_page(&outcome));
    printer.json(&outcome);
    Ok(ExitCode::Done)
}

fn list_page(outcome: &ListOutcome) -> String {
    let unfinished = |place: &String| format!("unfinished: {}", plain(place));
    let unfinished: Vec<String> = outcome.unfinished.iter().map(unfinished).collect();
    if outcome.snapshots.is_empty() {
        let none = "no snapshots right in this folder".to_owned();
        return [vec![none], unfinished].concat().join("\n");
    }
    let mut table = plain_table();
    table.set_header(["taken", "snapshot", "collection", "documents", "stored", ""]);
    for Listed { place, bytes_stored, manifest, unusable } in &outcome.snapshots {
        let (taken, collection, documents) = match manifest {
            Some(it) => (
                it.created_at.clone(),
                plain(&format!("{}.{}", it.db, it.collection)),
                number(it.content.documents),
            ),
            None => (String::new(), String::new(), String::new()),
        };
        let remark = unusable.as_deref().map(|why| toned(Tone::Bad, &plain(why)));
        let remark = remark.unwrap_or_default();
        table.add_row([taken, plain(place), collection, documents, size(*bytes_stored), remark]);
    }
    [vec![table.trim_fmt()], unfinished].concat().join("\n")
}
