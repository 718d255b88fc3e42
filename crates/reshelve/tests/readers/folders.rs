//! Which collection is meant, and the message if that is not clear.

use reshelve::dump::{self, OpenError};
use reshelve::ends::{BatchLimits, Hint, SourceSpec};

use crate::helpers::{drain, gzip, samples, small, spec, zstd};

#[test]
fn folders_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let jobs = small().concat();
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    assert!(matches!(dump::open(&spec(root.join("nowhere"))), Err(OpenError::NotFound { .. })));
    assert!(matches!(dump::open(&spec(root)), Err(OpenError::NoDump { .. })));
    write("oplog.bson", &jobs);
    write("one/jobs.bson", &jobs);
    write("one/system.views.bson", &jobs);
    write("one/jobs.metadata.json", b"not json");
    let opened = dump::open(&spec(root)).unwrap();
    assert_eq!(opened.description.namespace, Some(("one".into(), "jobs".into())));
    write("two/jobs.bson.zst", &zstd(&jobs));
    write("two/short%24hash.bson", &jobs);
    write("two/short%24hash.metadata.json", br#"{"indexes":[],"collectionName":"the long name"}"#);
    write("two/view.metadata.json", br#"{"options":{"viewOn":"jobs"},"type":"view"}"#);
    let error = dump::open(&spec(root)).unwrap_err();
    let OpenError::SeveralDatabases { databases, .. } = &error else { panic!("{error}") };
    assert_eq!(databases, &["one", "two"]);
    assert_eq!(error.hint(), Some(Hint::ChooseADatabase));
    let pick = |db: &str, collection: &str| {
        let spec = SourceSpec {
            path: root.to_owned(),
            db: Some(db.to_owned()),
            collection: Some(collection.to_owned()),
            ..SourceSpec::default()
        };
        dump::open(&spec).map(|mut it| drain(it.source.as_mut(), BatchLimits::default()).0.len())
    };
    assert_eq!(pick("two", "jobs").unwrap(), 4);
    assert_eq!(pick("two", "the long name").unwrap(), 4);
    assert!(matches!(pick("two", "view"), Err(OpenError::NotASource { .. })));
    let error = pick("two", "novels").unwrap_err().to_string();
    assert!(error.contains("one.jobs, two.jobs, two.the long name, two.view"), "{error}");
    write("one/jobs.bson.gz", &gzip(&jobs));
    assert!(matches!(pick("one", "jobs"), Err(OpenError::TwoFiles { .. })));
}

#[test]
fn other_collections_of_the_samples() {
    for name in
        ["dump", "dump-gzip", "dump-older", "all.archive", "all.archive.gz", "older.archive"]
    {
        for (collection, count) in [("jobs", 25), ("empty", 0), ("weird name/with%chars", 1)] {
            let spec = SourceSpec {
                path: samples().join(name),
                db: Some("letswriteabook".to_owned()),
                collection: Some(collection.to_owned()),
                ..SourceSpec::default()
            };
            let mut opened = dump::open(&spec).unwrap();
            let (documents, damage) = drain(opened.source.as_mut(), BatchLimits::default());
            assert!(damage.is_none(), "{name} {collection}: {damage:?}");
            assert_eq!(documents.len(), count, "{name} {collection}");
        }
        let mut missing = spec(samples().join(name));
        missing.collection = Some("nothing".to_owned());
        let error = dump::open(&missing).unwrap_err().to_string();
        assert!(error.contains("letswriteabook.sessions"), "{error}");
    }
}
