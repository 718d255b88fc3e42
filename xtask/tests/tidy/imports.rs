//! Which folder may import which: the table of `rooms.rs` against the code, and against the map in
//! `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::paths::{self, Named};
use crate::rooms::{CORE_DEPENDS_ON, ONLY_IN, ROOMS, Room};
use crate::sources::{Source, rust_files};
use crate::{assert_none, root};

/// The lines between which the map stands.
const MAP_BEGINS: &str = "<!-- map: written from xtask/tests/tidy/rooms.rs, tested against it -->";
const MAP_ENDS: &str = "<!-- end of the map -->";

/// Where one room names another.
struct Import {
    from: &'static Room,
    to: &'static str,
    place: String,
    path: String,
}

fn position(name: &str) -> Option<usize> {
    ROOMS.iter().position(|room| room.name() == name)
}

fn room_of(source: &Source) -> Option<&'static Room> {
    ROOMS.iter().find(|room| source.path.starts_with(&room.source_folder()))
}

/// The names by which code calls the crates of the workspace.
fn crate_names() -> BTreeSet<String> {
    ROOMS.iter().map(Room::crate_name).collect()
}

/// The module that a file is: `dump`, `archive` for `src/dump/archive.rs`.
fn module(source: &Source) -> Vec<String> {
    let (_, inside) = source.path.split_once("/src/").unwrap();
    let inside = inside.strip_suffix(".rs").unwrap();
    let mut module: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The path from the root of its crate, where it begins with `crate` or `super`; the crate's name
/// stays in front of any other.
fn resolved(named: &Named, own_crate: &str, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = &named.segments[..];
    match rest[0].as_str() {
        "crate" => {
            base.clear();
            rest = &rest[1..];
        }
        "super" => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        _ => return named.segments.clone(),
    }
    let mut path = vec![own_crate.to_owned()];
    path.extend(base);
    path.extend(rest.iter().cloned());
    path
}

/// The name of the room that a path leads to; a sentence where it leads to none.
fn destination(path: &[String]) -> Result<&'static str, String> {
    let in_crate = || ROOMS.iter().filter(|room| room.crate_name() == path[0]);
    if let Some(room) = in_crate().find(|room| room.is_crate()) {
        return Ok(room.name());
    }
    let folder = path.get(1).map_or("", String::as_str);
    match in_crate().find(|room| room.name() == folder) {
        Some(room) => Ok(room.name()),
        None => Err(format!("`{}` leads to no folder of the map", path.join("::"))),
    }
}

/// Every import of one room by another, and what cannot be told.
fn imports() -> (Vec<Import>, Vec<String>) {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    let crates = crate_names();
    let mut first: Vec<&str> = crates.iter().map(String::as_str).collect();
    first.extend(["crate", "super"]);
    for source in rust_files().iter().filter(|source| source.is_in_crate()) {
        let room = room_of(source);
        if room.is_none() && !source.path.ends_with("/src/lib.rs") {
            odd.push(format!("{}: belongs to no folder of the map", source.path));
        }
        let (Some(from), module) = (room, module(source)) else { continue };
        for named in paths::paths(&source.shipped(), &first) {
            let path = resolved(&named, &from.crate_name(), &module);
            let place = format!("{}:{}", source.path, named.line);
            match destination(&path) {
                Ok(to) if to == from.name() => {}
                Ok(to) => found.push(Import { from, to, place, path: named.text() }),
                Err(sentence) => odd.push(format!("{place}: {sentence}")),
            }
        }
    }
    (found, odd)
}

#[test]
fn the_table_is_sound() {
    let mut names = BTreeSet::new();
    for (at, room) in ROOMS.iter().enumerate() {
        let name = room.name();
        assert!(names.insert(name), "two rooms are called {name}");
        assert!(root().join(room.source_folder()).is_dir(), "{} is not there", room.folder);
        for import in room.may_import {
            let other = position(import);
            let Some(other) = other else { panic!("{name} may import {import}, which is no room") };
            assert!(other < at, "{name} may import {import}, which stands below it");
        }
        let mut sorted = room.may_import.to_vec();
        sorted.sort_by_key(|import| position(import));
        assert_eq!(room.may_import, sorted, "{name}: imports stand in the order of the rooms");
    }
}

