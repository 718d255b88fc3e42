//! `reshelve inspect`.

use reshelve::dump::Inventory;
use reshelve::target_schema::Index;
use reshelve_app::inspect::{self, LiveInventory, Outcome, Request};
use reshelve_app::text::{number, plain, size};
use reshelve_app::{ExitCode, Failure, Handle};

use super::table::plain_table;
use crate::cli::InspectArgs;
use crate::next::{self, Next};
use crate::printer::Printer;

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let role = args.print_role.map(Into::into);
    let request = Request { source: args.source.place(), role };
    let outcome = inspect::inspect(&request, &args.password.handle(Handle::silent()))?;
    printer.text(&match &outcome {
        Outcome::Files(files) => page(&files.inventory),
        Outcome::Live(server) => live_page(&server.live),
        Outcome::Role(role) => role.create(),
    });
    printer.json(&outcome);
    if outcome.exit_code() == ExitCode::Done && role.is_none() {
        printer.next(&next(args, &outcome));
    }
    Ok(outcome.exit_code())
}

/// What the legacy documents look like; where there are none but a target, its checksums.
fn next(args: &InspectArgs, outcome: &Outcome) -> Next {
    let source = args.source.place();
    let inventory = match outcome {
        Outcome::Files(files) => &files.inventory,
        Outcome::Live(server) => &server.live.inventory,
        Outcome::Role(_) => return Next::nothing(),
    };
    let is_of_ours = |name: &str| name.starts_with("reshelve_");
    let others = inventory.collections.iter().filter(|it| !is_of_ours(&it.name)).count();
    if inventory.targets_present.is_empty() || inventory.targets_present.len() < others {
        return next::of_source("profile", &source);
    }
    match source.name.is_file() {
        // A collection of a target alone says little.
        true => Next::nothing(),
        false => Next::new("checksums").place(&source.name).with("--target-db", source.db.as_ref()),
    }
}

fn live_page(live: &LiveInventory) -> String {
    let mut lines = vec![page(&live.inventory), String::new()];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    if let Some(name) = &live.replica_set {
        row("replica set", plain(name));
    }
    if let Some(time) = &live.operation_time {
        row("clock", format!("{time} (operationTime)"));
    }
    row(
        "user",
        match live.users.as_slice() {
            [] => "none: the server has no access control, or nobody is logged in".into(),
            users => plain(&users.join(", ")),
        },
    );
    let missing = |missing: &[String]| match missing {
        [] => "nothing is missing, as far as the server reports".to_owned(),
        missing => format!("missing: {}", plain(&missing.join("; "))),
    };
    row("to read", missing(&live.privileges_missing));
    row("to write", missing(&live.privileges_missing_to_write));
    lines.push("\n  --print-role prints a role with only what reading needs, --print-role target one for writing".into());
    lines.join("\n")
}

fn page(inventory: &Inventory) -> String {
    let mut lines = vec![format!("{}: {}", inventory.path.display(), inventory.form)];
    let version = |name: &str, version: &Option<String>| {
        version.as_ref().map(|version| format!("  {name} {}", plain(version)))
    };
    lines.extend(version("server", &inventory.server_version));
    lines.extend(version("dump tool", &inventory.tool_version));
    lines.push(String::new());
    lines.push(table(inventory));
    for collection in &inventory.collections {
        if let Some(damage) = &collection.damage {
            lines.push(format!("\ndamaged: {}: {}", plain(&collection.name), plain(damage)));
        }
    }
    if let Some(damage) = &inventory.damage {
        lines.push(format!("\ndamaged: {}", plain(damage)));
    }
    for note in &inventory.notes {
        lines.push(format!("\nnote: {}", plain(note)));
    }
    if !inventory.auxiliary.is_empty() {
        lines.push(format!(
            "\nCheck these collections, which may hold parts of novels too: {}",
            plain(&inventory.auxiliary.join(", "))
        ));
    }
    if !inventory.targets_present.is_empty() {
        lines.push(format!(
            "\nTarget collections already exist: {}",
            plain(&inventory.targets_present.join(", "))
        ));
    }
    lines.join("\n")
}

fn table(inventory: &Inventory) -> String {
    let mut table = plain_table();
    table.set_header(["database", "collection", "type", "documents", "bytes", "indexes"]);
    for collection in &inventory.collections {
        let indexes: Vec<String> = collection.indexes.iter().map(index_text).collect();
        table.add_row([
            plain(collection.db.as_deref().unwrap_or("-")),
            plain(&collection.name),
            collection.kind.clone().unwrap_or_else(|| "-".into()),
            number(collection.documents),
            size(collection.document_bytes),
            plain(&indexes.join(", ")),
        ]);
    }
    table.trim_fmt()
}

/// The name of an index, and what it is defined by besides its key.
fn index_text(index: &Index) -> String {
    let options: Vec<String> =
        index.options.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    match options.is_empty() {
        true => index.name.clone(),
        false => format!("{} ({})", index.name, options.join(", ")),
    }
}
