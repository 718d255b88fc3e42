//! The target as the new application may have left it, when someone goes back: what was copied
//! comes back as edited, all else as recorded, and what is gone is left out and named.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use reshelve_core::mapping::{Options, Outcome, RestoredDocument, restore};
use reshelve_core::raw;

use crate::arbitrary::value;
use crate::legacy::legacy;
use crate::map;
use crate::tree::{Fields, Node, bytes_of, decode, encode};

/// A legacy document and its target, as trees.
struct Novel {
    legacy: Node,
    job: Node,
    metadata: Node,
}

impl Novel {
    fn map(legacy: &[u8]) -> Option<Novel> {
        let (outcome, target) = map(legacy, Options::default());
        matches!(outcome, Outcome::Mapped(_)).then(|| Novel {
            legacy: decode(legacy),
            job: decode(target.jobs.bytes()),
            metadata: decode(target.metadata.bytes()),
        })
    }

    fn restore(&self) -> RestoredDocument {
        let restored = restore(&bytes_of(&self.job), &bytes_of(&self.metadata)).unwrap();
        raw::check(&restored.bytes).unwrap();
        restored
    }

    /// Restoring gives the legacy document with these values edited, and loses nothing.
    fn assert_edited(&mut self, legacy_path: &str, edited: Node) {
        *self.legacy.at(legacy_path).unwrap() = edited;
        let restored = self.restore();
        assert_eq!(decode(&restored.bytes), self.legacy, "{legacy_path}");
        assert_eq!(restored.lost, Vec::<String>::new(), "{legacy_path}");
        assert!(restored.changed, "{legacy_path}");
    }

    fn assert_untouched(&self) {
        let restored = self.restore();
        assert_eq!(decode(&restored.bytes), self.legacy);
        assert!(!restored.changed && restored.lost.is_empty());
    }

    /// Restoring loses just what it names, and names nothing outside of `below`.
    fn assert_only_lost(&self, below: &str) -> Vec<String> {
        let restored = self.restore();
        for path in &restored.lost {
            assert!(path.starts_with(below), "{path} is lost, which is not below {below}");
        }
        let mut expected = self.legacy.clone();
        for path in restored.lost.iter().rev() {
            remove(&mut expected, path);
        }
        assert_eq!(decode(&restored.bytes), expected, "lost {:?}", restored.lost);
        assert_eq!(restored.changed, !restored.lost.is_empty());
        restored.lost
    }
}

/// Removes the value at a path; an array keeps the keys of an array.
fn remove(tree: &mut Node, path: &str) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let parent = if parent.is_empty() { tree } else { tree.at(parent).unwrap() };
    let is_array = matches!(parent, Node::Array(_));
    let fields = parent.fields_mut().unwrap();
    let at = fields.iter().position(|(found, _)| found == name).unwrap();
    fields.remove(at);
    if is_array {
        renumber(fields);
    }
}

fn renumber(fields: &mut Fields) {
    for (at, (key, _)) in fields.iter_mut().enumerate() {
        *key = at.to_string();
    }
}

fn array<'a>(tree: &'a mut Node, path: &str) -> &'a mut Fields {
    tree.at(path).unwrap().fields_mut().unwrap()
}

fn is_string(tree: &mut Node, path: &str) -> bool {
    matches!(tree.at(path), Some(Node::Plain(reshelve_core::raw::kind::STRING, _)))
}

/// The sample documents: real shapes of every stage, some with a full story bible.
#[expect(clippy::disallowed_methods, reason = "the samples are a file")]
fn novels() -> Vec<Novel> {
    let path = "../../tests/samples/dump/letswriteabook/jobs.bson";
    let dump = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut left = &dump[..];
    let mut novels = Vec::new();
    while let Some(prefix) = left.first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*prefix)).unwrap();
        let (document, rest) = left.split_at(length);
        left = rest;
        novels.extend(Novel::map(document));
    }
    assert_eq!(novels.len(), 25);
    novels
}

