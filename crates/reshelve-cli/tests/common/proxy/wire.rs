//! MongoDB's wire protocol, as far as a log of commands needs it: what a request asks for, which
//! documents it writes, and what its reply says.
//!
//! Documents stay raw: a server may be sent one that cannot be decoded.

use std::io::{self, Read};

use mongodb::bson::{Bson, Document, RawArray, RawBsonRef, RawDocument};

/// A message above this is taken for a desynchronised stream: the limit is 48 000 000 bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

const HEADER_BYTES: usize = 16;
const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_COMPRESSED: i32 = 2012;
const OP_MSG: i32 = 2013;

/// Flags of `OP_MSG`.
const CHECKSUM_PRESENT: u32 = 1;
const MORE_TO_COME: u32 = 1 << 1;
const EXHAUST_ALLOWED: u32 = 1 << 16;

/// A message, whole.
#[derive(Clone)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Which connection of the proxy it came through, counted from 0.
    pub(crate) connection: usize,
    /// The client's number for it, which the reply repeats.
    pub(crate) id: i32,
    /// The name of the command, such as `insert`.
    pub(crate) command: String,
    pub(crate) db: String,
    /// The collection, for commands on one.
    pub(crate) collection: String,
    /// What it writes, in its order.
    pub(crate) writes: Vec<Write>,
    /// The number of the transaction or of the retryable write.
    pub(crate) txn_number: Option<i64>,
    pub(crate) starts_transaction: bool,
    /// Whether it is a part of a transaction, commit and abort included.
    pub(crate) in_transaction: bool,
    /// Whether the client waits for a reply.
    pub(crate) wants_reply: bool,
    /// Whether it updates with a pipeline, which not every server can.
    pub(crate) has_pipeline: bool,
    /// The command itself, without document sequences.
    pub(crate) body: Document,
}

impl Request {
    /// Whether it changes something, or makes a change count.
    pub(crate) fn is_change(&self) -> bool {
        let command = self.command.as_str();
        ["insert", "update", "delete", "findAndModify", "commitTransaction"].contains(&command)
    }
}

/// One write of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    /// Database and collection.
    pub(crate) namespace: String,
    pub(crate) what: What,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// A document with this `_id`.
    Insert(Bson),
    /// The documents that this filter selects.
    Update(Document),
    /// The documents that this filter selects.
    Delete(Document),
}

/// What a reply says.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) connection: usize,
    /// The id of the request.
    pub(crate) response_to: i32,
    pub(crate) ok: bool,
    /// The code of a command that failed.
    pub(crate) code: Option<i32>,
    /// How many documents were inserted, matched or deleted.
    pub(crate) n: Option<i64>,
    /// The places of writes that failed, with their codes.
    pub(crate) write_errors: Vec<(usize, i32)>,
    pub(crate) write_concern_error: Option<i32>,
}

impl Reply {
    /// Whether the whole request is acknowledged as done.
    pub(crate) fn is_success(&self) -> bool {
        self.ok && self.write_errors.is_empty() && self.write_concern_error.is_none()
    }
}

