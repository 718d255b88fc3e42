//! The paths of a profile: which are distinguished, and how each leads to the paths below it.
//!
//! Each path has one node, whatever way leads to it: a name with a dot in it and a document inside
//! a document may meet at the same path. The way from a node to the next is a link, which is found
//! by its place: stored documents nearly always have their fields in the same order. Text is only
//! built when a link is new.

use std::collections::HashMap;

use super::known;

/// How many paths are distinguished; the rest are counted together, as [`OTHER`].
pub const PATHS_MAX: usize = 10_000;
/// How long a distinguished path may be, in bytes.
pub const PATH_BYTES_MAX: usize = 4_096;
/// How many bytes all distinguished paths may have together.
pub const PATHS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The path of everything that is not distinguished.
pub const OTHER: &str = "<other>";
/// How many links are remembered. Only names with dots make more links than paths.
const LINKS_MAX: usize = 2 * PATHS_MAX;
/// How many links after the expected one are tried before the name is looked up.
const TRIES: usize = 4;

/// Where the walk is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// The document itself.
    Root,
    /// At a distinguished path.
    Node(usize),
    /// At a path that is not distinguished, but short enough that a path below it might be: another
    /// way may have led there before, by a name with dots.
    Other(Box<[u8]>),
    /// At a path that is too long, as are all paths below it.
    Beyond,
}

/// A distinguished path, and what is counted there.
#[derive(Debug, Default)]
pub(super) struct Node<T> {
    pub(super) path: Box<[u8]>,
    /// The node above, by the way that led here first.
    pub(super) parent: Option<usize>,
    /// Whether its names are data.
    pub(super) is_map: bool,
    links: Links,
    /// The elements of its arrays; if it is a map, of its documents.
    inside: Option<usize>,
    pub(super) counts: T,
}

/// The ways from a document to its fields, in the order in which they were met.
#[derive(Debug, Default)]
struct Links {
    list: Vec<(Box<[u8]>, usize)>,
    by_name: HashMap<Box<[u8]>, usize>,
}

/// The distinguished paths, within their bounds.
#[derive(Debug)]
pub(super) struct Paths<T> {
    nodes: Vec<Node<T>>,
    by_path: HashMap<Box<[u8]>, usize>,
    root: Links,
    links: usize,
    link_bytes: usize,
    /// Distinguished paths, and their bytes.
    paths: usize,
    path_bytes: usize,
    other: Option<usize>,
    paths_max: usize,
}

impl<T: Default> Paths<T> {
    /// Distinguishes at most `paths_max` paths.
    pub(super) fn new(paths_max: usize) -> Self {
        Paths {
            nodes: Vec::new(),
            by_path: HashMap::new(),
            root: Links::default(),
            links: 0,
            link_bytes: 0,
            paths: 0,
            path_bytes: 0,
            other: None,
            paths_max,
        }
    }

    /// All nodes, in the order in which they were met.
    pub(super) fn nodes(&self) -> &[Node<T>] {
        &self.nodes
    }

    pub(super) fn node(&self, node: usize) -> &Node<T> {
        &self.nodes[node]
    }

    pub(super) fn counts(&mut self, node: usize) -> &mut T {
        &mut self.nodes[node].counts
    }

    /// Whether a node is the one of all paths that are not distinguished.
    pub(super) fn is_other(&self, node: usize) -> bool {
        self.other == Some(node)
    }

    /// The place that a name leads to.
    #[inline]
    pub(super) fn named(
        &mut self,
        parent: Option<usize>,
        name: &[u8],
        expected: &mut usize,
    ) -> Place {
        let links = match parent {
            Some(node) => &self.nodes[node].links,
            None => &self.root,
        };
        let near = links.list.iter().enumerate().skip(*expected).take(TRIES);
        for (at, (linked, node)) in near {
            if **linked == *name {
                *expected = at + 1;
                return Place::Node(*node);
            }
        }
        if let Some(at) = links.by_name.get(name) {
            *expected = at + 1;
            return Place::Node(links.list[*at].1);
        }
        self.link(parent, name)
    }

    #[cold]
    fn link(&mut self, parent: Option<usize>, name: &[u8]) -> Place {
        let place = match parent {
            Some(node) => {
                let above = std::mem::take(&mut self.nodes[node].path);
                let place = self.place_of(parent, &[&above, b".", name]);
                self.nodes[node].path = above;
                place
            }
            None => self.place_of(None, &[name]),
        };
        if let Place::Node(node) = place
            && self.links < LINKS_MAX
            && self.link_bytes + name.len() <= PATHS_BYTES_MAX
        {
            self.links += 1;
            self.link_bytes += name.len();
            let links = match parent {
                Some(parent) => &mut self.nodes[parent].links,
                None => &mut self.root,
            };
            links.by_name.insert(name.into(), links.list.len());
            links.list.push((name.into(), node));
        }
        place
    }

    /// The place of the elements of an array, or of the values of a map.
    #[inline]
    pub(super) fn inside(&mut self, node: usize, step: &[u8]) -> Place {
        let is_array = step == b"[]";
        // A map that is an array here and a document there has two kinds of content; the second one
        // is a link like any other.
        if self.nodes[node].is_map && is_array {
            return self.named_step(node, step);
        }
        if let Some(inside) = self.nodes[node].inside {
            return Place::Node(inside);
        }
        let place = self.named_step(node, step);
        if let Place::Node(inside) = place {
            self.nodes[node].inside = Some(inside);
        }
        place
    }

    fn named_step(&mut self, node: usize, step: &[u8]) -> Place {
        let above = std::mem::take(&mut self.nodes[node].path);
        let place = self.place_of(Some(node), &[&above, step]);
        self.nodes[node].path = above;
        place
    }

    /// The place at a path, which is created if there is still room.
    pub(super) fn place_of(&mut self, parent: Option<usize>, parts: &[&[u8]]) -> Place {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > PATH_BYTES_MAX {
            return Place::Beyond;
        }
        let path = parts.concat();
        if let Some(node) = self.by_path.get(path.as_slice()) {
            return Place::Node(*node);
        }
        if self.paths >= self.paths_max || self.path_bytes + length > PATHS_BYTES_MAX {
            return Place::Other(path.into());
        }
        self.paths += 1;
        self.path_bytes += length;
        Place::Node(self.new_node(parent, path.into()))
    }

    fn new_node(&mut self, parent: Option<usize>, path: Box<[u8]>) -> usize {
        let is_map = known::is_map(&path);
        self.by_path.insert(path.clone(), self.nodes.len());
        self.nodes.push(Node { path, parent, is_map, ..Node::default() });
        self.nodes.len() - 1
    }

    /// The node of everything that is not distinguished: a node of its own, or the field of that
    /// very name.
    pub(super) fn other(&mut self) -> usize {
        if let Some(other) = self.other {
            return other;
        }
        let other = match self.by_path.get(OTHER.as_bytes()) {
            Some(node) => *node,
            None => self.new_node(None, OTHER.as_bytes().into()),
        };
        self.other = Some(other);
        other
    }
}
