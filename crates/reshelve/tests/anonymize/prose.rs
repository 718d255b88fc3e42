//! What prose becomes, and what somebody could learn from it.

use std::collections::{BTreeMap, BTreeSet};

use reshelve::generate::{Plan, Size, Stream};
use reshelve_core::raw::{Document, Value};

use crate::helpers::{checked, document, key};

fn text<'d>(document: &'d [u8], path: &[&str]) -> &'d str {
    let (last, above) = path.split_last().unwrap();
    let inside = above.iter().fold(Document::new(document), |it, name| {
        let value = it.get(name).unwrap();
        value.document().or(value.array()).unwrap()
    });
    std::str::from_utf8(inside.get(last).and_then(Value::string).unwrap()).unwrap()
}

#[test]
fn form_stays_and_words_do_not() {
    let markdown = "# The Second Lantern\n\nMara said: *naïve*, “again” — 1984!\n\n- [x] done\n- two 東京の夜 🌊\n";
    let json = serde_json::json!({ "_id": "one", "status": "completed", "premise": markdown });
    let documents = [document(&json.to_string())];
    let (copies, summary) = checked(&documents, &key('7'));
    assert_eq!((summary.left_out, summary.leaks), (0, 0));
    let copy = text(&copies[0], &["premise"]);
    let shape = |text: &str| -> String {
        let mut shape = String::new();
        for letter in text.chars() {
            let class = match letter {
                letter if !letter.is_alphanumeric() => Some(letter),
                _ => None,
            };
            match class {
                Some(symbol) if symbol.len_utf8() == 4 => shape.push('?'),
                Some(symbol) => shape.push(symbol),
                None if shape.ends_with('w') => {}
                None => shape.push('w'),
            }
        }
        shape
    };
    assert_eq!(shape(copy), shape(markdown));
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty() && *word != "x")
            .map(str::to_lowercase)
            .collect()
    };
    let (before, after) = (words(markdown), words(copy));
    assert_eq!(before.len(), after.len());
    for (one, other) in before.iter().zip(&after) {
        assert_ne!(one, other);
        assert_eq!(one.is_ascii(), other.is_ascii(), "{one} {other}");
    }
    assert!(copy.contains("[x]") && !copy.contains('🌊'));
}

#[test]
fn counting_the_words_of_a_novel_does_not_undo_it() {
    let mut plan = Plan::standard(21, 1);
    plan.size = Size::Bytes(300_000);
    let documents: Vec<Vec<u8>> = Stream::new(plan).collect();
    let (copies, summary) = checked(&documents, &key('8'));
    assert_eq!((summary.left_out, summary.leaks), (0, 0));
    let contents = |document: &[u8]| -> Vec<String> {
        let chapters = Document::new(document).get("chapters").unwrap().array().unwrap();
        let texts = chapters.values().filter_map(|it| it.document()?.get("content")?.text());
        texts
            .flat_map(|text| {
                let text = std::str::from_utf8(text).unwrap().to_lowercase();
                text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    };
    let (before, after) = (contents(&documents[0]), contents(&copies[0]));
    assert_eq!(before.len(), after.len());
    assert!(before.len() > 30_000);
    let mut becomes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut comes_from: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (one, other) in before.iter().zip(&after) {
        *becomes.entry(one).or_default().entry(other).or_default() += 1;
        comes_from.entry(other).or_default().insert(one);
    }
    let the = &becomes["the"];
    let all: usize = the.values().sum();
    let most = the.values().max().unwrap();
    assert!(the.len() > 500 && most * 50 < all, "{} words, one {most} of {all} times", the.len());
    // The most frequent word of the copy does not stand for one of the source either.
    let frequent = comes_from.values().map(BTreeSet::len).max().unwrap();
    assert!(frequent > 20, "{frequent}");
    // Lengths say nothing about lengths: a short word is as often followed by a long one.
    let lengths: BTreeSet<usize> = the.keys().map(|word| word.len()).collect();
    assert!(lengths.len() > 5, "{lengths:?}");
}

#[test]
fn names_are_consistent_within_a_job_and_not_across_jobs() {
    let one = r#"{"_id": "ID", "status": "completed", "title": "Marguerite and the Lamp",
        "chapters": [{"content": "MARGUERITE met Bram Vossen. Marguerite's coat. Hope is lost; Hope said."}],
        "metadata": {"storyBible": {"characters": {
            "Marguerite": {"relationships": ["sister of Bram Vossen", "trusts Hope"]},
            "Bram Vossen": {"relationships": ["fears Marguerite"]}, "Hope": {}},
            "locations": {"St. Brennan": {}, "": {}}},
        "continuityAlerts": [{"message": "Marguerite is in St. Brennan", "context": {"character": "Hope"}}]}}"#;
    let documents: Vec<Vec<u8>> =
        ["one", "two"].iter().map(|id| document(&one.replace("ID", id))).collect();
    let (copies, summary) = checked(&documents, &key('9'));
    assert_eq!((summary.left_out, summary.leaks), (0, 0));
    let names = |copy: &[u8]| -> Vec<String> {
        let bible = ["metadata", "storyBible", "characters"];
        let map = bible
            .iter()
            .fold(Document::new(copy), |it, name| it.get(name).unwrap().document().unwrap());
        map.elements().map(|it| it.name_text().into_owned()).collect()
    };
    let of_one = names(&copies[0]);
    let [marguerite, bram, hope] = of_one.as_slice() else { panic!("{of_one:?}") };
    assert!(bram < hope && hope < marguerite, "the order of the keys stays");
    assert!(text(&copies[0], &["title"]).starts_with(marguerite.as_str()));
    let content = text(&copies[0], &["chapters", "0", "content"]);
    assert!(content.starts_with(&marguerite.to_uppercase()) && content.contains(bram.as_str()));
    assert!(content.contains(&format!("{marguerite}'")), "{content}");
    assert!(!content.contains(hope.as_str()), "a common word is no name in prose: {content}");
    let relationships =
        ["metadata", "storyBible", "characters", marguerite.as_str(), "relationships"];
    let at = |index: &'static str| [&relationships[..], &[index]].concat();
    assert!(text(&copies[0], &at("0")).ends_with(bram.as_str()));
    assert!(text(&copies[0], &at("1")).ends_with(hope.as_str()));
    let alert = ["metadata", "continuityAlerts", "0"];
    let message = text(&copies[0], &[&alert[..], &["message"]].concat());
    assert!(message.starts_with(marguerite.as_str()), "{message}");
    let character = text(&copies[0], &[&alert[..], &["context", "character"]].concat());
    assert_eq!(character, hope);
    assert!(names(&copies[1]).iter().all(|name| !of_one.contains(name)));
}
