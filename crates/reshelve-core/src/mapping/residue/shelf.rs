//! The target documents of one job, opened so that every legacy field finds its copy.

use crate::mapping::read::pick;
use crate::raw::{Document, Value, kind};

/// Where copied values are in the target documents of one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf<'t> {
    payload: Fields<'t>,
    job: Fields<'t>,
    quality: Fields<'t>,
    failure: Fields<'t>,
    performance: Fields<'t>,
    story: Fields<'t>,
    outline: Vec<Book<'t>>,
    chapters: Vec<Book<'t>>,
    characters: Vec<Book<'t>>,
    locations: Vec<Book<'t>>,
    alerts: Vec<Book<'t>>,
    decisions: Vec<Book<'t>>,
    enhancements: Vec<Book<'t>>,
}

type Fields<'t> = Option<Document<'t>>;

/// One document of an array or map of the target, with a hash of what it is called there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Book<'t> {
    pub(crate) document: Document<'t>,
    pub(crate) called: u32,
    /// The fields of [`OUTLINE_FIELDS`] or [`CHAPTER_FIELDS`], for an outline entry or a chapter:
    /// there are many of these, and nearly all their fields are asked for.
    fields: [Option<Value<'t>>; 7],
}

/// What is copied from an outline entry, in the order of the target.
const OUTLINE_FIELDS: [&str; 7] = [
    "title",
    "summary",
    "keyEvents",
    "humanLikeElements",
    "characterFocus",
    "plotAdvancement",
    "genreElements",
];
/// What is copied from a chapter, or holds what is, in the order of the target.
const CHAPTER_FIELDS: [&str; 3] = ["title", "content", "legacy"];

