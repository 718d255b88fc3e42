//! Both file systems do the same: the one in memory can stand for the real one in tests.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// Runs a test on either file system, in a folder that is empty.
fn on_both(test: impl Fn(&dyn Files, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    test(&Disk, folder.path());
    test(&Memory::new(), Path::new("/"));
}

fn kind_of<T>(result: Result<T, DiskError>) -> std::io::ErrorKind {
    result.map(drop).unwrap_err().source.kind()
}

fn text(files: &dyn Files, path: &Path) -> String {
    String::from_utf8(files.read(path, 1_000).unwrap()).unwrap()
}

#[test]
fn a_file_is_opened_as_told() {
    on_both(|files, folder| {
        let path = folder.join("file");
        assert_eq!(kind_of(files.open(&path, Open::Read)), std::io::ErrorKind::NotFound);
        files.open(&path, Open::New).unwrap().put(b"one two").unwrap();
        assert_eq!(kind_of(files.open(&path, Open::New)), std::io::ErrorKind::AlreadyExists);
        let mut file = files.open(&path, Open::Write).unwrap();
        file.put(b"ONE").unwrap();
        assert_eq!(text(files, &path), "ONE two");
        file.seek(SeekFrom::End(-3)).unwrap();
        let mut other = file.try_clone().unwrap();
        let mut end = String::new();
        other.read_to_string(&mut end).unwrap();
        assert_eq!(end, "two");
        // Clones have one position.
        file.put(b"!").unwrap();
        file.write_all_at(b"22", 1).unwrap();
        let mut bytes = [0; 3];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"O22");
        assert!(file.read_exact_at(&mut bytes, 6).is_err());
        assert_eq!(text(files, &path), "O22 two!");
        file.set_length(10).unwrap();
        assert_eq!(file.length().unwrap(), 10);
        assert_eq!(text(files, &path), "O22 two!\0\0");
        assert!(files.open(&path, Open::Read).unwrap().put(b"x").is_err());
        assert_eq!(kind_of(files.read(&path, 9)), std::io::ErrorKind::FileTooLarge);
    });
}

#[test]
fn what_is_appended_goes_to_the_end_as_it_is_then() {
    on_both(|files, folder| {
        let path = folder.join("file");
        let mut file = files.open_at(&path, 0).unwrap();
        file.put(b"one ").unwrap();
        // Somebody else writes, and cuts.
        files.open(&path, Open::Append).unwrap().put(b"foreign ").unwrap();
        file.put(b"two ").unwrap();
        assert_eq!(text(files, &path), "one foreign two ");
        assert!(files.expect_there(file.as_ref(), 16).is_ok());
        files.open(&path, Open::Write).unwrap().set_length(2).unwrap();
        file.put(b"three").unwrap();
        assert_eq!(text(files, &path), "onthree");
        let missing = files.expect_there(file.as_ref(), 21).unwrap_err();
        assert!(missing.to_string().contains("cut to 7 bytes"), "{missing}");
        files.remove_file(&path).unwrap();
        assert!(files.expect_there(file.as_ref(), 0).is_err());
        files.replace(&path, b"another").unwrap();
        assert!(files.expect_there(file.as_ref(), 0).is_err());
    });
}

#[test]
fn a_file_is_opened_at_a_length_or_refused() {
    on_both(|files, folder| {
        let path = folder.join("file");
        files.open_at(&path, 0).unwrap().put(b"0123456789").unwrap();
        files.open_at(&path, 4).unwrap().put(b"x").unwrap();
        assert_eq!(text(files, &path), "0123x");
        let error = files.open_at(&path, 6).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("resuming {}: it has 5 bytes, and 6 had been written", path.display())
        );
        assert_eq!(text(files, &path), "0123x");
    });
}

