//! The privileges that are needed, and a role that has them.

use reshelve_core::mapping::COLLECTIONS;
use serde::Serialize;

use crate::target::{RUNS, UNDO};

/// Actions on one collection, or on a database if no collection is named.
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

/// What reading a legacy collection requires.
pub fn needs_of_source(db: &str, collection: &str) -> Vec<Need> {
    vec![
        Need::new(db, None, &["listCollections"]),
        Need::new(db, Some(collection), &["find", "collStats", "listIndexes"]),
    ]
}

/// What writing a target requires, including its indexes.
pub fn needs_of_target(db: &str) -> Vec<Need> {
    const WRITE: [&str; 7] =
        ["find", "insert", "remove", "collStats", "listIndexes", "createCollection", "createIndex"];
    let mut needs = vec![Need::new(db, None, &["listCollections"])];
    needs.extend(COLLECTIONS.map(|name| Need::new(db, Some(name), &WRITE)));
    needs.push(Need::new(db, Some(RUNS), &["find", "insert", "update", "remove"]));
    needs.push(Need::new(db, Some(UNDO), &["find", "insert", "remove"]));
    needs
}

/// A role with exactly these privileges, as a command for `mongosh`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_command_of_the_shell() {
        let role = create_role("reshelveSource", &needs_of_source("s", "jobs"));
        assert!(role.starts_with("db.getSiblingDB(\"admin\").createRole({"));
        assert!(
            role.contains("{ resource: { db: \"s\", collection: \"jobs\" }, actions: [\"find\"")
        );
    }
}
