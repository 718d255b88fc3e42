//! Runs those blocks of the pages that need a server, with the two variables that name one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/pages.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod pages;

use live::{Database, Server};
use pages::{Blocks, Shell};

/// A shell with the variables, and the databases that these name: one with the legacy collection,
/// and an empty one.
fn shell(server: &Server) -> (Shell, Database, Database) {
    let mut shell = Shell::new();
    let (legacy, target) = (server.database(), server.database());
    let (code, answer) = shell.run("reshelve generate dump --documents 200 --preset lifecycle");
    assert_eq!(code, 0, "{answer:?}");
    legacy.seed_file("jobs", &shell.folder().join("dump/letswriteabook/jobs.bson"));
    for (name, database) in [("LEGACY", &legacy), ("TARGET", &target)] {
        assert_eq!(shell.run(&format!("export {name}_MONGODB_URI='{}'", database.uri)).0, 0);
    }
    (shell, legacy, target)
}

#[test]
fn the_readme_moves_from_database_to_database() {
    let Some(server) = Server::shared() else { return };
    let (mut shell, _legacy, target) = shell(&server);
    shell.follow("README.md", Blocks::WithServer, 5);
    assert_eq!(target.count("novel_jobs"), 200);
}

#[test]
fn the_guide_moves_from_database_to_database() {
    let Some(server) = Server::shared() else { return };
    let (mut shell, _legacy, target) = shell(&server);
    shell.follow("docs/guide.md", Blocks::WithServer, 3);
    assert_eq!(target.count("novel_jobs"), 200);
}

/// Its target is the database here, where the page alone has a folder.
#[test]
fn the_runbook_leads_into_a_database() {
    let Some(server) = Server::shared() else { return };
    let (mut shell, legacy, target) = shell(&server);
    let shown = "export TARGET_MONGODB_URI=new";
    shell.replace(shown, &format!("export TARGET_MONGODB_URI='{}'", target.uri));
    shell.follow("docs/operations.md", Blocks::All, 25);
    assert!(!shell.folder().join("practice/new").exists());
    assert_eq!(target.count("novel_jobs"), 200);
    assert_eq!(legacy.count("jobs"), 200);
}
