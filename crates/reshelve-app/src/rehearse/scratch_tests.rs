//! What is left over is found by looking, and what is not the rehearsal's own is not removed.

use std::collections::BTreeMap;

use reshelve::store::{Disk, Files};

use super::*;

const DOCUMENT: &[u8] = b"\x0c\0\0\0\x10a\0\x01\0\0\0\0";
const RUN: &str = "20261128-120000000-abcdef";

/// A scratch as a rehearsal has it after its last run.
struct Scene {
    _folder: tempfile::TempDir,
    scratch: Scratch,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("scratch");
        let compression = Compression::None;
        let scratch = Scratch { root, is_new: true, is_own: true, compression, database: None };
        let scene = Scene { _folder: folder, scratch };
        for name in own_files(&scene.scratch.folder()) {
            scene.put(&format!("target/letswriteabook/{name}"), b"");
        }
        scene.put(&format!("runs/{RUN}/run.json"), b"{}");
        scene.put(&format!("runs/{RUN}/report/report.html"), b"");
        scene
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.scratch.root.join(name);
        Disk.create_folders(path.parent().unwrap()).unwrap();
        Disk.replace(&path, bytes).unwrap();
    }

    fn left_over(&self) -> Vec<String> {
        self.scratch.left_over(&self.scratch.folder()).unwrap()
    }

    fn remove(&self) -> Option<String> {
        self.scratch.remove(&BTreeMap::new(), &[RUN.to_owned()]).unwrap()
    }

    fn is_there(&self, name: &str) -> bool {
        Disk.exists(&self.scratch.root.join(name)).unwrap()
    }
}

#[test]
fn empty_files_are_nothing_that_is_left() {
    assert_eq!(Scene::new().left_over(), Vec::<String>::new());
}

#[test]
fn a_document_or_a_file_that_is_left_is_found() {
    for name in ["novel_jobs.bson", "novel_job_metadata.bson"] {
        let scene = Scene::new();
        scene.put(&format!("target/letswriteabook/{name}"), DOCUMENT);
        let collection = name.trim_end_matches(".bson");
        assert_eq!(scene.left_over(), [format!("{collection} holds documents")]);
    }
    for name in [".reshelve.lock", ".novel_jobs.bson.0123456789abcdef.tmp", "mine.txt"] {
        let scene = Scene::new();
        scene.put(&format!("target/letswriteabook/{name}"), b"");
        assert_eq!(scene.left_over().len(), 1, "{name}");
    }
    let scene = Scene::new();
    scene.put("target/other/novel_jobs.bson", b"");
    assert_eq!(scene.left_over().len(), 1);
}

#[test]
fn what_the_rehearsal_made_is_removed() {
    let scene = Scene::new();
    assert_eq!(scene.remove(), None);
    assert!(!Disk.exists(&scene.scratch.root).unwrap());
    // Nothing is there any more, and that is no error.
    assert_eq!(scene.remove(), None);
    let mut scene = Scene::new();
    scene.scratch.is_new = false;
    assert_eq!(scene.remove(), None);
    assert!(Disk.list(&scene.scratch.root).unwrap().is_empty(), "somebody else made the folder");
}

#[test]
fn with_anything_else_there_nothing_is_removed() {
    let others = [
        "mine.txt",
        "target/mine.txt",
        "target/other/novel_jobs.bson",
        "target/letswriteabook/mine.txt",
        "runs/mine.txt",
        "runs/20261128-120000000-fedcba/run.json",
    ];
    for name in others {
        let scene = Scene::new();
        scene.put(name, b"mine");
        let why = scene.remove();
        assert!(why.as_deref().is_some_and(|why| why.contains(" holds ")), "{name}: {why:?}");
        for kept in [name, "target/letswriteabook/novel_jobs.bson", &format!("runs/{RUN}/run.json")]
        {
            assert!(scene.is_there(kept), "{name}: {kept}");
        }
    }
}

#[test]
fn folders_that_hold_something_are_no_empty_folders() {
    let scene = Scene::new();
    assert!(scene.scratch.remove_folders().unwrap().is_some());
    assert!(scene.is_there("target/letswriteabook/novel_jobs.bson"));
}
