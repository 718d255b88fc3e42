//! The command line of `serve`.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Args, Command, ValueEnum};
use reshelve_app::places::{SourcePlace, TargetPlace};
use reshelve_app::sides;
use reshelve_serve::http;
use reshelve_serve::sides::{self as served, RouteName, Side, Turn};

use super::password::BothPasswords;
use super::shared::{DryRun, FirstReading, MappingArgs, ReadPreference, RunsDir};

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
    /// Side that answers [default: normalized]
    #[arg(long, value_name = "SIDE", env = "USE_NORMALIZED_PERSISTENCE", help_heading = "Sides",
        value_parser = PersistenceParser)]
    pub(crate) persistence: Option<Persistence>,
    /// Side that answers one route, such as list=legacy; repeat it for more
    #[arg(long, value_name = "ROUTE=SIDE", env = "RESHELVE_PERSISTENCE_OF", help_heading = "Sides",
        value_delimiter = ',', value_parser = route_side)]
    persistence_of: Vec<(RouteName, Side)>,
    /// Percentage of jobs that the normalised side answers, always the same jobs
    #[arg(long, value_name = "PERCENT", env = "RESHELVE_NORMALIZED_SHARE", help_heading = "Sides",
        value_parser = clap::value_parser!(u8).range(0..=100))]
    normalized_share: Option<u8>,
    /// Let the other side answer where the chosen one cannot be read
    #[arg(long, env = "RESHELVE_FALLBACK", help_heading = "Sides")]
    pub(crate) fallback: bool,
    /// Ask the other side too, for all answers or PERCENT of them, and compare
    #[arg(long, value_name = "PERCENT", env = "RESHELVE_SHADOW", help_heading = "Sides",
        num_args = 0..=1, default_missing_value = "100", require_equals = false,
        value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) shadow: Option<u8>,
    /// Show what texts say in examples of answers that differ
    #[arg(long, env = "RESHELVE_WITH_TEXTS", help_heading = "Sides", requires = "shadow")]
    pub(crate) with_texts: bool,
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
    /// File with a token that every request must have; also allows changes through this server
    #[arg(long, value_name = "FILE", env = "RESHELVE_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Let everybody read jobs, over HTTP and Socket.IO, in spite of --token-file
    #[arg(long, env = "RESHELVE_OPEN_API", requires = "token_file")]
    pub(crate) open_api: bool,
    /// Origin whose pages may read the answers; `*` for any
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "SOCKET_CLIENT_ORIGIN",
        default_value = "http://localhost:5173"
    )]
    pub(crate) client_origin: String,
    /// Whether parameters are checked: as the application ships, or as its declarations say
    #[arg(long, value_name = "HOW", env = "RESHELVE_VALIDATION", default_value = "shipped")]
    pub(crate) validation: Validation,
    #[command(flatten)]
    mapping: MappingArgs,
    #[command(flatten)]
    reading: FirstReading,
    #[command(flatten)]
    pub(crate) password: BothPasswords,
    #[command(flatten)]
    pub(crate) runs: RunsDir,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
}

/// Of the switch; `USE_NORMALIZED_PERSISTENCE` says whether it is the normalised side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Persistence {
    /// The legacy documents, mapped when they are asked for
    #[value(alias = "false", alias = "0", alias = "off", alias = "no")]
    Legacy,
    /// The target documents
    #[value(alias = "true", alias = "1", alias = "on", alias = "yes")]
    Normalized,
}

/// Reads a [`Persistence`], and names every word that counts if it is given another: those of the
/// variable are not among the values that the parser itself would name.
#[derive(Clone, Copy, Debug)]
struct PersistenceParser;

impl TypedValueParser for PersistenceParser {
    type Value = Persistence;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Persistence, clap::Error> {
        let words = EnumValueParser::<Persistence>::new();
        words.parse_ref(command, argument, value).map_err(|mut error| {
            let all = Persistence::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let all =
                all.flat_map(|it| it.get_name_and_aliases().map(str::to_owned).collect::<Vec<_>>());
            error.insert(ContextKind::ValidValue, ContextValue::Strings(all.collect()));
            error
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            Persistence::value_variants().iter().filter_map(ValueEnum::to_possible_value),
        ))
    }
}

impl From<Persistence> for Side {
    fn from(value: Persistence) -> Self {
        match value {
            Persistence::Legacy => Side::Legacy,
            Persistence::Normalized => Side::Normalized,
        }
    }
}

fn route_side(text: &str) -> Result<(RouteName, Side), String> {
    let (route, side) = text.split_once('=').ok_or("it has the form ROUTE=SIDE")?;
    let names = RouteName::ALL.map(RouteName::as_str).join(", ");
    let found = RouteName::ALL.into_iter().find(|name| name.as_str() == route);
    let route = found.ok_or_else(|| format!("{route:?} is not one of {names}"))?;
    let side = side.parse().map_err(|error| format!("{side:?} is {error}"))?;
    Ok((route, side))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Validation {
    /// As the application ships: no parameter is checked
    Shipped,
    /// As the application declares: a wrong parameter is 400
    Declared,
}

impl From<Validation> for http::Validation {
    fn from(value: Validation) -> Self {
        match value {
            Validation::Shipped => http::Validation::Shipped,
            Validation::Declared => http::Validation::Declared,
        }
    }
}

impl ServeArgs {
    /// How the switch stands at first.
    pub(crate) fn persistence(&self) -> served::Persistence {
        let side = self.persistence.map_or(Side::Normalized, Into::into);
        let of = served::Persistence::of(side);
        let of = self.persistence_of.iter().fold(of, |of, (route, to)| of.with_route(*route, *to));
        of.with_share(self.normalized_share.unwrap_or(0))
    }

    /// What these arguments, which are those of the settings file, say of the switch.
    pub(crate) fn turn(&self) -> Turn {
        let routes = (!self.persistence_of.is_empty()).then(|| self.persistence_of.clone());
        let side = self.persistence.map(Into::into);
        Turn { side, routes, normalized_share: self.normalized_share }
    }

    /// Whether anything was said of a switch.
    pub(crate) fn needs_two_sides(&self) -> bool {
        !self.persistence_of.is_empty()
            || self.normalized_share.is_some()
            || self.fallback
            || self.shadow.is_some()
    }

    pub(crate) fn sides(&self) -> sides::Request {
        let read_preference = self.read_preference.map(Into::into);
        let source = |name: &PathBuf, db: Option<&String>| SourcePlace {
            db: db.cloned(),
            collection: self.collection.clone(),
            read_preference,
            ..SourcePlace::new(name)
        };
        let target =
            |name: &PathBuf| TargetPlace { name: name.clone(), db: self.target_db.clone() };
        let db = self.db.as_ref();
        sides::Request {
            place: self.place.as_ref().map(|it| source(it, db.or(self.target_db.as_ref()))),
            legacy: self.legacy.as_ref().map(|it| source(it, db)),
            normalized: self.normalized.as_ref().map(target),
            mapping: self.mapping.options(),
            threads: self.reading.threads(),
            read_preference,
        }
    }
}