impl Message {
    /// Reads a message; None at the end of the stream.
    pub(crate) fn read(stream: &mut impl Read) -> io::Result<Option<Message>> {
        let mut bytes = vec![0; HEADER_BYTES];
        match stream.read(&mut bytes[..1])? {
            0 => return Ok(None),
            _ => stream.read_exact(&mut bytes[1..])?,
        }
        let length = usize::try_from(number(&bytes, 0)).unwrap_or(usize::MAX);
        if !(HEADER_BYTES..=MESSAGE_BYTES_MAX).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no length of a message"));
        }
        bytes.resize(length, 0);
        stream.read_exact(&mut bytes[HEADER_BYTES..])?;
        Ok(Some(Message { bytes }))
    }

    /// A reply of one document.
    pub(crate) fn reply_to(request: &Request, document: &Document) -> Message {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[8..12].copy_from_slice(&request.id.to_le_bytes());
        bytes[12..16].copy_from_slice(&OP_MSG.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.push(0);
        bytes.extend(document.to_vec().unwrap());
        Message::of(bytes)
    }

    fn of(mut bytes: Vec<u8>) -> Message {
        let length = i32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        Message { bytes }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn request(&self, connection: usize) -> Request {
        let id = number(&self.bytes, 4);
        let (command, mut sequences) = self.command();
        let text = |name: &str| command.get_str(name).map(str::to_owned).unwrap_or_default();
        let name =
            command.iter().next().map(|first| first.unwrap().0.to_string()).unwrap_or_default();
        let db = text("$db");
        // Cursors are named by a number, and their collection beside it.
        let collection = if name == "getMore" { text("collection") } else { text(&name) };
        // Lists of writes may be in the command or beside it.
        for list in ["documents", "updates", "deletes", "ops", "nsInfo"] {
            if let Ok(array) = command.get_array(list) {
                sequences.push((list.to_owned(), documents_of(array)));
            }
        }
        let mut updates = sequences.iter().filter(|(known, _)| known == "updates");
        let has_pipeline = command.get_array("update").is_ok()
            || updates.any(|(_, list)| list.iter().any(|one| one.get_array("u").is_ok()));
        let writes = writes(&name, &format!("{db}.{collection}"), command, &sequences);
        let flag = |name: &str| command.get_bool(name).ok();
        Request {
            connection,
            id,
            writes,
            txn_number: command.get_i64("txnNumber").ok(),
            starts_transaction: flag("startTransaction") == Some(true),
            in_transaction: flag("autocommit") == Some(false),
            has_pipeline,
            wants_reply: self.flags() & MORE_TO_COME == 0,
            body: without_lists(command),
            command: name,
            db,
            collection,
        }
    }

    pub(crate) fn reply(&self, connection: usize) -> Reply {
        let (answer, _) = self.command();
        let numeric = |name: &str| answer.get(name).ok().flatten().and_then(numeric);
        let code_of = |name: &str| {
            let error = answer.get_document(name).ok()?;
            error.get("code").ok().flatten().and_then(self::numeric)
        };
        let errors = answer.get_array("writeErrors").map(documents_of).unwrap_or_default();
        let place_and_code = |error: RawDoc<'_>| {
            let number = |name| error.get(name).ok().flatten().and_then(self::numeric).unwrap_or(0);
            (usize::try_from(number("index")).unwrap(), small(number("code")))
        };
        Reply {
            connection,
            response_to: number(&self.bytes, 8),
            ok: numeric("ok") == Some(1),
            code: numeric("code").map(small),
            n: numeric("n"),
            write_errors: errors.into_iter().map(place_and_code).collect(),
            write_concern_error: code_of("writeConcernError").map(small),
        }
    }

    /// The same reply with a changed document. What would make the client keep the stream open
    /// for more goes: each reply stands for itself.
    pub(crate) fn edited(&self, edit: impl Fn(&mut Document)) -> Message {
        let at = match number(&self.bytes, 12) {
            OP_REPLY => HEADER_BYTES + 20,
            OP_MSG => HEADER_BYTES + 5,
            _ => return self.clone(),
        };
        let mut document: Document = self.command().0.try_into().unwrap();
        edit(&mut document);
        let mut bytes = self.bytes[..at].to_vec();
        if number(&self.bytes, 12) == OP_MSG {
            let flags = self.flags() & !(CHECKSUM_PRESENT | MORE_TO_COME | EXHAUST_ALLOWED);
            bytes[HEADER_BYTES..HEADER_BYTES + 4].copy_from_slice(&flags.to_le_bytes());
        }
        bytes.extend(document.to_vec().unwrap());
        Message::of(bytes)
    }

    fn flags(&self) -> u32 {
        match number(&self.bytes, 12) {
            OP_MSG => u32::from_le_bytes(self.bytes[16..20].try_into().unwrap()),
            _ => 0,
        }
    }

    /// The command or the answer, and the document sequences beside it.
    fn command(&self) -> (&RawDocument, Sequences<'_>) {
        let mut rest = &self.bytes[HEADER_BYTES..];
        let mut sequences = Vec::new();
        let mut command = RawDocument::from_bytes(EMPTY).unwrap();
        match number(&self.bytes, 12) {
            OP_MSG => {
                let end = rest.len() - if self.flags() & CHECKSUM_PRESENT == 0 { 0 } else { 4 };
                rest = &rest[4..end];
                while let Some((&kind, body)) = rest.split_first() {
                    let (section, after) = body.split_at(length(body));
                    rest = after;
                    match kind {
                        0 => command = RawDocument::from_bytes(section).unwrap(),
                        1 => sequences.push(sequence(section)),
                        kind => panic!("a section of kind {kind}"),
                    }
                }
            }
            // Flags, cursor, where it starts, how many; then the answer.
            OP_REPLY => command = RawDocument::from_bytes(first(&rest[20..])).unwrap(),
            // Flags, the collection `admin.$cmd`, two numbers; then the command.
            OP_QUERY => {
                let name = rest[4..].iter().position(|byte| *byte == 0).unwrap();
                command = RawDocument::from_bytes(first(&rest[4 + name + 1 + 8..])).unwrap();
            }
            OP_COMPRESSED => panic!("a compressed message: leave compressors out"),
            code => panic!("a message of kind {code}"),
        }
        (command, sequences)
    }
}

