//! `reshelve man`: manual pages, made from the definition of the command line.

use std::io;

use reshelve_app::{ExitCode, Failure};

use crate::cli::{self, ManArgs};
use crate::next::Next;
use crate::printer::Printer;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!("writing man pages to {}: {error}", args.dir.display()))
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    clap_mangen::generate_to(cli::command(), &args.dir).map_err(failed)?;
    let page = args.dir.join("reshelve.1");
    Printer::new(false).next(&Next::of(&["man"]).place(&page));
    Ok(ExitCode::Done)
}
