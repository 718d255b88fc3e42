//! `reshelve checksums`.

use std::path::Path;

use reshelve_app::checksums::{self, Outcome, Request};
use reshelve_app::text::{counted, number};
use reshelve_app::{ExitCode, Failure, Handle};

use super::table::plain_table;
use crate::cli::ChecksumsArgs;
use crate::next::Next;
use crate::printer::{Printer, columns};

pub(crate) fn run(args: &ChecksumsArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let outcome = checksums::checksums(
        &Request { target: args.target() },
        &args.password.handle(Handle::silent()),
    )?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    let place = args.target();
    let next = Next::new("restore").place(&place.name).place(Path::new("restored"));
    printer.next(&next.with("--target-db", place.db.as_ref()));
    Ok(ExitCode::Done)
}

fn page(outcome: &Outcome) -> String {
    let mut table = plain_table();
    table.set_header(["collection", "documents", "bytes", "checksum"]);
    for (name, checksum) in &outcome.collections {
        table.add_row([
            (*name).to_owned(),
            number(checksum.documents),
            number(checksum.bytes),
            checksum.checksum.clone(),
        ]);
    }
    let table = table.trim_fmt();
    let fits = |columns: u16| table.lines().all(|line| line.len() <= usize::from(columns));
    match columns().is_none_or(fits) {
        true => table,
        false => stacked(outcome),
    }
}

/// The same where a row does not fit the terminal: a checksum that is broken cannot be compared.
fn stacked(outcome: &Outcome) -> String {
    let blocks = outcome.collections.iter().map(|(name, checksum)| {
        let documents = counted(checksum.documents, "document");
        let bytes = counted(checksum.bytes, "byte");
        format!("{name}: {documents}, {bytes}\n  {}", checksum.checksum)
    });
    blocks.collect::<Vec<_>>().join("\n")
}
