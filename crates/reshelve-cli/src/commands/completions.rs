//! `reshelve completions`: a script for a shell, made from the definition of the command line.

use reshelve_app::{ExitCode, Failure};

use crate::cli::{self, CompletionsArgs};
use crate::printer::Printer;

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "reshelve", &mut script);
    Printer::new(false).raw(&script);
    Ok(ExitCode::Done)
}
