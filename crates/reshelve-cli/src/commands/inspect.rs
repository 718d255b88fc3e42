//! `reshelve inspect`.

use comfy_table::Table;
use comfy_table::presets;
use reshelve::dump::{self, Inventory};
use serde::Serialize;

use super::ends::source_spec;
use crate::cli::InspectArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain, size};

#[derive(Debug, Serialize)]
struct InspectDocument<'i> {
    schema: &'static str,
    #[serde(flatten)]
    inventory: &'i Inventory,
}

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let inventory = dump::inspect(&source_spec(&args.source.source, &args.source.pick)?)?;
    printer.text(&page(&inventory));
    printer.json(&InspectDocument { schema: "reshelve.inspect/1", inventory: &inventory });
    Ok(ExitCode::Done)
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
