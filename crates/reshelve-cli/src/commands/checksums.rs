//! `reshelve checksums`.

use std::collections::BTreeMap;

use comfy_table::Table;
use comfy_table::presets;
use reshelve::parity::{self, CollectionChecksum};
use serde::Serialize;

use super::ends;
use crate::cli::ChecksumsArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number};

#[derive(Debug, Serialize)]
struct ChecksumsDocument<'c> {
    schema: &'static str,
    collections: &'c BTreeMap<&'static str, CollectionChecksum>,
}

pub(crate) fn run(args: &ChecksumsArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let target = ends::reader(&args.target, args.target_db.as_deref(), None)?;
    let collections =
        parity::checksums(target.as_ref()).map_err(|error| Failure::failed(error.to_string()))?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["collection", "documents", "bytes", "checksum"]);
    for (name, checksum) in &collections {
        table.add_row([
            (*name).to_owned(),
            number(checksum.documents),
            number(checksum.bytes),
            checksum.checksum.clone(),
        ]);
    }
    printer.text(&table.trim_fmt());
    printer.json(&ChecksumsDocument { schema: "reshelve.checksums/1", collections: &collections });
    Ok(ExitCode::Done)
}
