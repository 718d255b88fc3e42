//! What the user of a connection may do.

use mongodb::bson::{Bson, Document, doc};

use super::Need;
use crate::connection::Connection;

/// What the user of a connection may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// `user@db`, of every user who is logged in.
    pub(crate) users: Vec<String>,
    roles: Vec<(String, String)>,
    privileges: Vec<Document>,
    /// Whether nothing more can be known: nobody is logged in, or the server does not explain a
    /// role.
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
    /// Asks what a custom role allows.
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

    /// Which of the needs are not allowed, in words; nothing if that cannot be known.
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

/// Which of the actions that matter here MongoDB's built-in roles allow.
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
    use crate::privileges::{needs_of_source, needs_of_target};

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
}