/// A place in the legacy document: the target document, if any, to which its fields are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'t> {
    /// Nothing in here is copied.
    Nowhere,
    Root,
    Error,
    Metadata,
    StoryBible,
    /// An array or map whose documents have anchors.
    Shelf(ShelfName),
    /// By its position on the shelf, as the next one.
    Outline(usize),
    Chapter(usize),
    Character(Document<'t>),
    Location(Document<'t>),
    Alert(Document<'t>),
    Decision(Document<'t>),
    Enhancement(Document<'t>),
    /// Fields go to the fields of the same name.
    Mirror(Document<'t>),
    /// Documents go to the documents of this array, in order; anything else goes nowhere.
    Mirrors(Document<'t>),
    /// Every value goes to the value at the same position of this array.
    Twins(Document<'t>),
    /// Strings go to the strings of this array, in order.
    Strings(Document<'t>),
    /// Text goes to the descriptions of the documents of this array, in order.
    Descriptions(Document<'t>),
}

/// The arrays and maps whose documents have anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShelfName {
    Outline,
    Chapters,
    Characters,
    Locations,
    Alerts,
    Decisions,
    Enhancements,
}

impl ShelfName {
    /// The number of bytes of the hash that an anchor keeps: chapter numbers are few, ids may be
    /// many.
    pub(crate) fn hash_bytes(self) -> usize {
        match self {
            ShelfName::Outline | ShelfName::Chapters => 2,
            _ => 4,
        }
    }
}

impl<'t> Shelf<'t> {
    /// Opens the job and the metadata document of one job.
    pub(crate) fn new(job: Document<'t>, metadata: Document<'t>) -> Self {
        Shelf::of_job(job).with_metadata(metadata)
    }

    /// Opens the job alone, which is the larger part.
    pub(crate) fn of_job(job: Document<'t>) -> Self {
        let mut shelf = Shelf { job: Some(job), ..Shelf::default() };
        for element in job.elements() {
            let value = element.value;
            match element.name {
                b"payload" => shelf.payload = value.document(),
                b"qualityMetrics" => shelf.quality = value.document(),
                b"failures" => shelf.failure = own_failure(value),
                b"outline" => shelf.outline = books(value, outline_entry),
                b"chapters" => shelf.chapters = books(value, chapter),
                _ => {}
            }
        }
        shelf
    }

    /// Opens the metadata document too.
    pub(crate) fn with_metadata(self, metadata: Document<'t>) -> Self {
        let mut shelf = self;
        for element in metadata.elements() {
            let value = element.value;
            match element.name {
                b"storyBibleCharacters" => shelf.characters = entries(value),
                b"storyBibleLocations" => shelf.locations = entries(value),
                b"storyBibleMetadata" => shelf.story = value.document(),
                b"continuityAlerts" => shelf.alerts = books(value, |book| by_id(book, "alertId")),
                b"aiDecisions" => shelf.decisions = books(value, |book| by_id(book, "decisionId")),
                b"enhancements" => {
                    shelf.enhancements = books(value, |book| by_id(book, "enhancementId"));
                }
                b"performance" => shelf.performance = value.document(),
                _ => {}
            }
        }
        shelf
    }

    /// The documents of an array or map.
    pub(crate) fn books(&self, name: ShelfName) -> &[Book<'t>] {
        match name {
            ShelfName::Outline => &self.outline,
            ShelfName::Chapters => &self.chapters,
            ShelfName::Characters => &self.characters,
            ShelfName::Locations => &self.locations,
            ShelfName::Alerts => &self.alerts,
            ShelfName::Decisions => &self.decisions,
            ShelfName::Enhancements => &self.enhancements,
        }
    }

    /// The value that the mapping copied from the field `name` of a legacy document at `place`.
    pub(crate) fn slot(&self, place: Place<'t>, name: &[u8]) -> Option<Value<'t>> {
        match place {
            Place::Root => match name {
                b"title" => get(self.payload, "title"),
                b"premise" => get(self.payload, "premise"),
                b"genre" => get(self.payload, "genre"),
                b"subgenre" => get(self.payload, "subgenre"),
                b"analysis" => get(self.job, "analysis"),
                b"modelUsage" => get(self.job, "modelUsage"),
                b"qualityMetrics" => get(self.job, "qualityMetrics"),
                b"error" => get(self.failure, "reason"),
                _ => None,
            },
            Place::Error if name == b"message" => get(self.failure, "reason"),
            Place::Metadata => match name {
                b"enhancedQualityMetrics" => get(self.quality, "enhanced"),
                b"currentStep" => get(self.performance, "currentStep"),
                _ => None,
            },
            Place::Outline(index) => {
                let field = OUTLINE_FIELDS.iter().position(|known| known.as_bytes() == name)?;
                self.outline.get(index)?.fields[field]
            }
            Place::Chapter(index) => {
                let [title, content, legacy, ..] = self.chapters.get(index)?.fields;
                match name {
                    b"title" => title,
                    b"content" => content,
                    b"failureReason" => get(legacy?.document(), "failureReason"),
                    _ => None,
                }
            }
            Place::Mirror(twin) => twin.find(name),
            _ => metadata_slot(place, name),
        }
    }

    /// Where the documents or values inside the field `name` of a legacy document at `place` go.
    pub(crate) fn inside(&self, place: Place<'t>, name: &[u8]) -> Place<'t> {
        let inside = match (place, name) {
            (Place::Root, b"outline") => Some(Place::Shelf(ShelfName::Outline)),
            (Place::Root, b"chapters") => Some(Place::Shelf(ShelfName::Chapters)),
            (Place::Root, b"error") => Some(Place::Error),
            (Place::Root, b"metadata") => Some(Place::Metadata),
            (Place::Metadata, b"storyBible") => Some(Place::StoryBible),
            (Place::Metadata, b"continuityAlerts") => Some(Place::Shelf(ShelfName::Alerts)),
            (Place::Metadata, b"aiDecisions") => Some(Place::Shelf(ShelfName::Decisions)),
            (Place::Metadata, b"enhancementsApplied") => {
                Some(Place::Shelf(ShelfName::Enhancements))
            }
            (Place::StoryBible, b"characters") => Some(Place::Shelf(ShelfName::Characters)),
            (Place::StoryBible, b"locations") => Some(Place::Shelf(ShelfName::Locations)),
            (Place::Root, b"qualityMetrics") => self.quality.map(Place::Mirror),
            (Place::StoryBible, b"plotThreads") => array(self.story, "plotThreads"),
            (Place::StoryBible, b"timeline") => array(self.story, "timeline"),
            (Place::StoryBible, b"themes") => array(self.story, "themes"),
            (Place::Decision(decision), b"alternatives") => {
                array(nested(decision, "metadata"), "alternatives")
            }
            (Place::Alert(alert), b"context") => nested(alert, "context").map(Place::Mirror),
            (Place::Outline(_), b"keyEvents") => {
                self.slot(place, name).and_then(Value::array).map(Place::Strings)
            }
            (Place::Character(character), b"traits") => strings(character, "traits"),
            (Place::Character(character), b"relationships") => {
                character.get("relationships").and_then(Value::array).map(Place::Descriptions)
            }
            (Place::Mirror(twin), _) => twin.find(name).and_then(mirrored),
            _ => None,
        };
        inside.unwrap_or(Place::Nowhere)
    }
}

/// Story bible, alerts, decisions, enhancements.
fn metadata_slot<'t>(place: Place<'t>, name: &[u8]) -> Option<Value<'t>> {
    match (place, name) {
        (Place::Character(character), b"description") => character.get("summary"),
        (Place::Character(character), b"traits") => character.get("traits"),
        (Place::Location(location), b"description") => location.get("description"),
        (Place::Location(location), b"significance") => location.get("significance"),
        (Place::Alert(alert), b"message") => alert.get("message"),
        (Place::Alert(alert), b"details") => get(nested(alert, "context"), "details"),
        (Place::Alert(alert), b"suggestion") => get(nested(alert, "context"), "suggestion"),
        (Place::Decision(decision), b"summary") => decision.get("summary"),
        (Place::Decision(decision), b"impact") => decision.get("impact"),
        (Place::Decision(decision), b"reasoning") => get(nested(decision, "metadata"), "reasoning"),
        (Place::Enhancement(enhancement), b"name" | b"description" | b"details") => {
            nested(enhancement, "data")?.find(name)
        }
        _ => None,
    }
}

/// Where the documents, arrays and strings inside a mirrored value go.
pub(crate) fn mirrored(value: Value<'_>) -> Option<Place<'_>> {
    match value.kind {
        kind::DOCUMENT => Some(Place::Mirror(Document::new(value.bytes))),
        kind::ARRAY => Some(Place::Twins(Document::new(value.bytes))),
        _ => None,
    }
}

/// Walks the target array that belongs to a legacy array, in step with it.
///
/// Which legacy elements take a step is a rule of the place; encoding and restoring follow the
/// same one.
#[derive(Debug)]
pub(crate) struct Twins<'t> {
    place: Place<'t>,
    left: Option<crate::raw::Elements<'t>>,
}

impl<'t> Twins<'t> {
    pub(crate) fn new(place: Place<'t>) -> Self {
        let left = match place {
            Place::Mirrors(array)
            | Place::Twins(array)
            | Place::Strings(array)
            | Place::Descriptions(array) => Some(array.elements()),
            _ => None,
        };
        Twins { place, left }
    }

    fn step(&mut self) -> Option<Value<'t>> {
        self.left.as_mut()?.next().map(|element| element.value)
    }

    /// What a legacy string goes to.
    pub(crate) fn of_string(&mut self, is_empty: bool) -> Option<Value<'t>> {
        match self.place {
            Place::Strings(_) | Place::Twins(_) => self.step(),
            Place::Descriptions(_) if !is_empty => self.step()?.document()?.get("description"),
            _ => None,
        }
    }

    /// What a legacy document goes to.
    pub(crate) fn of_document(&mut self) -> Option<Value<'t>> {
        match self.place {
            Place::Mirrors(_) | Place::Twins(_) => self.step(),
            _ => None,
        }
    }

    /// What any other legacy value goes to.
    pub(crate) fn of_other(&mut self) -> Option<Value<'t>> {
        match self.place {
            Place::Twins(_) => self.step(),
            _ => None,
        }
    }
}

/// The place of a document that is on a shelf.
pub(crate) fn place_of(shelf: ShelfName, index: usize, document: Document<'_>) -> Place<'_> {
    match shelf {
        ShelfName::Outline => Place::Outline(index),
        ShelfName::Chapters => Place::Chapter(index),
        ShelfName::Characters => Place::Character(document),
        ShelfName::Locations => Place::Location(document),
        ShelfName::Alerts => Place::Alert(document),
        ShelfName::Decisions => Place::Decision(document),
        ShelfName::Enhancements => Place::Enhancement(document),
    }
}

fn get<'t>(document: Fields<'t>, name: &str) -> Option<Value<'t>> {
    document?.get(name)
}

fn nested<'t>(document: Document<'t>, name: &str) -> Fields<'t> {
    document.get(name).and_then(Value::document)
}

fn array<'t>(document: Fields<'t>, name: &str) -> Option<Place<'t>> {
    get(document, name).and_then(Value::array).map(Place::Mirrors)
}

