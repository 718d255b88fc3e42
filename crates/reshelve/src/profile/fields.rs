//! The walk over the fields of every document, and what it counts at each path.

use super::known;
use super::model::{Dates, Field, Unknown};
use super::paths::{Node, OTHER, PATHS_MAX, Paths, Place};
use super::tallies::{Tallies, Values, float};
use reshelve_core::raw::{Document, Value, kind};

/// How deep the walk goes; the document itself is level 1. The mapping rejects everything deeper
/// than 100.
pub const LEVELS_MAX: usize = 500;

/// What is counted at one path.
#[derive(Debug, Default)]
pub(super) struct Counts {
    documents: u64,
    occurrences: u64,
    /// The document that was counted last.
    last_document: u64,
    seen: Option<Dates>,
    tallies: Tallies,
}

/// All paths of all documents.
#[derive(Debug)]
pub(crate) struct Fields {
    paths: Paths<Counts>,
    values_held: usize,
    document: u64,
    created: Option<i64>,
}

impl Fields {
    pub(crate) fn new() -> Self {
        Self::telling_apart(PATHS_MAX)
    }

    fn telling_apart(paths_max: usize) -> Self {
        Fields { paths: Paths::new(paths_max), values_held: 0, document: 0, created: None }
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
                Place::Root => self.paths.named(None, element.name, &mut expected),
                Place::Node(node) if self.paths.node(node).is_map => self.paths.inside(node, b".*"),
                Place::Node(node) => self.paths.named(Some(node), element.name, &mut expected),
                Place::Other(ref path) => {
                    let name = if known::is_map(path) { b"*" } else { element.name };
                    self.paths.place_of(None, &[path, b".", name])
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
            _ => self.paths.other(),
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
                Place::Node(node) => self.paths.inside(*node, b"[]"),
                Place::Other(path) => self.paths.place_of(None, &[path, b"[]"]),
                Place::Root | Place::Beyond => Place::Beyond,
            });
            let place = place.clone();
            self.value(value, &place, level);
        }
        self.paths.counts(node).tallies.items.add_length(items);
    }

    #[inline]
    fn count(&mut self, node: usize, value: Value<'_>) {
        let counts = self.paths.counts(node);
        counts.occurrences += 1;
        if counts.last_document != self.document {
            counts.last_document = self.document;
            counts.documents += 1;
            if let Some(created) = self.created {
                counts.seen = Dates::with(counts.seen, created);
            }
        }
        counts.tallies.add(value, &mut self.values_held);
    }

    /// All paths with their counts, and the topmost ones that the schema does not name.
    pub(crate) fn finish(self, documents: u64) -> (Vec<Field>, Vec<Unknown>) {
        let nodes = self.paths.nodes();
        let known: Vec<bool> = nodes.iter().map(|node| known::is_known(&node.path)).collect();
        let mut unknown = Vec::new();
        let mut fields: Vec<(bool, &Node<Counts>, Field)> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let is_other = self.paths.is_other(at);
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

    fn field(&self, node: &Node<Counts>, documents: u64, known: bool) -> Field {
        let Counts { occurrences, tallies, .. } = &node.counts;
        let path = String::from_utf8_lossy(&node.path).into_owned();
        let is_element = node.path.ends_with(b"[]");
        let in_parent_percent = match node.parent {
            _ if is_element => None,
            Some(parent) => {
                let objects = self.paths.node(parent).counts.tallies.types.of(kind::DOCUMENT);
                Some(percent(*occurrences, objects))
            }
            None => (path != OTHER).then(|| percent(*occurrences, documents)),
        };
        let [no, yes] = tallies.booleans;
        Field {
            documents: node.counts.documents,
            occurrences: *occurrences,
            presence_percent: percent(node.counts.documents, documents),
            in_parent_percent,
            types: tallies.types.finish(),
            numbers: tallies.numbers.finish(),
            string_bytes: tallies.string_bytes.finish(),
            items: tallies.items.finish(),
            dates: tallies.dates,
            booleans: (no + yes > 0).then(|| [(false, no), (true, yes)].into()),
            values: Values::finish(&tallies.values, known::is_enumeration(&node.path)),
            seen: node.counts.seen,
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
    use super::super::paths::PATH_BYTES_MAX;
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
        let mut fields = Fields::telling_apart(paths_max);
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
