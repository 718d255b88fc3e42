//! One document to its anonymised copy: the same fields in the same order with the same types, and
//! nobody's text.

use super::compared::Compared;
use super::dates::Shift;
use super::ids::Ids;
use super::key::Key;
use super::names::{Names, Unfit};
use super::pen::{Ink, Pen};
use super::policy::Policy;
use super::relationships::{characters, relationship};
use super::rule::{Class, How, Rule};
use super::values;
use super::walk::{Spot, code_and_scope, is_index, pattern_and_options, pointer, text_in};
use reshelve_core::raw::{self, Document, Element, Value, Writer, kind};
use reshelve_words::Draw;

/// What all documents are rewritten with.
#[derive(Clone, Copy)]
pub(super) struct Rewriting<'a> {
    pub(super) key: &'a Key,
    pub(super) policy: &'a Policy,
    pub(super) pen: Pen<'a>,
    /// Whether the dates of all jobs are shifted alike.
    pub(super) keep_order: bool,
}

/// What the drawing for a job depends on: its job id, or what it has instead of one.
pub(super) fn job_of(document: Document<'_>) -> Vec<u8> {
    match document.get("_id") {
        None => Vec::new(),
        Some(id) => match (id.object_id(), id.string()) {
            (Some(id), _) => raw::hex(&id).into_bytes(),
            (_, Some(text)) => text.to_vec(),
            _ => [&[id.kind], id.bytes].concat(),
        },
    }
}

impl<'a> Rewriting<'a> {
    /// How the dates of a job are shifted.
    pub(super) fn shift(&self, job: &[u8]) -> Shift {
        Shift::of_job(self.key, job, self.keep_order)
    }

    /// Appends the copy of a document to `out`. Each attempt draws other text; ids and dates are
    /// the same in all of them.
    pub(super) fn rewrite(
        &self,
        document: Document<'_>,
        attempt: u8,
        out: Vec<u8>,
    ) -> Result<Vec<u8>, Unfit> {
        let job = job_of(document);
        let key = self.key.derive("job", &[&job, &[attempt]]);
        let keys = map_keys(document);
        let names = Names::new(&key, &self.pen, &keys)?;
        let own = document.get("_id").and_then(|id| {
            id.object_id().or_else(|| id.string().and_then(super::ids::object_id_of_hex))
        });
        let shift = self.shift(&job);
        let lists = (self.pen.lexicon, self.pen.corpus);
        let ids = Ids::new(self.key, lists, (shift, self.keep_order), own);
        let characters = characters(document, &names);
        let mut copying = Copying {
            rewriting: self,
            key: &key,
            job: &job,
            names: &names,
            ids: &ids,
            shift,
            characters,
            texts: Compared::default(),
            fields: Compared::default(),
            out: Writer::new(out),
            path: Vec::new(),
            ordinal: 0,
            owed: 0,
        };
        let mark = copying.out.begin();
        copying.fields(document, Spot::Known(Policy::ROOT));
        copying.out.end(mark);
        Ok(copying.out.into_bytes())
    }
}

/// The keys of the characters and locations of a document, wherever these occur.
fn map_keys(document: Document<'_>) -> Vec<&[u8]> {
    fn below<'d>(document: Document<'d>, name: &[u8]) -> impl Iterator<Item = Document<'d>> {
        let named = document.elements().filter(move |element| element.name == name);
        named.filter_map(|element| element.value.document())
    }
    let mut keys = Vec::new();
    for metadata in below(document, b"metadata") {
        for bible in below(metadata, b"storyBible") {
            for map in below(bible, b"characters").chain(below(bible, b"locations")) {
                keys.extend(map.elements().map(|element| element.name));
            }
        }
    }
    keys
}

/// A document that is being copied.
struct Copying<'a> {
    rewriting: &'a Rewriting<'a>,
    key: &'a Key,
    job: &'a [u8],
    names: &'a Names,
    ids: &'a Ids<'a>,
    shift: Shift,
    /// The keys of the characters and their pseudonyms, longest first.
    characters: Vec<(Vec<u8>, Vec<u8>)>,
    /// Texts that the mapping compares.
    texts: Compared,
    /// Names of fields that the policy does not know.
    fields: Compared,
    out: Writer,
    /// Where the walk is, as names and positions.
    path: Vec<u8>,
    /// How many texts there were before.
    ordinal: u32,
    /// How many bytes the copy is behind.
    owed: i64,
}