/// Edits a copied string of every sample document that has it; `{n}` goes over positions.
fn edit_everywhere(in_job: bool, target_path: &str, legacy_path: &str) {
    let mut met = 0;
    for n in 0..6 {
        let at = |path: &str| path.replace("{n}", &n.to_string());
        for mut novel in novels() {
            let side = if in_job { &mut novel.job } else { &mut novel.metadata };
            if !is_string(side, &at(target_path)) || !is_string(&mut novel.legacy, &at(legacy_path))
            {
                continue;
            }
            let edited = Node::string("edited by the new application");
            *side.at(&at(target_path)).unwrap() = edited.clone();
            novel.assert_edited(&at(legacy_path), edited);
            met += 1;
        }
    }
    assert!(met > 0, "no sample has {legacy_path}");
}

#[test]
fn edited_text_comes_back_edited() {
    for name in ["title", "premise", "genre", "subgenre"] {
        edit_everywhere(true, &format!("payload.{name}"), name);
    }
    for name in ["title", "content"] {
        edit_everywhere(true, &format!("chapters.{{n}}.{name}"), &format!("chapters.{{n}}.{name}"));
    }
    for name in ["title", "summary", "keyEvents.0", "keyEvents.1"] {
        edit_everywhere(true, &format!("outline.{{n}}.{name}"), &format!("outline.{{n}}.{name}"));
    }
}

#[test]
fn a_removed_chapter_loses_its_text_and_nothing_else() {
    for novel in novels() {
        let mut job = novel.job.clone();
        for n in 0..array(&mut job, "chapters").len() {
            let mut edited = Novel {
                legacy: novel.legacy.clone(),
                job: novel.job.clone(),
                metadata: novel.metadata.clone(),
            };
            let chapters = array(&mut edited.job, "chapters");
            chapters.remove(n);
            renumber(chapters);
            let lost = edited.assert_only_lost(&format!("chapters.{n}."));
            let content = format!("chapters.{n}.content");
            if is_string(&mut edited.legacy, &content) {
                assert!(lost.contains(&content), "{content} is not named");
            }
        }
    }
}

#[test]
fn other_orders_change_nothing() {
    for path in ["chapters", "outline", "events", "failures"] {
        for mut novel in novels() {
            let fields = array(&mut novel.job, path);
            fields.reverse();
            renumber(fields);
            novel.assert_untouched();
        }
    }
    for path in ["continuityAlerts", "aiDecisions", "enhancements", "storyBibleCharacters"] {
        for mut novel in novels() {
            let fields = array(&mut novel.metadata, path);
            fields.reverse();
            if path != "storyBibleCharacters" {
                renumber(fields);
            }
            novel.assert_untouched();
        }
    }
}

#[test]
fn what_the_new_application_adds_changes_nothing() {
    for mut novel in novels() {
        let alert = Node::Document(vec![
            ("alertId".into(), Node::string("made-by-the-new-application")),
            ("message".into(), Node::string("m")),
        ]);
        for path in ["continuityAlerts", "aiDecisions", "enhancements"] {
            let fields = array(&mut novel.metadata, path);
            fields.insert(0, (String::new(), alert.clone()));
            renumber(fields);
        }
        let chapter = Node::Document(vec![
            ("chapterNumber".into(), Node::double(0.5)),
            ("content".into(), Node::string("c")),
        ]);
        let chapters = array(&mut novel.job, "chapters");
        chapters.insert(0, (String::new(), chapter));
        renumber(chapters);
        for tree in [&mut novel.job, &mut novel.metadata] {
            let fields = tree.fields_mut().unwrap();
            fields.insert(1, ("another".into(), Node::string("field")));
            *tree.at("updatedAt").unwrap() = Node::date(1_800_000_000_000);
        }
        *novel.job.at("status").unwrap() = Node::string("completed");
        novel.assert_untouched();
    }
}

#[test]
fn trimmed_alerts_are_named() {
    let mut met = 0;
    for mut novel in novels() {
        let alerts = array(&mut novel.metadata, "continuityAlerts");
        if alerts.len() > 1 {
            let half = alerts.len() / 2;
            alerts.truncate(half);
            assert!(!novel.assert_only_lost("metadata.continuityAlerts.").is_empty());
            met += 1;
        }
    }
    assert!(met > 0, "no sample has alerts");
}

