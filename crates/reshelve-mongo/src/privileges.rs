//! What a user may do, and what is needed.

use mongodb::bson::{Bson, Document, doc};
use reshelve_core::mapping::COLLECTIONS;
use serde::Serialize;

use crate::connection::Connection;
use crate::lease::RUNS;
use crate::replace::UNDO;

/// Actions on one collection, or on a database where no collection is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The database.
    pub db: String,
    /// The collection; none for actions on the database.
    pub collection: Option<String>,
    /// The actions, by their MongoDB names.
    pub actions: Vec<&'static str>,
}

impl Need {
    fn new(db: &str, collection: Option<&str>, actions: &[&'static str]) -> Need {
        let collection = collection.map(str::to_owned);
        Need { db: db.to_owned(), collection, actions: actions.to_vec() }
    }
}

/// What reading a legacy collection needs.
pub fn needs_of_source(db: &str, collection: &str) -> Vec<Need> {
    vec![
        Need::new(db, None, &["listCollections"]),
        Need::new(db, Some(collection), &["find", "collStats", "listIndexes"]),
    ]
}

/// What writing a target needs, its indexes included.
pub fn needs_of_target(db: &str) -> Vec<Need> {
    const WRITE: [&str; 7] =
        ["find", "insert", "remove", "collStats", "listIndexes", "createCollection", "createIndex"];
    let mut needs = vec![Need::new(db, None, &["listCollections"])];
    needs.extend(COLLECTIONS.map(|name| Need::new(db, Some(name), &WRITE)));
    needs.push(Need::new(db, Some(RUNS), &["find", "insert", "update", "remove"]));
    needs.push(Need::new(db, Some(UNDO), &["find", "insert", "remove"]));
    needs
}

/// A role with just these privileges, as `mongosh` takes it.
pub fn create_role(name: &str, needs: &[Need]) -> String {
    let mut lines = vec![
        "db.getSiblingDB(\"admin\").createRole({".to_owned(),
        format!("  role: \"{name}\","),
        "  privileges: [".to_owned(),
    ];
    for need in needs {
        let actions: Vec<String> = need.actions.iter().map(|it| format!("\"{it}\"")).collect();
        lines.push(format!(
            "    {{ resource: {{ db: {}, collection: {} }}, actions: [{}] }},",
            quoted(&need.db),
            quoted(need.collection.as_deref().unwrap_or("")),
            actions.join(", ")
        ));
    }
    lines.push("  ],".to_owned());
    lines.push("  roles: [],".to_owned());
    lines.push("})".to_owned());
    lines.join("\n")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What the user of a connection may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// `user@db`, of every user who is logged in.
    pub(crate) users: Vec<String>,
    roles: Vec<(String, String)>,
    privileges: Vec<Document>,
    /// Whether nothing more can be known: no login, or roles that the server does not explain.
    unknown: bool,
}

/// Asks the server.
pub(crate) async fn held(connection: &Connection) -> Held {
    let status = connection.admin(doc! { "connectionStatus": 1, "showPrivileges": true }).await;
    let status = status.unwrap_or_default();
    let information = status.get_document("authInfo").cloned().unwrap_or_default();
    let documents = |name: &str| -> Vec<Document> {
        let list = information.get_array(name).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Bson::as_document).cloned().collect()
    };
    let pair = |document: &Document, name: &str| {
        let text = |name: &str| document.get_str(name).unwrap_or_default().to_owned();
        (text(name), text("db"))
    };
    let users = documents("authenticatedUsers");
    let mut held = Held {
        users: users
            .iter()
            .map(|user| pair(user, "user"))
            .map(|(u, db)| format!("{u}@{db}"))
            .collect(),
        roles: documents("authenticatedUserRoles").iter().map(|role| pair(role, "role")).collect(),
        privileges: documents("authenticatedUserPrivileges"),
        unknown: users.is_empty(),
    };
    if held.privileges.is_empty() {
        for (role, db) in held.roles.clone() {
            if actions_of_role(&role).is_none() {
                held.explain(connection, &role, &db).await;
            }
        }
    }
    held
}

impl Held {
    /// Asks what a role of the user's own allows.
    async fn explain(&mut self, connection: &Connection, role: &str, db: &str) {
        let question = doc! { "rolesInfo": { "role": role, "db": db }, "showPrivileges": true };
        let answer = connection.admin(question).await.unwrap_or_default();
        let roles = answer.get_array("roles").map(Vec::as_slice).unwrap_or_default();
        let Some(found) = roles.first().and_then(Bson::as_document) else {
            self.unknown = true;
            return;
        };
        for name in ["privileges", "inheritedPrivileges"] {
            let list = found.get_array(name).map(Vec::as_slice).unwrap_or_default();
            self.privileges.extend(list.iter().filter_map(Bson::as_document).cloned());
        }
        for inherited in found.get_array("inheritedRoles").into_iter().flatten() {
            let Some(inherited) = inherited.as_document() else { continue };
            let text = |name: &str| inherited.get_str(name).unwrap_or_default().to_owned();
            self.roles.push((text("role"), text("db")));
        }
    }