impl Copying<'_> {
    fn fields(&mut self, document: Document<'_>, spot: Spot) {
        for Element { name, value, .. } in document.elements() {
            let (at, is_data) = spot.field(self.rewriting.policy, name);
            if is_data {
                let name = self.data_name(name, at);
                self.element(&name, value, at);
            } else {
                self.element(name, value, at);
            }
        }
    }

    fn elements(&mut self, array: Document<'_>, spot: Spot) {
        let at = spot.elements(self.rewriting.policy);
        for (index, Element { name, value, .. }) in array.elements().enumerate() {
            if is_index(name, index) {
                self.element(name, value, at);
            } else {
                let name = self.field_name(name);
                self.element(&name, value, at);
            }
        }
    }

    /// The replacement of a name that is data: the pseudonym of a character or location, or a name
    /// of a field that nobody knows.
    fn data_name(&mut self, name: &[u8], at: Spot) -> Vec<u8> {
        match at {
            Spot::Known(node) if self.rewriting.policy.class(node) == Some(Class::Name) => {
                let Some(pseudonym) = self.names.of_key(name) else { return self.field_name(name) };
                let pseudonym = pseudonym.to_vec();
                self.owe(name.len(), pseudonym.len());
                pseudonym
            }
            _ => self.field_name(name),
        }
    }

    fn field_name(&mut self, name: &[u8]) -> Vec<u8> {
        let mut fields = std::mem::take(&mut self.fields);
        let drawn = fields.of(name, |attempt, out| {
            self.whole("field", name, attempt, out);
            // A name of the schema would be read.
            !self.rewriting.policy.is_name(out)
        });
        self.fields = fields;
        self.owe(name.len(), drawn.len());
        drawn
    }

    fn owe(&mut self, was: usize, is: usize) {
        let bytes = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        self.owed += bytes(was) - bytes(is);
    }

    /// Writes an element whose name is settled.
    fn element(&mut self, name: &[u8], value: Value<'_>, at: Spot) {
        let above = self.path.len();
        self.path.push(b'.');
        self.path.extend_from_slice(name);
        match value.kind {
            kind::DOCUMENT => {
                let mark = self.out.begin_nested(value.kind, name);
                self.fields(Document::new(value.bytes), at);
                self.out.end(mark);
            }
            kind::ARRAY => {
                let mark = self.out.begin_nested(value.kind, name);
                self.elements(Document::new(value.bytes), at);
                self.out.end(mark);
            }
            _ => {
                self.out.header(value.kind, name);
                self.value(name, value, at);
            }
        }
        self.path.truncate(above);
    }

    /// Writes a value that is neither document nor array.
    fn value(&mut self, name: &[u8], value: Value<'_>, at: Spot) {
        match value.kind {
            kind::STRING => {
                let text = self.string(value.string().unwrap_or_default(), at);
                self.out.text(&text);
            }
            kind::CODE | kind::SYMBOL => {
                let text = self.prose(text_in(value.bytes));
                self.out.text(&text);
            }
            kind::CODE_WITH_SCOPE => self.code_with_scope(value.bytes, at),
            kind::REGEX => self.regex(value.bytes),
            kind::DB_POINTER => {
                let (namespace, id) = pointer(value.bytes);
                let namespace = self.prose(namespace);
                self.out.text(&namespace);
                self.out.extend(&self.ids.object_id(id));
            }
            kind::OBJECT_ID => {
                let id = value.object_id().unwrap_or_default();
                let is_own = name == b"_id";
                let id = if is_own { self.ids.own_object_id(id) } else { self.ids.object_id(id) };
                self.out.extend(&id);
            }
            kind::BINARY => {
                let bytes = values::binary(value.bytes, &mut self.place("binary"));
                self.out.extend(&bytes);
            }
            kind::DATE => {
                let date_ms = value.date_ms().unwrap_or_default();
                let shift = self.shift;
                let shifted = shift.date(date_ms, || self.place("date"));
                self.out.extend(&shifted.to_le_bytes());
            }
            kind::TIMESTAMP => self.timestamp(value.bytes),
            kind::INT32 | kind::INT64 | kind::DOUBLE | kind::DECIMAL128 => self.number(value, at),
            _ => self.out.extend(value.bytes),
        }
    }

    fn number(&mut self, value: Value<'_>, at: Spot) {
        let rule = match at {
            Spot::Known(node) => self.rewriting.policy.rule(node),
            Spot::Below(_) => None,
        };
        match rule {
            Some(Rule { class: Class::Keep, how: How::Number })
                if value.kind != kind::DECIMAL128 =>
            {
                self.out.extend(value.bytes);
            }
            Some(Rule { class: Class::Date, .. }) => {
                let shift = self.shift;
                let number = values::date_number(value, shift, &mut self.place("number"));
                self.out.extend(&number);
            }
            Some(Rule { class: Class::Id, .. }) => {
                // The same id is the same number everywhere.
                let mut draw = self.rewriting.key.draw("id number", &[&[value.kind], value.bytes]);
                self.out.extend(&values::number(value, &mut draw));
            }
            _ => {
                let number = values::number(value, &mut self.place("number"));
                self.out.extend(&number);
            }
        }
    }

    /// The server's internal type: an increment, and seconds since 1970.
    fn timestamp(&mut self, bytes: &[u8]) {
        let (increment, seconds) = bytes.split_at(bytes.len().min(4));
        let seconds = seconds.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        self.out.extend(increment);
        self.out.extend(&self.shift.seconds(seconds).to_le_bytes());
    }

    fn code_with_scope(&mut self, bytes: &[u8], at: Spot) {
        let (code, scope) = code_and_scope(bytes);
        let code = self.prose(code);
        let start = self.out.len();
        self.out.extend(&[0; 4]);
        self.out.text(&code);
        let mark = self.out.begin();
        self.fields(Document::new(scope), Spot::Below(at.node()));
        self.out.end(mark);
        self.out.patch_length(start);
    }

    /// The letter after a backslash stays, so that what was a pattern is one; options that exist do.
    fn regex(&mut self, bytes: &[u8]) {
        let (pattern, options) = pattern_and_options(bytes);
        let mut drawn = Vec::new();
        for (index, part) in pattern.split(|byte| *byte == b'\\').enumerate() {
            let escaped = usize::from(index > 0).min(part.len());
            if index > 0 {
                drawn.push(b'\\');
            }
            let is_letter = part[..escaped].iter().all(u8::is_ascii);
            let escaped = if is_letter { escaped } else { 0 };
            drawn.extend_from_slice(&part[..escaped]);
            let rest = self.prose(&part[escaped..]);
            drawn.extend_from_slice(&rest);
        }
        self.out.extend(&drawn);
        self.out.extend(&[0]);
        let options =
            options.iter().map(|option| if b"ilmsux".contains(option) { *option } else { b'i' });
        let options: Vec<u8> = options.collect();
        self.out.extend(&options);
        self.out.extend(&[0]);
    }

    /// The replacement of a string, by its rule.
    fn string(&mut self, text: &[u8], at: Spot) -> Vec<u8> {
        let policy = self.rewriting.policy;
        let rule = match at {
            Spot::Known(node) if policy.is_closed_value(node, text) => return text.to_vec(),
            Spot::Known(node) => policy.rule(node),
            Spot::Below(_) => None,
        };
        let Some(rule) = rule else { return self.prose(text) };
        let drawn = match (rule.class, &rule.how) {
            (Class::Id, How::Entry) => self.ids.entry(self.job, text),
            (Class::Id, _) => self.ids.string(text),
            (Class::Name, _) => match self.names.of_key(text) {
                Some(pseudonym) => pseudonym.to_vec(),
                None => self.compared(text),
            },
            (Class::Prose, How::Whole) => self.compared(text),
            (Class::Prose, How::Relationship) => {
                let characters = std::mem::take(&mut self.characters);
                let drawn = relationship(text, &characters, |part| self.piece(part));
                self.characters = characters;
                drawn
            }
            _ => return self.prose(text),
        };
        self.owe(text.len(), drawn.len());
        drawn
    }

    /// Text that depends on its place.
    fn prose(&mut self, text: &[u8]) -> Vec<u8> {
        let drawn = self.piece(text);
        self.owe(text.len(), drawn.len());
        drawn
    }

    fn piece(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + text.len() / 16);
        let draw = self.place("prose");
        let mut ink = Ink { draw, names: Some(self.names), ids: self.ids };
        self.rewriting.pen.text(text, &mut ink, self.owed, &mut out);
        out
    }

    /// A stream of bytes for the place where the walk is.
    fn place(&mut self, purpose: &str) -> Draw {
        self.ordinal += 1;
        self.key.draw(purpose, &[&self.path, &self.ordinal.to_le_bytes()])
    }

    /// Text that depends on the whole of what it replaces.
    fn compared(&mut self, text: &[u8]) -> Vec<u8> {
        let mut texts = std::mem::take(&mut self.texts);
        let drawn = texts.of(text, |attempt, out| {
            self.whole("text", text, attempt, out);
            true
        });
        self.texts = texts;
        drawn
    }

    fn whole(&self, purpose: &str, text: &[u8], attempt: u8, out: &mut Vec<u8>) {
        let draw = self.key.draw(purpose, &[text, &[attempt]]);
        let mut ink = Ink { draw, names: Some(self.names), ids: self.ids };
        self.rewriting.pen.text(text, &mut ink, 0, out);
    }
}
