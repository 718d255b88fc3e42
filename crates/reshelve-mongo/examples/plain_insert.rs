//! What a run into a live target is measured against: the official driver's `insert_many` of the
//! same target bytes, and nothing else.
//!
//! `plain_insert URI FOLDER` inserts the four collections of a target folder into the database
//! that the connection string names, in the order of the files, unordered, a thousand documents at
//! a time, acknowledged by the majority; then prints the seconds it took. `plain_insert URI FILE`
//! does the same with the documents of one file, into the collection `jobs`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops where it fails")]
#![expect(clippy::print_stdout, reason = "its answer")]

use std::path::Path;
use std::time::Instant;

use mongodb::Client;
use mongodb::bson::RawDocumentBuf;
use mongodb::options::{InsertManyOptions, WriteConcern};

const COLLECTIONS: [&str; 4] =
    ["novel_job_events", "novel_job_metrics", "novel_job_metadata", "novel_jobs"];
const BATCH_DOCS: usize = 1_000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let uri = arguments.next().expect("a connection string");
    let place = arguments.next().expect("a target's database folder, or a file");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let started = Instant::now();
    runtime.block_on(insert(&uri, Path::new(&place)));
    println!("{:.3}", started.elapsed().as_secs_f64());
}

async fn insert(uri: &str, place: &Path) {
    let client = Client::with_uri_str(uri).await.unwrap();
    let database = client.default_database().expect("the connection string names a database");
    let of_folder = COLLECTIONS.map(|name| (name, place.join(format!("{name}.bson"))));
    let of_file = [("jobs", place.to_owned())];
    for (name, file) in if place.is_dir() { &of_folder[..] } else { &of_file[..] } {
        let collection = database.collection::<RawDocumentBuf>(name);
        let bytes = std::fs::read(file).unwrap();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (mut batch, mut size) = (Vec::new(), 0);
            while batch.len() < BATCH_DOCS && size < BATCH_BYTES && !rest.is_empty() {
                let length = i32::from_le_bytes(*rest.first_chunk().unwrap());
                let (document, behind) = rest.split_at(usize::try_from(length).unwrap());
                batch.push(RawDocumentBuf::from_bytes(document.to_vec()).unwrap());
                size += document.len();
                rest = behind;
            }
            let mut options = InsertManyOptions::default();
            options.ordered = Some(false);
            options.write_concern = Some(WriteConcern::majority());
            collection.insert_many(&batch).with_options(options).await.unwrap();
        }
    }
}