#[test]
fn folders_are_created_listed_and_removed() {
    on_both(|files, folder| {
        let deep = folder.join("one/two/three");
        files.create_folders(&deep).unwrap();
        files.create_folders(&deep).unwrap();
        assert!(files.is_folder(&deep).unwrap());
        for name in ["b", "a"] {
            files.open(&folder.join("one").join(name), Open::New).unwrap();
        }
        assert_eq!(files.list(&folder.join("one")).unwrap(), ["a", "b", "two"]);
        let under_file = folder.join("one/a/x");
        assert_eq!(kind_of(files.create_folders(&under_file)), std::io::ErrorKind::NotADirectory);
        assert_eq!(files.look(&under_file).unwrap(), None);
        assert!(files.free_bytes(&folder.join("not/there")).unwrap() > 0);
        files.remove_folder(&folder.join("one")).unwrap();
        assert!(!files.exists(&folder.join("one")).unwrap());
        assert!(files.list(folder).unwrap().is_empty());
    });
}

#[test]
fn an_open_file_tells_whether_it_is_still_there() {
    on_both(|files, folder| {
        let path = folder.join("file");
        let file = files.open(&path, Open::New).unwrap();
        assert!(files.is_still_there(file.as_ref()).unwrap());
        files.replace(&path, b"another").unwrap();
        assert!(!files.is_still_there(file.as_ref()).unwrap());
        let file = files.open(&path, Open::Read).unwrap();
        files.remove_file(&path).unwrap();
        assert!(!files.is_still_there(file.as_ref()).unwrap());
    });
}

#[test]
fn a_lock_keeps_others_out_until_its_last_handle_is_closed() {
    on_both(|files, folder| {
        let path = folder.join("lock");
        let open = || files.open(&path, Open::Write).unwrap();
        let (one, other) = (open(), open());
        assert_eq!(one.try_lock().unwrap(), Locking::Obtained);
        assert_eq!(one.try_lock().unwrap(), Locking::Obtained);
        assert_eq!(other.try_lock().unwrap(), Locking::HeldByAnother);
        assert_eq!(other.try_lock_shared().unwrap(), Locking::HeldByAnother);
        let clone = one.try_clone().unwrap();
        drop(one);
        assert_eq!(other.try_lock().unwrap(), Locking::HeldByAnother);
        drop(clone);
        assert_eq!(other.try_lock_shared().unwrap(), Locking::Obtained);
        assert_eq!(open().try_lock_shared().unwrap(), Locking::Obtained);
        assert_eq!(open().try_lock().unwrap(), Locking::HeldByAnother);
    });
}

#[test]
fn a_file_without_a_name_is_written_and_read() {
    on_both(|files, folder| {
        let mut file = files.unnamed(folder).unwrap();
        assert!(files.list(folder).unwrap().is_empty());
        file.put(b"hidden").unwrap();
        file.rewind().unwrap();
        let mut bytes = [0; 6];
        file.fill(&mut bytes).unwrap();
        assert_eq!(&bytes, b"hidden");
    });
}

#[test]
fn a_replacement_that_is_given_up_leaves_nothing() {
    on_both(|files, folder| {
        let path = folder.join("file");
        files.replace(&path, b"old").unwrap();
        let mut replacement = Replacement::begin(files, &path).unwrap();
        write!(replacement, "new").unwrap();
        assert_eq!(files.list(folder).unwrap().len(), 2);
        drop(replacement);
        assert_eq!(files.list(folder).unwrap(), ["file"]);
        assert_eq!(text(files, &path), "old");
    });
}

#[test]
fn leftovers_are_removed_and_nothing_else() {
    on_both(|files, folder| {
        std::mem::forget(Replacement::begin(files, &folder.join("file.json")).unwrap());
        assert_eq!(files.list(folder).unwrap().len(), 1);
        let others = [".file.tmp", ".hidden", "file.0123456789abcdef.tmp", "file.json"];
        for name in others {
            files.open(&folder.join(name), Open::New).unwrap();
        }
        files.remove_leftovers(folder).unwrap();
        assert_eq!(files.list(folder).unwrap(), others);
    });
}

#[test]
fn no_link_is_followed_where_a_file_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    symlink(&target, &link).unwrap();
    assert_eq!(kind_of(Disk.open(&link, Open::New)), std::io::ErrorKind::AlreadyExists);
    Disk.replace(&link, b"bytes").unwrap();
    assert!(!Disk.exists(&target).unwrap());
    assert_eq!(text(&Disk, &link), "bytes");
}

