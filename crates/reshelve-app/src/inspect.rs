//! `inspect`: what a source holds, and what a user of a live one may do.

use reshelve::dump::{self, Inventory};
use reshelve_mongo::{Connection, Place, create_role, needs_of_source, needs_of_target};
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::passwords::Side;
use crate::places::{self, SourcePlace, TARGET_DB_DEFAULT};

pub use reshelve_mongo::{LiveInventory, Need};

/// What `inspect` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// Answer with a role instead, without asking a server.
    pub role: Option<Role>,
}

/// What a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reading the legacy collection.
    Source,
    /// Writing the target and making its indexes.
    Target,
}

/// What there is.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of files; as JSON, `reshelve.inspect/1`.
    Files(FilesAnswer),
    /// Of a live server; as JSON, `reshelve.inspect/1`.
    Live(LiveAnswer),
    /// A role; as JSON, `reshelve.role/1`.
    Role(RoleAnswer),
}

impl Outcome {
    /// The exit code: damage that was found is no success.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Outcome::Files(files) if files.inventory.is_damaged() => ExitCode::Failed,
            _ => ExitCode::Done,
        }
    }
}

/// What files hold.
#[derive(Clone, Debug, Serialize)]
pub struct FilesAnswer {
    schema: &'static str,
    /// Databases and collections.
    #[serde(flatten)]
    pub inventory: Inventory,
}

/// What a server holds.
#[derive(Clone, Debug, Serialize)]
pub struct LiveAnswer {
    schema: &'static str,
    /// Databases, collections, the user's privileges.
    #[serde(flatten)]
    pub live: LiveInventory,
}

/// A role with just the privileges that are needed.
#[derive(Clone, Debug, Serialize)]
pub struct RoleAnswer {
    schema: &'static str,
    /// Its name.
    pub role: &'static str,
    /// What it may do.
    pub privileges: Vec<Need>,
}

impl RoleAnswer {
    /// The command for `mongosh` that creates it.
    pub fn create(&self) -> String {
        create_role(self.role, &self.privileges)
    }
}

/// Looks at a source.
///
/// # Errors
/// If the source cannot be read, or the request makes no sense.
pub fn inspect(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let source = &request.source;
    match (source.uri()?, request.role) {
        (Some(uri), None) => Ok(Outcome::Live(live(source, uri, handle)?)),
        (Some(uri), Some(role)) => Ok(Outcome::Role(role_answer(source, uri, role)?)),
        (None, Some(_)) => {
            Err(Failure::usage("a file needs no privileges", hints::NAME_A_LIVE_SOURCE))
        }
        (None, None) => {
            let inventory = of_database(dump::inspect(&places::source_spec(source))?, source)?;
            Ok(Outcome::Files(FilesAnswer { schema: "reshelve.inspect/1", inventory }))
        }
    }
}

/// The collections of the database that is asked for. Where a file does not say in which database
/// its collection is, it may be that one.
fn of_database(mut inventory: Inventory, source: &SourcePlace) -> Result<Inventory, Failure> {
    let Some(asked) = &source.db else { return Ok(inventory) };
    let is_empty = inventory.collections.is_empty();
    inventory.collections.retain(|it| it.db.as_ref().is_none_or(|db| db == asked));
    if inventory.collections.is_empty() && !is_empty {
        let message = format!("{}: no database {asked} there", source.name.display());
        return Err(Failure::usage(message, hints::INSPECT_ALL));
    }
    Ok(inventory)
}

fn live(source: &SourcePlace, uri: &str, handle: &Handle) -> Result<LiveAnswer, Failure> {
    let place = handle.passwords().place(uri, Side::Source)?;
    let named = source.db.as_deref().or(place.database());
    let connection = Connection::open(&place, named.unwrap_or_default(), &handle.patience())?;
    let live = reshelve_mongo::inspect(&connection, named.is_some(), source.collection.as_deref())?;
    Ok(LiveAnswer { schema: "reshelve.inspect/1", live })
}

fn role_answer(source: &SourcePlace, uri: &str, role: Role) -> Result<RoleAnswer, Failure> {
    let place = Place::parse(uri)?;
    let named = source.db.as_deref().or(place.database());
    let (role, privileges) = match role {
        Role::Source => {
            let db = named.ok_or_else(|| {
                let message = "a role needs the name of the database";
                Failure::usage(message, hints::NAME_THE_SOURCE_DATABASE)
            })?;
            let collection = source.collection.as_deref().unwrap_or(dump::COLLECTION_DEFAULT);
            ("reshelveSource", needs_of_source(db, collection))
        }
        Role::Target => ("reshelveTarget", needs_of_target(named.unwrap_or(TARGET_DB_DEFAULT))),
    };
    Ok(RoleAnswer { schema: "reshelve.role/1", role, privileges })
}