    /// What of the needs is not allowed, in words; nothing where that cannot be known.
    pub(crate) fn missing(&self, needs: &[Need]) -> Vec<String> {
        if self.unknown {
            return Vec::new();
        }
        let mut missing = Vec::new();
        for need in needs {
            let lacking: Vec<&str> =
                need.actions.iter().copied().filter(|action| !self.allows(need, action)).collect();
            if !lacking.is_empty() {
                let place = match &need.collection {
                    Some(collection) => format!("{}.{collection}", need.db),
                    None => need.db.clone(),
                };
                missing.push(format!("{} on {place}", lacking.join(", ")));
            }
        }
        missing
    }

    fn allows(&self, need: &Need, action: &str) -> bool {
        let by_role = self.roles.iter().any(|(role, db)| {
            let anywhere = role.ends_with("AnyDatabase")
                || matches!(role.as_str(), "root" | "__system" | "atlasAdmin");
            (anywhere || *db == need.db)
                && actions_of_role(role).is_some_and(|actions| actions.contains(&action))
        });
        by_role
            || self.privileges.iter().any(|privilege| {
                let actions = privilege.get_array("actions").map(Vec::as_slice).unwrap_or_default();
                actions
                    .iter()
                    .any(|it| it.as_str() == Some(action) || it.as_str() == Some("anyAction"))
                    && privilege
                        .get_document("resource")
                        .is_ok_and(|resource| covers(resource, need))
            })
    }
}

fn covers(resource: &Document, need: &Need) -> bool {
    if resource.get_bool("anyResource").unwrap_or(false) {
        return true;
    }
    let (Ok(db), Ok(collection)) = (resource.get_str("db"), resource.get_str("collection")) else {
        return false;
    };
    (db.is_empty() || db == need.db)
        && (collection.is_empty() || need.collection.as_deref() == Some(collection))
}

/// What MongoDB's built-in roles allow, of the actions that matter here.
fn actions_of_role(role: &str) -> Option<&'static [&'static str]> {
    const READ: &[&str] = &["find", "listCollections", "listIndexes", "collStats"];
    const WRITE: &[&str] = &[
        "find",
        "listCollections",
        "listIndexes",
        "collStats",
        "insert",
        "update",
        "remove",
        "createCollection",
        "createIndex",
    ];
    const ADMIN: &[&str] =
        &["listCollections", "listIndexes", "collStats", "createCollection", "createIndex"];
    match role {
        "read" | "readAnyDatabase" => Some(READ),
        "readWrite"
        | "readWriteAnyDatabase"
        | "dbOwner"
        | "root"
        | "__system"
        | "atlasAdmin"
        | "restore" => Some(WRITE),
        "dbAdmin" | "dbAdminAnyDatabase" => Some(ADMIN),
        "userAdmin"
        | "userAdminAnyDatabase"
        | "clusterMonitor"
        | "clusterAdmin"
        | "clusterManager"
        | "hostManager"
        | "enableSharding" => Some(&[]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_lacks_what_writing_needs() {
        let held = Held { roles: vec![("read".into(), "shop".into())], ..Held::default() };
        assert!(held.missing(&needs_of_source("shop", "jobs")).is_empty());
        assert_eq!(held.missing(&needs_of_source("other", "jobs")).len(), 2);
        let missing = held.missing(&needs_of_target("shop"));
        assert_eq!(missing.len(), 6, "{missing:?}");
        assert!(
            missing[0].contains("insert, remove, createCollection, createIndex on shop.novel_jobs")
        );
    }

    #[test]
    fn privileges_of_a_role_of_ones_own_are_enough() {
        let privileges = needs_of_target("shop")
            .iter()
            .map(|need| {
                let collection = need.collection.clone().unwrap_or_default();
                let actions: Vec<Bson> = need.actions.iter().map(|it| Bson::from(*it)).collect();
                doc! { "resource": { "db": "shop", "collection": collection }, "actions": actions }
            })
            .collect();
        let held = Held { privileges, ..Held::default() };
        assert!(held.missing(&needs_of_target("shop")).is_empty());
        assert!(!held.missing(&needs_of_target("other")).is_empty());
        let nobody = Held { unknown: true, ..Held::default() };
        assert!(nobody.missing(&needs_of_target("shop")).is_empty());
    }

    #[test]
    fn a_role_is_a_command_of_the_shell() {
        let role = create_role("reshelveSource", &needs_of_source("s", "jobs"));
        assert!(role.starts_with("db.getSiblingDB(\"admin\").createRole({"));
        assert!(
            role.contains("{ resource: { db: \"s\", collection: \"jobs\" }, actions: [\"find\"")
        );
    }
}
