//! What a move from one live database to another is measured against: the official driver alone,
//! which reads batches of raw documents and inserts them as they are.
//!
//! `plain_copy FROM TO NAME…` copies these collections from the database that the first connection
//! string names into that of the second, one batch after the other, unordered, acknowledged by the
//! majority; then prints the seconds it took. `plain_copy drop AT NAME…` removes them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement stops where it fails")]
#![expect(clippy::print_stdout, reason = "its answer")]

use std::time::Instant;

use futures_util::StreamExt;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::options::{FindOptions, InsertManyOptions, WriteConcern};
use mongodb::{Client, Database};

const BATCH_DOCS: u32 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, names @ ..] = arguments.as_slice() else {
        panic!("plain_copy FROM TO NAME…");
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let started = Instant::now();
    runtime.block_on(async {
        let to = database(to).await;
        for name in names {
            if from == "drop" {
                to.collection::<RawDocumentBuf>(name).drop().await.unwrap();
            } else {
                copy(&database(from).await, &to, name).await;
            }
        }
    });
    println!("{:.3}", started.elapsed().as_secs_f64());
}

async fn database(uri: &str) -> Database {
    let client = Client::with_uri_str(uri).await.unwrap();
    client.default_database().expect("the connection string names a database")
}

async fn copy(from: &Database, to: &Database, name: &str) {
    let find = FindOptions::builder().batch_size(BATCH_DOCS).build();
    let source = from.collection::<RawDocumentBuf>(name);
    let mut cursor = source.find(doc! {}).with_options(find).batch().await.unwrap();
    let mut options = InsertManyOptions::default();
    options.ordered = Some(false);
    options.write_concern = Some(WriteConcern::majority());
    let target = to.collection::<RawDocumentBuf>(name);
    while let Some(reply) = cursor.next().await {
        let reply = reply.unwrap();
        let documents = reply.doc_slices().unwrap().into_iter().flatten();
        let batch: Vec<RawDocumentBuf> =
            documents.filter_map(|it| it.as_document().map(ToOwned::to_owned)).collect();
        if !batch.is_empty() {
            target.insert_many(&batch).with_options(options.clone()).await.unwrap();
        }
    }
}
