//! The walk over the fields of every document, and what it counts at each path.
//!
//! Each path has one node, whatever way leads to it: a name with a dot in it and a document inside
//! a document may meet at the same path. The way from a node to the next is a link, found again by
//! its place: stored documents nearly always have their fields in the same order. No text is built
//! but where a link is new.

use std::collections::HashMap;

use super::known;
use super::model::{Dates, Field, Unknown};
use super::tallies::{Tallies, Values, float};
use reshelve_core::raw::{Document, Value, kind};

/// How many paths are told apart; the rest are counted together, as [`OTHER`].
pub const PATHS_MAX: usize = 10_000;
/// How long a path may be, in bytes, to be told apart.
pub const PATH_BYTES_MAX: usize = 4_096;
/// How many bytes all the paths that are told apart may have.
pub const PATHS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The path of all that is not told apart.
pub const OTHER: &str = "<other>";
/// How deep the walk goes; the document itself is level 1. The mapping rejects all above 100.
pub const LEVELS_MAX: usize = 500;
/// How many links are remembered. Only names with dots make more links than paths.
const LINKS_MAX: usize = 2 * PATHS_MAX;
/// How many links after the expected one are tried before the name is looked up.
const TRIES: usize = 4;

/// Where the walk is.
#[derive(Clone, Debug)]
enum Place {
    /// The document itself.
    Root,
    /// At a path that is told apart.
    Node(usize),
    /// At a path that is not, short enough that one below it might be: by a name with dots, another
    /// way may have led there before.
    Other(Box<[u8]>),
    /// At a path that is too long, as are all below it.
    Beyond,
}

#[derive(Debug, Default)]
struct Node {
    path: Box<[u8]>,
    /// The node above, by the way that led here first.
    parent: Option<usize>,
    /// Whether its names are data.
    is_map: bool,
    links: Links,
    /// The elements of its arrays; or of its documents, where it is a map.
    inside: Option<usize>,
    documents: u64,
    occurrences: u64,
    /// The document that was counted last.
    last_document: u64,
    seen: Option<Dates>,
    tallies: Tallies,
}

/// The ways from a document to its fields, in the order in which they were met.
#[derive(Debug, Default)]
struct Links {
    list: Vec<(Box<[u8]>, usize)>,
    by_name: HashMap<Box<[u8]>, usize>,
}

/// All paths of all documents.
#[derive(Debug)]
pub(crate) struct Fields {
    nodes: Vec<Node>,
    by_path: HashMap<Box<[u8]>, usize>,
    root: Links,
    links: usize,
    link_bytes: usize,
    /// Paths that are told apart, and their bytes.
    paths: usize,
    path_bytes: usize,
    other: Option<usize>,
    values_held: usize,
    document: u64,
    created: Option<i64>,
    paths_max: usize,
}

impl Fields {
    pub(crate) fn new() -> Self {
        Fields {
            nodes: Vec::new(),
            by_path: HashMap::new(),
            root: Links::default(),
            links: 0,
            link_bytes: 0,
            paths: 0,
            path_bytes: 0,
            other: None,
            values_held: 0,
            document: 0,
            created: None,
            paths_max: PATHS_MAX,
        }
    }

    /// Counts all fields of a document that passed the check. `created` is when it was created.
    pub(crate) fn add(&mut self, document: Document<'_>, created: Option<i64>) {
        self.document += 1;
        self.created = created;
        self.walk(document, &Place::Root, 1);
    }

    fn walk(&mut self, document: Document<'_>, above: &Place, level: usize) {
        let mut expected = 0;
        for element in document.elements() {
            let place = match *above {
                Place::Root => self.named(None, element.name, &mut expected),
                Place::Node(node) if self.nodes[node].is_map => self.inside(node, b".*"),
                Place::Node(node) => self.named(Some(node), element.name, &mut expected),
                Place::Other(ref path) => {
                    let name = if known::is_map(path) { b"*" } else { element.name };
                    self.place_of(None, &[path, b".", name])
                }
                Place::Beyond => Place::Beyond,
            };
            self.value(element.value, &place, level);
        }
    }

    #[inline]
    fn value(&mut self, value: Value<'_>, place: &Place, level: usize) {
        let node = match *place {
            Place::Node(node) => node,
            _ => self.other(),
        };
        self.count(node, value);
        if level >= LEVELS_MAX {
            return;
        }
        match value.kind {
            kind::DOCUMENT => self.walk(Document::new(value.bytes), place, level + 1),
            kind::ARRAY => self.walk_array(Document::new(value.bytes), node, place, level + 1),
            _ => {}
        }
    }

    fn walk_array(&mut self, array: Document<'_>, node: usize, above: &Place, level: usize) {
        let mut items = 0;
        let mut inside = None;
        for value in array.values() {
            items += 1;
            let place = inside.get_or_insert_with(|| match above {
                Place::Node(node) => self.inside(*node, b"[]"),
                Place::Other(path) => self.place_of(None, &[path, b"[]"]),
                Place::Root | Place::Beyond => Place::Beyond,
            });
            let place = place.clone();
            self.value(value, &place, level);
        }
        self.nodes[node].tallies.items.add_length(items);
    }

    #[inline]
    fn count(&mut self, node: usize, value: Value<'_>) {
        let node = &mut self.nodes[node];
        node.occurrences += 1;
        if node.last_document != self.document {
            node.last_document = self.document;
            node.documents += 1;
            if let Some(created) = self.created {
                node.seen = Dates::with(node.seen, created);
            }
        }
        node.tallies.add(value, &mut self.values_held);
    }

