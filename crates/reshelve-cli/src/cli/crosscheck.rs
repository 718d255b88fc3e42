//! The command line of `crosscheck`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reshelve_app::crosscheck::{self, AT_ONCE_USUAL, Asked, SAMPLE_USUAL, TIME_USUAL};
use reshelve_serve::comparison::Texts;

use super::password::BothPasswords;
use super::shared::{FirstReading, Json, MappingArgs, PickArgs};

#[derive(Debug, Args)]
pub(crate) struct CrosscheckArgs {
    /// Application: http:// with a host and a port, and the path before its routes
    #[arg(value_name = "API_URL", env = "RESHELVE_API")]
    api: String,
    /// What its answers are compared with: a legacy source, or a target; its content says which
    #[arg(value_name = "PLACE", env = "RESHELVE_PLACE")]
    place: PathBuf,
    /// Ask about at most this many jobs, spread evenly [default: 100]
    #[arg(long, value_name = "N", env = "RESHELVE_SAMPLE", conflicts_with = "all",
        value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// Ask about every job
    #[arg(long, env = "RESHELVE_ALL")]
    all: bool,
    /// Show what texts say where answers differ
    #[arg(long, env = "RESHELVE_WITH_TEXTS")]
    with_texts: bool,
    /// Write what was found, and every answer that differs, to this folder
    #[arg(short, long, value_name = "DIR", env = "RESHELVE_OUT")]
    out: Option<PathBuf>,
    /// File with the token that the application asks for
    #[arg(long, value_name = "FILE", env = "RESHELVE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Number of requests on the way at a time [default: 4]
    #[arg(long, value_name = "N", env = "RESHELVE_AT_ONCE", help_heading = "Requests",
        value_parser = clap::value_parser!(u8).range(1..=64))]
    at_once: Option<u8>,
    /// How long one answer may take, in seconds [default: 30]
    #[arg(long, value_name = "SECONDS", env = "RESHELVE_TIMEOUT", help_heading = "Requests",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
    #[command(flatten)]
    mapping: MappingArgs,
    #[command(flatten)]
    pick: PickArgs,
    #[command(flatten)]
    reading: FirstReading,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) json: Json,
}

impl CrosscheckArgs {
    pub(crate) fn request(&self) -> crosscheck::Request {
        let asked = Asked {
            token_file: self.token_file.clone(),
            time_max: self.timeout.map_or(TIME_USUAL, Duration::from_secs),
            at_once: self.at_once.map_or(AT_ONCE_USUAL, usize::from),
            sample: (!self.all).then(|| self.sample.unwrap_or(SAMPLE_USUAL)),
            out: self.out.clone(),
            ..Asked::new(&self.api)
        };
        crosscheck::Request {
            asked,
            place: self.pick.place(&self.place, false),
            mapping: self.mapping.options(),
            threads: self.reading.threads(),
            texts: Texts::of(self.with_texts),
        }
    }
}
