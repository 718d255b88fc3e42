//! The first looks at a source: its inventory, and the status of every document.

use reshelve::dump::{self, OpenError};
use reshelve_core::raw::Document;

use crate::forms::FORMS;
use crate::helpers::{expected, parse, samples, small, small_archive, spec};

#[test]
fn inventories_agree() {
    let folder = dump::inspect(&spec(samples().join("dump"))).unwrap();
    assert_eq!(folder.server_version.as_deref(), Some("8.2.11"));
    let names: Vec<&str> = folder.collections.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["empty", "jobs", "sessions", "weird name/with%chars"]);
    let jobs = &folder.collections[1];
    assert_eq!((jobs.documents, jobs.document_bytes), (25, 498_963));
    assert_eq!(jobs.indexes[3].key, r#"{"status":1,"createdAt":-1}"#);
    for name in ["dump-gzip", "all.archive", "all.archive.gz", "dump-older", "older.archive"] {
        let other = dump::inspect(&spec(samples().join(name))).unwrap();
        assert_eq!(other.damage, None, "{name}");
        assert_eq!(other.collections.len(), 4, "{name}");
        for (one, two) in folder.collections.iter().zip(&other.collections) {
            assert_eq!((&one.db, &one.name), (&two.db, &two.name), "{name}");
            assert_eq!((one.documents, one.document_bytes), (two.documents, two.document_bytes));
            assert_eq!(one.indexes, two.indexes, "{name}");
            assert_eq!(two.damage, None, "{name}");
        }
    }
    let file = dump::inspect(&spec(samples().join("jobs.relaxed.jsonl"))).unwrap();
    assert_eq!((file.collections[0].name.as_str(), file.collections[0].documents), ("jobs", 25));
    assert!(serde_json::to_string(&file).unwrap().contains("\"auxiliary\":[]"));
}

#[test]
fn inventories_tell_damage_and_what_the_plan_asks() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("app");
    std::fs::create_dir(&db).unwrap();
    let jobs = small().concat();
    for name in ["jobs", "chapters", "novel_jobs", "settings"] {
        std::fs::write(db.join(format!("{name}.bson")), &jobs[..jobs.len() - 1]).unwrap();
    }
    let inventory = dump::inspect(&spec(folder.path())).unwrap();
    assert_eq!(inventory.auxiliary, ["app.chapters"]);
    assert_eq!(inventory.targets_present, ["app.novel_jobs"]);
    assert!(inventory.collections.iter().all(|it| it.documents == 3));
    let damage = inventory.collections[0].damage.as_deref().unwrap();
    assert!(damage.contains("truncated"), "{damage}");
}

#[test]
fn inventories_of_damaged_archives() {
    let (bytes, ends) = small_archive(&small());
    let file = tempfile::NamedTempFile::new().unwrap();
    for cut in 4..bytes.len() {
        std::fs::write(file.path(), &bytes[..cut]).unwrap();
        let inventory = dump::inspect(&spec(file.path())).unwrap();
        let there = ends.iter().filter(|end| **end <= cut).count();
        let jobs = inventory.collections.iter().find(|it| it.name == "jobs");
        let documents = jobs.map_or(0, |it| it.documents);
        assert_eq!(documents, u64::try_from(there).unwrap(), "cut at {cut}");
        let damage = jobs.and_then(|it| it.damage.as_ref()).or(inventory.damage.as_ref());
        assert!(damage.unwrap().contains("truncated"), "cut at {cut}");
    }
}

#[test]
fn statuses_are_found_in_every_form() {
    let field = |document: &Vec<u8>| {
        let status = Document::new(document).get("status");
        status.and_then(|it| it.string()).map(<[u8]>::to_vec)
    };
    let expected: Vec<_> = expected().iter().map(field).collect();
    assert!(expected.iter().any(Option::is_some));
    for (name, _) in FORMS {
        let mut statuses = Vec::new();
        let spec = spec(samples().join(name));
        dump::for_each_status(&spec, &mut |it| statuses.push(it.map(<[u8]>::to_vec))).unwrap();
        assert!(statuses == expected, "{name}");
    }
    let standard_input = dump::for_each_status(&spec("-"), &mut |_| {});
    assert!(matches!(standard_input, Err(OpenError::NotRewindable { .. })));
}

#[test]
fn statuses_behind_large_values_are_found() {
    let long = "x".repeat(10_000);
    let texts = [
        format!(r#"{{"a":"{long}","b":{{"c":["{long}"]}},"status":"one"}}"#),
        format!(
            r#"{{"r":{{"$regularExpression":{{"pattern":"{long}","options":""}}}},"status":"two"}}"#
        ),
        format!(r#"{{"status":"{long}"}}"#),
        format!(
            r#"{{"b":{{"$binary":{{"base64":"{}","subType":"00"}}}},"status":1}}"#,
            &long[..8000]
        ),
        format!(r#"{{"{long}":1,"status":"five","status":"six"}}"#),
        format!(r#"{{"a":{{"status":"no"}},"z":"{long}"}}"#),
        "{}".to_owned(),
    ];
    let mut bytes = Vec::new();
    for text in &texts {
        bytes.extend(parse(text.as_bytes()).unwrap());
    }
    bytes.extend([1, 2, 3]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let mut statuses = Vec::new();
    dump::for_each_status(&spec(file.path()), &mut |it| {
        statuses.push(it.map(|it| String::from_utf8(it.to_vec()).unwrap()));
    })
    .unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(statuses, [some("one"), some("two"), some(&long), None, some("five"), None, None]);
}
