//! The wire protocol as clients may speak it, and streams that are none.

use mongodb::bson::doc;

use super::*;

/// A request of these sections, as a client may send it.
fn message(flags: u32, sections: &[Vec<u8>]) -> Message {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[4..8].copy_from_slice(&7_i32.to_le_bytes());
    bytes[12..16].copy_from_slice(&OP_MSG.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(sections.concat());
    if flags & CHECKSUM_PRESENT != 0 {
        bytes.extend([0xff; 4]);
    }
    let written = Message::of(bytes);
    Message::read(&mut written.bytes()).unwrap().unwrap()
}

fn command(document: &Document) -> Vec<u8> {
    [vec![0], document.to_vec().unwrap()].concat()
}

fn beside(name: &str, documents: &[Document]) -> Vec<u8> {
    let mut body = [name.as_bytes(), &[0]].concat();
    body.extend(documents.iter().flat_map(|document| document.to_vec().unwrap()));
    let length = i32::try_from(body.len() + 4).unwrap();
    [&[1], length.to_le_bytes().as_slice(), &body].concat()
}

#[test]
fn documents_beside_a_command_and_in_it_are_read_alike() {
    let documents = [doc! { "_id": 1, "a": 1 }, doc! { "a": 2, "_id": "x" }];
    let insert = doc! { "insert": "jobs", "$db": "d", "txnNumber": 3_i64, "autocommit": false };
    let mut inside = insert.clone();
    inside.insert("documents", documents.to_vec());
    let ids = [Bson::from(1), Bson::from("x")];
    let expected = ids.map(|id| Write { namespace: "d.jobs".to_owned(), what: What::Insert(id) });
    // A sequence may come before the command.
    let sections = [beside("documents", &documents), command(&insert)];
    for (flags, sections) in [
        (0, [command(&inside)].as_slice()),
        (CHECKSUM_PRESENT, &sections),
        (CHECKSUM_PRESENT | MORE_TO_COME, &sections),
    ] {
        let request = message(flags, sections).request(2);
        assert_eq!((request.connection, request.id), (2, 7));
        assert_eq!((request.command.as_str(), request.collection.as_str()), ("insert", "jobs"));
        assert_eq!(request.writes, expected);
        assert_eq!(request.txn_number, Some(3));
        assert!(request.in_transaction && !request.starts_transaction);
        assert_eq!(request.wants_reply, flags & MORE_TO_COME == 0);
        assert_eq!(request.body, insert);
    }
}

#[test]
fn every_command_that_writes_says_what() {
    let bulk = command(&doc! { "bulkWrite": 1, "$db": "admin" });
    let ops = [
        doc! { "insert": 1, "document": { "_id": 5 } },
        doc! { "update": 0, "filter": { "a": 1 }, "updateMods": { "$set": { "b": 1 } } },
        doc! { "delete": 1, "filter": { "c": 1 } },
    ];
    let namespaces = [doc! { "ns": "d.one" }, doc! { "ns": "d.two" }];
    let bulk = message(0, &[bulk, beside("ops", &ops), beside("nsInfo", &namespaces)]);
    let here = |namespace: &str, what| Write { namespace: namespace.to_owned(), what };
    let expected = [
        here("d.two", What::Insert(5.into())),
        here("d.one", What::Update(doc! { "a": 1 })),
        here("d.two", What::Delete(doc! { "c": 1 })),
    ];
    assert_eq!(bulk.request(0).writes, expected);
    let filter = doc! { "_id": 1 };
    for (mut written, list, what) in [
        (doc! { "update": "c" }, "updates", What::Update(filter.clone())),
        (doc! { "delete": "c" }, "deletes", What::Delete(filter.clone())),
    ] {
        written.insert("$db", "d");
        let one = [doc! { "q": filter.clone(), "limit": 0 }];
        let sent = message(0, &[command(&written), beside(list, &one)]);
        assert_eq!(sent.request(0).writes, [here("d.c", what)]);
    }
    for (removes, what) in
        [(true, What::Delete(filter.clone())), (false, What::Update(filter.clone()))]
    {
        let one =
            doc! { "findAndModify": "c", "query": filter.clone(), "remove": removes, "$db": "d" };
        assert_eq!(message(0, &[command(&one)]).request(0).writes, [here("d.c", what)]);
    }
}

#[test]
fn a_reply_that_is_edited_stands_for_itself() {
    let answer = doc! { "ok": 1.0, "n": 2, "writeErrors": [{ "index": 1, "code": 11_000 }] };
    let streamed = message(CHECKSUM_PRESENT | MORE_TO_COME, &[command(&answer)]);
    let reply = streamed.reply(0);
    assert!(reply.ok && !reply.is_success());
    assert_eq!((reply.n, reply.write_errors.as_slice()), (Some(2), [(1, 11_000)].as_slice()));
    let edited = streamed.edited(|answer| drop(answer.remove("writeErrors")));
    assert_eq!(edited.flags(), 0);
    assert!(edited.reply(0).is_success());
    let read = Message::read(&mut edited.bytes()).unwrap().unwrap();
    assert_eq!(read.bytes(), edited.bytes());
    let request = message(0, &[command(&doc! { "ping": 1, "$db": "d" })]).request(0);
    let error = doc! { "ok": 0.0, "code": 13, "errmsg": "no" };
    let refused = Message::reply_to(&request, &error).reply(4);
    assert!(!refused.ok && (refused.connection, refused.response_to) == (4, 7));
    assert_eq!(refused.code, Some(13));
}

#[test]
fn a_stream_that_is_none_is_an_error() {
    let mut torn: &[u8] = &[40, 0, 0, 0, 1, 2];
    assert!(Message::read(&mut torn).is_err());
    let mut wild: &[u8] = &[0xff; 32];
    assert!(Message::read(&mut wild).is_err());
    assert!(Message::read(&mut [].as_slice()).unwrap().is_none());
}
