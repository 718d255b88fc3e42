//! The command line of `pause`, `cancel` and `throttle`, and the limits that `run` and `resume`
//! take too.

use clap::Args;
use reshelve::run::Throttle;

use super::shared::{Json, RunsDir, parse_size};

#[derive(Debug, Args)]
pub(crate) struct ControlArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct ThrottleArgs {
    /// Run: its id, a unique beginning of its id, `latest`, or its folder
    #[arg(value_name = "RUN", env = "RESHELVE_RUN")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Maximum number of documents in a second, or off
    #[arg(long, value_name = "N", env = "RESHELVE_MAX_DOCS_PER_S", help_heading = "Throttle",
        value_parser = count)]
    max_docs_per_s: Option<u64>,
    /// Maximum size of the target documents of a second, such as 2MiB, or off
    #[arg(long, value_name = "SIZE", env = "RESHELVE_MAX_BYTES_PER_S", help_heading = "Throttle",
        value_parser = bytes)]
    max_bytes_per_s: Option<u64>,
    /// Wait while a voting member of the target's replica set is further behind, or off
    #[arg(long, value_name = "SECONDS", env = "RESHELVE_MAX_LAG", help_heading = "Throttle",
        value_parser = count)]
    max_lag: Option<u64>,
    /// Slow down while batches take longer to write, on average over ten, or off
    #[arg(long, value_name = "MS", env = "RESHELVE_MAX_WRITE_MS", help_heading = "Throttle",
        value_parser = count)]
    max_write_ms: Option<u64>,
}

impl LimitArgs {
    /// What is given; 0 takes a limit away.
    pub(crate) fn throttle(&self) -> Throttle {
        Throttle {
            max_docs_per_s: self.max_docs_per_s,
            max_bytes_per_s: self.max_bytes_per_s,
            max_lag_s: self.max_lag,
            max_write_ms: self.max_write_ms,
        }
    }
}

/// The word that takes a limit away.
const OFF: &str = "off";

fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        _ if text == OFF => Ok(0),
        Ok(number @ 1..) => Ok(number),
        _ => Err("it is a number from 1, or off".to_owned()),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    if text == OFF { Ok(0) } else { parse_size(text) }
}
