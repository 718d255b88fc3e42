//! The content of an in-memory file system: what its users see, and what is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The number of a file or a folder; never used twice.
pub(super) type NodeId = u64;

/// The folder that holds everything.
const ROOT: NodeId = 0;

/// Files and folders, and what of them is durable.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) nodes: BTreeMap<NodeId, Node>,
    next: NodeId,
    /// Changes of names that are not durable yet, in order.
    pub(super) renamings: Vec<Renaming>,
}

/// A file or a folder.
#[derive(Clone, Debug)]
pub(super) enum Node {
    File(FileNode),
    Folder(FolderNode),
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileNode {
    pub(super) content: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// The changes that turn the durable content into the visible one, in order.
    pub(super) unsynced: Vec<Change>,
}

/// A folder.
#[derive(Clone, Debug, Default)]
pub(super) struct FolderNode {
    pub(super) names: BTreeMap<OsString, NodeId>,
    pub(super) durable: BTreeMap<OsString, NodeId>,
}

/// A change of a file's content.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLength(usize),
}

impl Change {
    pub(super) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Change::SetLength(length) => content.resize(*length, 0),
        }
    }
}

/// Names that change in one step: folder, name, and what it names from then on.
#[derive(Clone, Debug)]
pub(super) struct Renaming(pub(super) Vec<(NodeId, OsString, Option<NodeId>)>);

impl Renaming {
    pub(super) fn is_in(&self, folders: &BTreeSet<NodeId>) -> bool {
        self.0.iter().any(|(folder, _, _)| folders.contains(folder))
    }

    pub(super) fn folders(&self) -> impl Iterator<Item = NodeId> {
        self.0.iter().map(|(folder, _, _)| *folder)
    }
}

impl Default for Image {
    fn default() -> Self {
        let root = Node::Folder(FolderNode::default());
        Image { nodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1, renamings: Vec::new() }
    }
}

impl Image {
    /// The file or folder at a path; relative paths begin at the root too.
    pub(super) fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut found = ROOT;
        for name in names_in(path) {
            found = *self.folder(found)?.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(found)
    }

    /// The folder that a path is in, and the name it has there.
    pub(super) fn find_parent(&self, path: &Path) -> io::Result<(NodeId, OsString)> {
        let mut names = names_in(path);
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let mut found = ROOT;
        for name in names {
            found = *self.folder(found)?.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        self.folder(found)?;
        Ok((found, name.to_owned()))
    }

    pub(super) fn file(&self, node: NodeId) -> io::Result<&FileNode> {
        match self.nodes.get(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn file_mut(&mut self, node: NodeId) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn folder(&self, node: NodeId) -> io::Result<&FolderNode> {
        match self.nodes.get(&node) {
            Some(Node::Folder(folder)) => Ok(folder),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Adds a file or a folder under a name that is free.
    pub(super) fn add(&mut self, folder: NodeId, name: OsString, node: Node) -> NodeId {
        let id = self.next;
        self.next += 1;
        self.nodes.insert(id, node);
        self.change_names(Renaming(vec![(folder, name, Some(id))]));
        id
    }

    /// Removes a name; what it names stays for those who have it open.
    pub(super) fn remove(&mut self, folder: NodeId, name: OsString) {
        self.change_names(Renaming(vec![(folder, name, None)]));
    }

    /// The change that a renaming makes; `None` if both names are those of one file already.
    pub(super) fn plan_rename(&self, from: &Path, to: &Path) -> io::Result<Option<Renaming>> {
        let (from_folder, from_name) = self.find_parent(from)?;
        let (to_folder, to_name) = self.find_parent(to)?;
        let names = &self.folder(from_folder)?.names;
        let node = *names.get(&from_name).ok_or(io::ErrorKind::NotFound)?;
        let is_folder = self.folder(node).is_ok();
        if is_folder && names_in(to).starts_with(&names_in(from)) && from != to {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        match self.folder(to_folder)?.names.get(&to_name) {
            Some(there) if *there == node => return Ok(None),
            Some(there) => match (is_folder, self.folder(*there)) {
                (false, Ok(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                (true, Err(error)) => return Err(error),
                (true, Ok(folder)) if !folder.names.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                _ => {}
            },
            None => {}
        }
        let step = vec![(from_folder, from_name, None), (to_folder, to_name, Some(node))];
        Ok(Some(Renaming(step)))
    }

    pub(super) fn change_names(&mut self, renaming: Renaming) {
        for (folder, name, node) in &renaming.0 {
            if let Some(Node::Folder(folder)) = self.nodes.get_mut(folder) {
                set_name(&mut folder.names, name, *node);
            }
        }
        self.renamings.push(renaming);
    }

    /// Makes the names in a folder durable, and with them what changed in other folders in the same
    /// step, or before it.
    pub(super) fn sync_names(&mut self, folder: NodeId) {
        let mut folders = BTreeSet::from([folder]);
        let mut synced = vec![false; self.renamings.len()];
        for (renaming, synced) in self.renamings.iter().zip(&mut synced).rev() {
            if renaming.is_in(&folders) {
                folders.extend(renaming.folders());
                *synced = true;
            }
        }
        let mut rest = Vec::new();
        for (renaming, synced) in std::mem::take(&mut self.renamings).into_iter().zip(synced) {
            if synced {
                self.make_durable(&renaming);
            } else {
                rest.push(renaming);
            }
        }
        self.renamings = rest;
    }

    pub(super) fn make_durable(&mut self, renaming: &Renaming) {
        for (folder, name, node) in &renaming.0 {
            if let Some(Node::Folder(folder)) = self.nodes.get_mut(folder) {
                set_name(&mut folder.durable, name, *node);
            }
        }
    }

    /// The content of every file that has a name, by path.
    pub(super) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let mut folders = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, folder)) = folders.pop() {
            let Ok(folder) = self.folder(folder) else { continue };
            for (name, node) in &folder.names {
                match self.nodes.get(node) {
                    Some(Node::File(file)) => {
                        contents.insert(path.join(name), file.content.clone());
                    }
                    _ => folders.push((path.join(name), *node)),
                }
            }
        }
        contents
    }
}

fn set_name(names: &mut BTreeMap<OsString, NodeId>, name: &OsString, node: Option<NodeId>) {
    match node {
        Some(node) => names.insert(name.clone(), node),
        None => names.remove(name),
    };
}

fn names_in(path: &Path) -> Vec<&OsStr> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::ParentDir => drop(names.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    names
}