#[test]
fn removed_characters_are_named() {
    for mut novel in novels() {
        let characters = array(&mut novel.metadata, "storyBibleCharacters");
        if characters.is_empty() {
            continue;
        }
        characters.remove(0);
        novel.assert_only_lost("metadata.storyBible.characters.");
    }
}

#[test]
fn of_a_repeated_name_only_the_copied_value_is_lost() {
    let mut met = 0;
    for novel in novels() {
        let mut legacy = novel.legacy.clone();
        let fields = legacy.fields_mut().unwrap();
        let at = fields.iter().position(|(name, _)| name == "title").unwrap();
        fields.insert(at + 1, ("title".into(), Node::double(1.5)));
        let mut edited = Novel::map(&bytes_of(&legacy)).unwrap();
        edited.assert_untouched();
        if is_string(&mut edited.job, "payload.title") {
            array(&mut edited.job, "payload").retain(|(name, _)| name != "title");
            assert_eq!(edited.assert_only_lost("title"), ["title"]);
            met += 1;
        }
    }
    assert!(met > 0, "no sample has a title");
}

/// One edit anywhere in a target document.
#[derive(Clone, Debug)]
enum Edit {
    Remove,
    Replace(Node),
    Reverse,
    Rename(String),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => Just(Edit::Remove),
        2 => value().prop_map(Edit::Replace),
        1 => Just(Edit::Reverse),
        1 => "[a-z]{0,3}".prop_map(Edit::Rename),
    ]
}

/// Walks down to a random place and edits it. The record of the legacy document stays whole:
/// what happens to a damaged one is the business of another test.
fn edit_somewhere(tree: &mut Node, way: &[Index], edit: &Edit, at_top: bool) {
    let Some(fields) = tree.fields_mut().filter(|fields| !fields.is_empty()) else { return };
    let Some((first, rest)) = way.split_first() else { return };
    let at = first.index(fields.len());
    if at_top && fields[at].0 == "legacy" {
        return;
    }
    let has_more = |node: &mut Node| node.fields_mut().is_some_and(|inner| !inner.is_empty());
    let deeper = !rest.is_empty() && has_more(&mut fields[at].1);
    if deeper {
        return edit_somewhere(&mut fields[at].1, rest, edit, false);
    }
    match edit {
        Edit::Remove => drop(fields.remove(at)),
        Edit::Replace(value) => fields[at].1 = value.clone(),
        Edit::Reverse => fields.reverse(),
        Edit::Rename(name) => fields[at].0.clone_from(name),
    }
}

proptest! {
    #[test]
    fn any_edit_leaves_a_document(
        document in legacy(),
        edits in vec((any::<bool>(), vec(any::<Index>(), 1..6), edit()), 1..8),
    ) {
        let bytes = encode(&document);
        let Some(mut novel) = Novel::map(&bytes) else { return Ok(()) };
        for (in_job, way, edit) in &edits {
            let side = if *in_job { &mut novel.job } else { &mut novel.metadata };
            edit_somewhere(side, way, edit, true);
        }
        let restored = novel.restore();
        prop_assert_eq!(restored.changed, restored.bytes != bytes);
        prop_assert!(restored.changed || restored.lost.is_empty());
        let names = |fields: &Fields| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let mut left = decode(&restored.bytes);
        // A name may be there several times: each time that it is named, one of them is gone.
        let mut lost = restored.lost;
        let mut there = names(left.fields_mut().unwrap()).into_iter().peekable();
        for name in names(&document) {
            if there.next_if_eq(&name).is_none() {
                let named = lost.iter().position(|path| *path == name);
                prop_assert!(named.is_some(), "{} is gone and not named", name);
                lost.remove(named.unwrap());
            }
        }
        prop_assert_eq!(there.next(), None, "a field of the top that was not there");
        prop_assert!(!names(&document).iter().any(|name| lost.contains(name)), "{:?}", lost);
    }
}