#[test]
fn a_full_disk_can_be_told() {
    let memory = Memory::new();
    memory.fail_at(1, Fault::DiskFull);
    let path = Path::new("/file");
    let mut file = memory.open(path, Open::New).unwrap();
    assert!(file.put(b"0123456789").unwrap_err().is_full());
    assert_eq!(text(&memory, path), "01234", "it takes what it has room for");
    assert!(memory.open(Path::new("/other"), Open::New).unwrap_err().is_full());
    file.set_length(0).unwrap();
    memory.remove_file(path).unwrap();
    assert!(memory.look(path).unwrap().is_none());
}

/// What the property test does to both file systems.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, Open, Vec<u8>),
    OpenAt(usize, u64),
    CreateFolder(usize),
    CreateFolders(usize),
    Rename(usize, usize),
    RemoveFile(usize),
    RemoveFolder(usize),
    Replace(usize, Vec<u8>),
    SyncFolder(usize),
}

const PATHS: [&str; 7] = ["a", "b", "a/x", "a/y", "b/x", "a/x/z", "b/x/z"];

fn step() -> impl Strategy<Value = Step> {
    let path = || 0..PATHS.len();
    let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
    let how = prop_oneof![Just(Open::Read), Just(Open::New), Just(Open::Write)];
    prop_oneof![
        (path(), how, bytes()).prop_map(|(path, how, bytes)| Step::Write(path, how, bytes)),
        (path(), 0..4u64).prop_map(|(path, length)| Step::OpenAt(path, length)),
        path().prop_map(Step::CreateFolder),
        path().prop_map(Step::CreateFolders),
        (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        path().prop_map(Step::RemoveFile),
        path().prop_map(Step::RemoveFolder),
        (path(), bytes()).prop_map(|(path, bytes)| Step::Replace(path, bytes)),
        path().prop_map(Step::SyncFolder),
    ]
}

fn take(files: &dyn Files, root: &Path, step: &Step) -> Result<(), DiskError> {
    let at = |path: &usize| root.join(PATHS[*path]);
    match step {
        Step::Write(path, Open::Read, _) => files.read(&at(path), 1_000).map(drop),
        Step::Write(path, how, bytes) => files.open(&at(path), *how)?.put(bytes),
        Step::OpenAt(path, length) => files.open_at(&at(path), *length).map(drop),
        Step::CreateFolder(path) => files.create_folder(&at(path)),
        Step::CreateFolders(path) => files.create_folders(&at(path)),
        Step::Rename(from, to) => files.rename(&at(from), &at(to)),
        Step::RemoveFile(path) => files.remove_file(&at(path)),
        Step::RemoveFolder(path) => files.remove_folder(&at(path)),
        Step::Replace(path, bytes) => files.replace(&at(path), bytes),
        Step::SyncFolder(path) if files.is_folder(&at(path))? => files.sync_folder(&at(path)),
        Step::SyncFolder(_) => Ok(()),
    }
}

/// Everything that is there: folders without content, files with theirs.
fn tree(files: &dyn Files, root: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut tree = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for name in files.list(&root.join(&folder)).unwrap() {
            let inside = folder.join(name);
            let path = root.join(&inside);
            let found = files.look(&path).unwrap().unwrap();
            if found.kind == Kind::Folder {
                folders.push(inside.clone());
                tree.push((inside, None));
            } else {
                let bytes = files.read(&path, 1_000).unwrap();
                assert_eq!(u64::try_from(bytes.len()).unwrap(), found.length);
                tree.push((inside, Some(bytes)));
            }
        }
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn memory_does_what_the_disk_does(steps in proptest::collection::vec(step(), 1..24)) {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new();
        for step in &steps {
            let on_disk = take(&Disk, folder.path(), step);
            let in_memory = take(&memory, Path::new("/"), step);
            prop_assert_eq!(on_disk.is_ok(), in_memory.is_ok(), "{:?} {:?}", on_disk, in_memory);
        }
        let expected = tree(&Disk, folder.path());
        prop_assert_eq!(&tree(&memory, Path::new("/")), &expected);
        // Nothing is lost where everything was made durable.
        memory.settle();
        prop_assert_eq!(&tree(&memory.crash(Keep::Durable), Path::new("/")), &expected);
        prop_assert_eq!(&tree(&memory.crash(Keep::Mixed(7)), Path::new("/")), &expected);
    }
}