type RawDoc<'m> = &'m RawDocument;
type Sequences<'m> = Vec<(String, Vec<RawDoc<'m>>)>;

/// A document without elements.
const EMPTY: &[u8] = &[5, 0, 0, 0, 0];

/// A section of kind 1, from its length on: a name, and documents back to back.
fn sequence(section: &[u8]) -> (String, Vec<RawDoc<'_>>) {
    let end = section[4..].iter().position(|byte| *byte == 0).unwrap() + 4;
    let name = String::from_utf8(section[4..end].to_vec()).unwrap();
    let mut rest = &section[end + 1..];
    let mut documents = Vec::new();
    while !rest.is_empty() {
        let (document, after) = rest.split_at(length(rest));
        documents.push(RawDocument::from_bytes(document).unwrap());
        rest = after;
    }
    (name, documents)
}

fn documents_of(array: &RawArray) -> Vec<RawDoc<'_>> {
    let values = array.into_iter().map(Result::unwrap);
    values.filter_map(RawBsonRef::as_document).collect()
}

/// What a command writes.
fn writes(
    name: &str,
    namespace: &str,
    command: &RawDocument,
    sequences: &Sequences<'_>,
) -> Vec<Write> {
    let list = |name: &'static str| {
        let found = sequences.iter().filter(move |(known, _)| known == name);
        found.flat_map(|(_, documents)| documents.iter().copied())
    };
    let here = |what| Write { namespace: namespace.to_owned(), what };
    match name {
        "insert" => list("documents").map(|document| here(What::Insert(id(document)))).collect(),
        "update" => list("updates").map(|one| here(What::Update(filter(one, "q")))).collect(),
        "delete" => list("deletes").map(|one| here(What::Delete(filter(one, "q")))).collect(),
        "findAndModify" | "findandmodify" => {
            let removes = command.get_bool("remove").unwrap_or(false);
            let filter = filter(command, "query");
            vec![here(if removes { What::Delete(filter) } else { What::Update(filter) })]
        }
        "bulkWrite" => {
            let namespaces: Vec<&str> =
                list("nsInfo").map(|one| one.get_str("ns").unwrap()).collect();
            let write = |one: RawDoc<'_>| {
                let (kind, place) = one.iter().next().unwrap().unwrap();
                let what = match kind.as_str() {
                    "insert" => What::Insert(id(one.get_document("document").unwrap())),
                    "update" => What::Update(filter(one, "filter")),
                    "delete" => What::Delete(filter(one, "filter")),
                    kind => panic!("a bulk write that would {kind}"),
                };
                let place = usize::try_from(numeric(place).unwrap()).unwrap();
                Write { namespace: namespaces[place].to_owned(), what }
            };
            list("ops").map(write).collect()
        }
        _ => Vec::new(),
    }
}

/// The `_id` of a document that is inserted; null where the server makes one.
fn id(document: &RawDocument) -> Bson {
    document.get("_id").unwrap().map_or(Bson::Null, |id| id.try_into().unwrap())
}

fn filter(of: &RawDocument, name: &str) -> Document {
    of.get_document(name).map(|filter| filter.try_into().unwrap()).unwrap_or_default()
}

/// The command without the lists of documents that it may hold, and without what every one has.
fn without_lists(command: &RawDocument) -> Document {
    const LEFT_OUT: [&str; 7] =
        ["documents", "updates", "deletes", "ops", "nsInfo", "$clusterTime", "$readPreference"];
    let mut body = Document::new();
    for element in command.iter_elements() {
        let element = element.unwrap();
        let key = element.key();
        if LEFT_OUT.iter().all(|name| key != *name) {
            body.insert(key.to_string(), Bson::try_from(element.value().unwrap()).unwrap());
        }
    }
    body
}

fn numeric(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(number) => Some(i64::from(number)),
        RawBsonRef::Int64(number) => Some(number),
        RawBsonRef::Double(number) => Some(number as i64),
        _ => None,
    }
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap()
}

fn number(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The length that a document or a section begins with.
fn length(bytes: &[u8]) -> usize {
    usize::try_from(number(bytes, 0)).unwrap()
}

/// The document at the beginning.
fn first(bytes: &[u8]) -> &[u8] {
    &bytes[..length(bytes)]
}

#[path = "wire_tests.rs"]
mod tests;