    /// The place that a name leads to.
    #[inline]
    fn named(&mut self, parent: Option<usize>, name: &[u8], expected: &mut usize) -> Place {
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
    fn inside(&mut self, node: usize, step: &[u8]) -> Place {
        let is_array = step == b"[]";
        // A map that is an array here and a document there has two kinds of insides; the second
        // one is a link like any other.
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

    /// The place at a path, which is made where there is still room for one.
    fn place_of(&mut self, parent: Option<usize>, parts: &[&[u8]]) -> Place {
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

    /// The node of all that is not told apart: beside the others, or the field of that very name.
    fn other(&mut self) -> usize {
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

    /// All paths with what was counted there, and the topmost ones that the schema does not name.
    pub(crate) fn finish(self, documents: u64) -> (Vec<Field>, Vec<Unknown>) {
        let known: Vec<bool> = self.nodes.iter().map(|node| known::is_known(&node.path)).collect();
        let mut unknown = Vec::new();
        let mut fields: Vec<(bool, &Node, Field)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let is_other = self.other == Some(at);
            let field = self.field(node, documents, known[at]);
            if !known[at] && !is_other && node.parent.is_none_or(|parent| known[parent]) {
                unknown.push(Unknown {
                    path: field.path.clone(),
                    documents: field.documents,
                    occurrences: field.occurrences,
                });
            }
            fields.push((is_other, node, field));
        }
        fields.sort_by(|one, two| (one.0, &one.1.path).cmp(&(two.0, &two.1.path)));
        unknown.sort_by(|one, two| one.path.cmp(&two.path));
        (fields.into_iter().map(|(_, _, field)| field).collect(), unknown)
    }

    fn field(&self, node: &Node, documents: u64, known: bool) -> Field {
        let tallies = &node.tallies;
        let path = String::from_utf8_lossy(&node.path).into_owned();
        let is_element = node.path.ends_with(b"[]");
        let in_parent_percent = match node.parent {
            _ if is_element => None,
            Some(parent) => {
                let objects = self.nodes[parent].tallies.types.of(kind::DOCUMENT);
                Some(percent(node.occurrences, objects))
            }
            None => (path != OTHER).then(|| percent(node.occurrences, documents)),
        };
        let [no, yes] = tallies.booleans;
        Field {
            documents: node.documents,
            occurrences: node.occurrences,
            presence_percent: percent(node.documents, documents),
            in_parent_percent,
            types: tallies.types.finish(),
            numbers: tallies.numbers.finish(),
            string_bytes: tallies.string_bytes.finish(),
            items: tallies.items.finish(),
            dates: tallies.dates,
            booleans: (no + yes > 0).then(|| [(false, no), (true, yes)].into()),
            values: Values::finish(&tallies.values, known::is_enumeration(&node.path)),
            seen: node.seen,
            known,
            path,
        }
    }
}

/// A share in per cent, with two decimals.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (float(part) * 10_000.0 / float(whole)).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reshelve_core::raw::Writer;

    fn document(write: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut out = Writer::default();
        let mark = out.begin();
        write(&mut out);
        out.end(mark);
        out.into_bytes()
    }

    fn counted(paths_max: usize, documents: &[Vec<u8>]) -> Vec<(String, u64, u64)> {
        let mut fields = Fields { paths_max, ..Fields::new() };
        for document in documents {
            fields.add(Document::new(document), None);
        }
        let (fields, _) = fields.finish(u64::try_from(documents.len()).unwrap());
        fields.into_iter().map(|field| (field.path, field.documents, field.occurrences)).collect()
    }

    fn row(path: &str, documents: u64, occurrences: u64) -> (String, u64, u64) {
        (path.to_owned(), documents, occurrences)
    }

    #[test]
    fn two_ways_to_one_path_are_one_path() {
        let both = document(|out| {
            out.int32("a.b", 1);
            let inside = out.begin_document("a");
            out.int32("b", 2);
            out.int32("b", 3);
            out.end(inside);
        });
        assert_eq!(counted(9, &[both.clone(), both]), [row("a", 2, 2), row("a.b", 2, 6)]);
    }

    #[test]
    fn empty_names_are_names() {
        let document = document(|out| {
            let inside = out.begin_document("");
            out.int32("", 1);
            out.end(inside);
        });
        assert_eq!(counted(9, &[document]), [row("", 1, 1), row(".", 1, 1)]);
    }

    #[test]
    fn past_the_limit_paths_are_counted_together() {
        let document = document(|out| {
            out.int32("x.b", 1);
            let inside = out.begin_document("x");
            // Not told apart, but what lies in it has a path that is.
            out.int32("b", 2);
            out.int32("c", 3);
            out.end(inside);
            let list = out.begin_array("y");
            out.number_item(0, 1.0);
            out.end(list);
        });
        assert_eq!(counted(1, &[document]), [row("x.b", 1, 2), row("<other>", 1, 4)]);
    }

    #[test]
    fn long_paths_and_deep_documents_are_bounded() {
        let long = "n".repeat(PATH_BYTES_MAX + 1);
        let document = document(|out| {
            let mut marks = vec![out.begin_document(&long)];
            for _ in 0..3_000 {
                marks.push(out.begin_document("d"));
            }
            marks.into_iter().rev().for_each(|mark| out.end(mark));
        });
        let levels = u64::try_from(LEVELS_MAX).unwrap();
        assert_eq!(counted(9, &[document]), [row("<other>", 1, levels)]);
    }
}
