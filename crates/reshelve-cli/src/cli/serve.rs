//! The command line of `serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reshelve_app::places::{SourcePlace, TargetPlace};
use reshelve_app::sides;

use super::password::BothPasswords;
use super::shared::{MappingArgs, ReadPreference};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// What to serve, on its own: a target or a legacy source; its content says which
    #[arg(value_name = "PLACE", env = "RESHELVE_PLACE", required_unless_present_any = ["legacy", "normalized"],
        conflicts_with_all = ["legacy", "normalized"])]
    place: Option<PathBuf>,
    /// The legacy side: a file, a mongodump folder, or a mongodb:// connection string
    #[arg(long, value_name = "SOURCE", env = "RESHELVE_LEGACY", help_heading = "Sides")]
    legacy: Option<PathBuf>,
    /// The normalised side: a target folder, or a mongodb:// connection string
    #[arg(long, value_name = "TARGET", env = "RESHELVE_NORMALIZED", help_heading = "Sides")]
    normalized: Option<PathBuf>,
    /// Side that answers [default: normalized, where there are two]
    #[arg(long, value_name = "SIDE", env = "RESHELVE_PERSISTENCE", help_heading = "Sides")]
    pub(crate) persistence: Option<Persistence>,
    /// Database of the legacy side [default: the one that has the collection]
    #[arg(short, long, value_name = "NAME", env = "RESHELVE_DB", help_heading = "Sides")]
    db: Option<String>,
    /// Collection of the legacy side [default: jobs]
    #[arg(short, long, value_name = "NAME", env = "RESHELVE_COLLECTION", help_heading = "Sides")]
    collection: Option<String>,
    /// Database of the normalised side [default: the one that is there]
    #[arg(long, value_name = "NAME", env = "RESHELVE_TARGET_DB", help_heading = "Sides")]
    target_db: Option<String>,
    /// Member of a replica set to read from [default: the primary]
    #[arg(long, value_name = "MODE", env = "RESHELVE_READ_PREFERENCE", help_heading = "Sides")]
    read_preference: Option<ReadPreference>,
    /// Address and port to listen at; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", env = "RESHELVE_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Another name by which browsers may reach it; repeat it for more
    #[arg(long, value_name = "NAME", env = "RESHELVE_HOST", value_delimiter = ',')]
    pub(crate) host: Vec<String>,
    /// Origin whose pages may read the answers; `*` for any
    #[arg(long, value_name = "ORIGIN", env = "SOCKET_CLIENT_ORIGIN", default_value = "http://localhost:5173")]
    pub(crate) client_origin: String,
    /// Whether parameters are checked: as the application ships, or as its declarations say
    #[arg(long, value_name = "HOW", env = "RESHELVE_VALIDATION", default_value = "shipped")]
    pub(crate) validation: Validation,
    #[command(flatten)]
    mapping: MappingArgs,
    /// Number of mapping threads for the first reading [default: one per core]
    #[arg(long, value_name = "N", env = "RESHELVE_JOBS", help_heading = "Speed",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Persistence {
    /// The legacy documents, mapped when they are asked for
    Legacy,
    /// The target documents
    Normalized,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Validation {
    /// As the application ships: no parameter is checked
    Shipped,
    /// As the application declares: a wrong parameter is 400
    Declared,
}

impl ServeArgs {
    pub(crate) fn sides(&self) -> sides::Request {
        let read_preference = self.read_preference.map(Into::into);
        let source = |name: &PathBuf, db: Option<&String>| SourcePlace {
            db: db.cloned(),
            collection: self.collection.clone(),
            read_preference,
            ..SourcePlace::new(name)
        };
        let target = |name: &PathBuf| TargetPlace { name: name.clone(), db: self.target_db.clone() };
        let db = self.db.as_ref();
        sides::Request {
            place: self.place.as_ref().map(|it| source(it, db.or(self.target_db.as_ref()))),
            legacy: self.legacy.as_ref().map(|it| source(it, db)),
            normalized: self.normalized.as_ref().map(target),
            mapping: self.mapping.options(),
            threads: self.jobs.map(usize::from),
            read_preference,
        }
    }
}