#[test]
fn every_import_is_allowed() {
    const SHOWN_MAX: usize = 5;
    let (found, mut offenders) = imports();
    let mut forbidden: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for Import { from, to, place, path } in &found {
        if !from.may_import.contains(to) {
            let places = forbidden.entry((from.name(), to)).or_default();
            places.push(format!("{place}: {} may not import {to} (`{path}`)", from.name()));
        }
    }
    for (mut places, (from, to)) in forbidden.into_iter().map(|(pair, places)| (places, pair)) {
        let more = places.len().saturating_sub(SHOWN_MAX);
        places.truncate(SHOWN_MAX);
        offenders.extend(places);
        if more > 0 {
            offenders.push(format!("… and {more} more of {from} importing {to}"));
        }
    }
    assert_none("imports that the map in xtask/tests/tidy/rooms.rs does not allow", &offenders);
}

#[test]
fn nothing_is_allowed_that_is_not_needed() {
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Import { from, to, .. } in imports().0 {
        used.entry(from.name()).or_default().insert(to);
    }
    let none = BTreeSet::new();
    let mut offenders = Vec::new();
    for room in ROOMS {
        let used = used.get(room.name()).unwrap_or(&none);
        for import in room.may_import.iter().filter(|&import| !used.contains(import)) {
            offenders.push(format!("{} does not import {import}", room.name()));
        }
    }
    assert_none("remove these from the map in xtask/tests/tidy/rooms.rs", &offenders);
}

/// The table as Markdown.
fn map() -> String {
    let mut text =
        String::from("| folder in `crates/` | what is in it | imports |\n|---|---|---|\n");
    for room in ROOMS {
        let imports: Vec<String> =
            room.may_import.iter().map(|import| format!("`{import}`")).collect();
        let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
        text += &format!("| `{}` | {} | {imports} |\n", room.folder, room.purpose);
    }
    text
}

#[test]
fn the_map_in_the_architecture_is_the_tested_one() {
    let path = root().join("ARCHITECTURE.md");
    let text = fs::read_to_string(&path).unwrap();
    let parts = text
        .split_once(MAP_BEGINS)
        .and_then(|(before, rest)| Some((before, rest.split_once(MAP_ENDS)?)));
    let Some((before, (shown, after))) = parts else {
        panic!("ARCHITECTURE.md has no map between `{MAP_BEGINS}` and `{MAP_ENDS}`");
    };
    if std::env::var_os("UPDATE_MAP").is_some() {
        let new = format!("{before}{MAP_BEGINS}\n\n{}\n{MAP_ENDS}{after}", map());
        fs::write(&path, new).unwrap();
        return;
    }
    assert_eq!(
        shown.trim(),
        map().trim(),
        "UPDATE_MAP=1 cargo test --package xtask --test tidy map: writes it anew"
    );
}

/// The names under `[dependencies]` in the manifest of a crate.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("crates").join(folder).join("Cargo.toml"));
    let manifest = manifest.unwrap();
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap_or(("", ""));
    rest.lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(|line| line.split(['.', ' ', '=']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn heavy_dependencies_have_known_users() {
    let mut offenders = Vec::new();
    let crates: BTreeSet<String> =
        ROOMS.iter().map(|room| room.crate_name().replace('_', "-")).collect();
    for folder in &crates {
        for dependency in dependencies(folder) {
            let known = ONLY_IN.iter().find(|(name, _)| *name == dependency);
            if let Some((name, users)) = known.filter(|(_, users)| !users.contains(&&folder[..])) {
                let users = users.join(" and ");
                offenders.push(format!("{folder} depends on {name}, which is for {users} alone"));
            }
        }
    }
    let uses = ONLY_IN.iter().flat_map(|(name, users)| users.iter().map(move |user| (name, user)));
    for (name, user) in uses {
        if !dependencies(user).iter().any(|dependency| dependency == name) {
            offenders.push(format!("{user} does not depend on {name}: remove it from ONLY_IN"));
        }
    }
    assert_none("dependencies in the wrong crate", &offenders);
}

#[test]
fn the_core_depends_on_little() {
    assert_eq!(dependencies("reshelve-core"), CORE_DEPENDS_ON, "CORE_DEPENDS_ON in rooms.rs");
}

#[test]
fn paths_are_resolved() {
    let module: Vec<String> = ["dump", "archive"].map(str::to_owned).to_vec();
    for (path, expected) in [
        ("crate::run::Plan", "reshelve::run::Plan"),
        ("super::content::Content", "reshelve::dump::content::Content"),
        ("super::super::store::files", "reshelve::store::files"),
        ("reshelve_core::raw", "reshelve_core::raw"),
    ] {
        let segments = path.split("::").map(str::to_owned).collect();
        let named = Named { line: 1, segments };
        assert_eq!(resolved(&named, "reshelve", &module).join("::"), expected);
    }
}
