//! `reshelve inspect`.

use comfy_table::Table;
use comfy_table::presets;
use reshelve::dump::{self, Inventory};
use reshelve_mongo::{
    Connection, LiveInventory, Need, Patience, Place, create_role, needs_of_source, needs_of_target,
};
use serde::Serialize;

use super::ends::{self, source_spec};
use crate::cli::{InspectArgs, Role, TARGET_DB_DEFAULT};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain, size};

#[derive(Debug, Serialize)]
struct InspectDocument<'i> {
    schema: &'static str,
    #[serde(flatten)]
    inventory: &'i Inventory,
}

#[derive(Debug, Serialize)]
struct LiveInspectDocument<'i> {
    schema: &'static str,
    #[serde(flatten)]
    live: &'i LiveInventory,
}

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    if let Some(uri) = ends::live(&args.source.source)? {
        return run_live(args, uri, printer);
    }
    if args.print_role.is_some() {
        let hint = "name a live source: mongodb://HOST/DATABASE";
        return Err(Failure::usage("a file needs no privileges", Some(hint)));
    }
    let inventory = dump::inspect(&source_spec(&args.source.source, &args.source.pick)?)?;
    printer.text(&page(&inventory));
    printer.json(&InspectDocument { schema: "reshelve.inspect/1", inventory: &inventory });
    Ok(ExitCode::Done)
}

fn run_live(args: &InspectArgs, uri: &str, printer: Printer) -> Result<ExitCode, Failure> {
    let pick = &args.source.pick;
    let place = Place::parse(uri)?;
    let named = pick.db.as_deref().or(place.database());
    let collection = pick.collection.as_deref();
    if let Some(role) = args.print_role {
        let (name, needs) = match role {
            Role::Source => {
                let db = named.ok_or_else(|| {
                    let hint = "put it into the connection string, or name it with --db";
                    Failure::usage("a role needs the name of the database", Some(hint))
                })?;
                let collection = collection.unwrap_or(dump::COLLECTION_DEFAULT);
                ("reshelveSource", needs_of_source(db, collection))
            }
            Role::Target => ("reshelveTarget", needs_of_target(named.unwrap_or(TARGET_DB_DEFAULT))),
        };
        printer.text(&create_role(name, &needs));
        printer.json(&RoleDocument { schema: "reshelve.role/1", role: name, privileges: &needs });
        return Ok(ExitCode::Done);
    }
    let connection = Connection::open(&place, named.unwrap_or_default(), &Patience::default())?;
    let live = reshelve_mongo::inspect(&connection, named.is_some(), collection)?;
    printer.text(&live_page(&live));
    printer.json(&LiveInspectDocument { schema: "reshelve.inspect/1", live: &live });
    Ok(ExitCode::Done)
}

#[derive(Debug, Serialize)]
struct RoleDocument<'r> {
    schema: &'static str,
    role: &'static str,
    privileges: &'r [Need],
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
            [] => "none: the server asks nobody who they are, or nobody is logged in".into(),
            users => plain(&users.join(", ")),
        },
    );
    let missing = |missing: &[String]| match missing {
        [] => "nothing is missing, as far as the server tells".to_owned(),
        missing => format!("missing: {}", plain(&missing.join("; "))),
    };
    row("to read", missing(&live.privileges_missing));
    row("to write", missing(&live.privileges_missing_to_write));
    lines.push("\n  --print-role prints a role with just what reading needs, --print-role target one for writing".into());
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
    if !inventory.auxiliary.is_empty() {
        lines.push(format!(
            "\nLook at these: they may hold parts of novels beside the legacy collection: {}",
            plain(&inventory.auxiliary.join(", "))
        ));
    }
    if !inventory.targets_present.is_empty() {
        lines.push(format!(
            "\nTarget collections are there already: {}",
            plain(&inventory.targets_present.join(", "))
        ));
    }
    lines.join("\n")
}

fn table(inventory: &Inventory) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["database", "collection", "type", "documents", "bytes", "indexes"]);
    for collection in &inventory.collections {
        let indexes: Vec<&str> =
            collection.indexes.iter().map(|index| index.name.as_str()).collect();
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