fn strings<'t>(document: Document<'t>, name: &str) -> Option<Place<'t>> {
    document.get(name).and_then(Value::array).map(Place::Strings)
}

/// The failure of the job itself: the first one that names no chapter.
fn own_failure(failures: Value<'_>) -> Fields<'_> {
    failures.array()?.values().filter_map(Value::document).find(|failure| {
        nested(*failure, "metadata").is_some_and(|about| about.get("chapterNumber").is_none())
    })
}

fn books<'t>(array: Value<'t>, open: impl Fn(Document<'t>) -> Book<'t>) -> Vec<Book<'t>> {
    let Some(array) = array.array() else { return Vec::new() };
    array.values().filter_map(Value::document).map(open).collect()
}

fn entries(map: Value<'_>) -> Vec<Book<'_>> {
    let Some(map) = map.document() else { return Vec::new() };
    map.elements()
        .filter_map(|entry| {
            let document = entry.value.document()?;
            Some(Book { document, called: hash(entry.name), fields: [None; 7] })
        })
        .collect()
}

fn outline_entry(document: Document<'_>) -> Book<'_> {
    let [title, summary, events, human, focus, plot, genre] = OUTLINE_FIELDS;
    let [number, fields @ ..] =
        pick(document, &["chapterNumber", title, summary, events, human, focus, plot, genre]);
    Book { document, called: by_number(number), fields }
}

fn chapter(document: Document<'_>) -> Book<'_> {
    let [title, content, legacy] = CHAPTER_FIELDS;
    let [number, title, content, legacy] =
        pick(document, &["chapterNumber", title, content, legacy]);
    let fields = [title, content, legacy, None, None, None, None];
    Book { document, called: by_number(number), fields }
}

fn by_number(number: Option<Value<'_>>) -> u32 {
    // Adding 0.0 makes -0.0 the same number as 0.0.
    let number = number.and_then(Value::numeric).map(|number| number + 0.0);
    hash(&number.unwrap_or(f64::NAN).to_le_bytes())
}

fn by_id<'t>(document: Document<'t>, name: &str) -> Book<'t> {
    let called = hash(document.get(name).and_then(Value::string).unwrap_or_default());
    Book { document, called, fields: [None; 7] }
}

/// FNV-1a, 32 bits: enough to find a document, and not to mistake another one for it.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
