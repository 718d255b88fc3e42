//! `reshelve demo`: the first thing a newcomer runs.

use crate::cli::DemoArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let _ = args;
    Ok(ExitCode::Done)
}
