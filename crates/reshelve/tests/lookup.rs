//! Jobs are found by their ids in target folders and in legacy files of every form, and lists are
//! in order.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use reshelve::ends::{
    Compression, EVENTS_MAX, JobLookup, LIST_MAX, OneJob, SourceSpec, TargetFolder,
};
use reshelve::generate::{FORM_NAMES, Output, Plan, Stream, write};
use reshelve::lookup::{Changes, FolderLookup, Fresh, LegacyLookup, LegacyRequest, card};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{InFlight, Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw::{Document, Value, Writer, documents};

/// Everything that the mapping makes of some documents.
struct Expected {
    /// Job id, and the documents of each collection.
    jobs: Vec<(Vec<u8>, [Vec<u8>; 4])>,
}

impl Expected {
    fn of(legacy: &[Vec<u8>], options: Options) -> Expected {
        let mut mapper = Mapper::new(options);
        let mut jobs: Vec<(Vec<u8>, [Vec<u8>; 4])> = Vec::new();
        for document in legacy {
            let mut out = TargetDocuments::default();
            if let Outcome::Mapped(mapped) = mapper.map(document, &mut out)
                && jobs.iter().all(|(id, _)| *id != mapped.job_id)
            {
                jobs.push((mapped.job_id, out.bytes().map(<[u8]>::to_vec)));
            }
        }
        Expected { jobs }
    }

    fn write(&self, folder: &Path, compression: Compression) -> TargetFolder {
        let target =
            TargetFolder { root: folder.to_owned(), db: "letswriteabook".to_owned(), compression };
        fs::create_dir_all(target.database()).unwrap();
        for collection in Collection::ALL {
            let bytes: Vec<u8> =
                self.jobs.iter().flat_map(|(_, all)| all[collection.index()].clone()).collect();
            let file = fs::File::create(target.file(collection)).unwrap();
            match compression {
                Compression::None => (&file).write_all(&bytes).unwrap(),
                Compression::Gzip => {
                    let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
                    out.write_all(&bytes).unwrap();
                    out.finish().unwrap();
                }
                Compression::Zstd => zstd::stream::copy_encode(&bytes[..], file, 1).unwrap(),
            }
        }
        target
    }

    /// The cards of the newest jobs with one of these statuses, the slow way.
    fn newest(&self, statuses: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut jobs: Vec<&Vec<u8>> = self.jobs.iter().map(|(_, all)| &all[0]).collect();
        jobs.retain(|job| statuses.contains(&text(job, "status")));
        jobs.sort_by_key(|job| {
            std::cmp::Reverse(Document::new(job).get("createdAt").and_then(Value::date_ms))
        });
        jobs.into_iter().take(LIST_MAX).map(|job| card(job)).collect()
    }

    fn check(&self, lookup: &dyn JobLookup, name: &str) {
        let statuses: [&[u8]; 4] = [b"queued", b"running", b"completed", b"failed"];
        let mut asked: Vec<Vec<&[u8]>> = statuses.iter().map(|status| vec![*status]).collect();
        asked.push(statuses.to_vec());
        asked.push(vec![b"no such status", b"failed", b"failed"]);
        asked.push(Vec::new());
        for statuses in asked {
            let found: Vec<Vec<u8>> =
                lookup.newest(&statuses, LIST_MAX).unwrap().iter().map(|job| card(job)).collect();
            let expected = self.newest(&statuses);
            assert_eq!(found, expected, "{name} {statuses:?}");
            let few: Vec<Vec<u8>> =
                lookup.newest(&statuses, 7).unwrap().iter().map(|job| card(job)).collect();
            assert_eq!(few[..], expected[..expected.len().min(7)], "{name} {statuses:?}");
        }
        for (id, all) in &self.jobs {
            assert_eq!(lookup.card(id).unwrap().map(|it| card(&it)), Some(card(&all[0])), "{name}");
            for collection in [Collection::Jobs, Collection::Metrics, Collection::Metadata] {
                let found = lookup.document(collection, id).unwrap();
                assert_eq!(found.as_ref(), Some(&all[collection.index()]), "{name}");
            }
            check_events(lookup, id, &all[Collection::Events.index()]);
            let mut looks = 0;
            let mut look = |job: &dyn OneJob| {
                looks += 1;
                assert_eq!(job.card().unwrap().map(|it| card(&it)), Some(card(&all[0])), "{name}");
                let metrics = job.document(Collection::Metrics).unwrap();
                assert_eq!(metrics.as_ref(), Some(&all[Collection::Metrics.index()]), "{name}");
                assert_eq!(job.events(None).unwrap(), lookup.events(id, None).unwrap(), "{name}");
            };
            lookup.look_at(id, &mut look).unwrap();
            assert_eq!(looks, 1, "{name}");
        }
        for absent in [&b""[..], b"no such job", b"\xff", b"\0"] {
            assert_eq!(lookup.card(absent).unwrap(), None);
            assert_eq!(lookup.document(Collection::Jobs, absent).unwrap(), None);
            assert_eq!(lookup.document(Collection::Metadata, absent).unwrap(), None);
            assert!(lookup.events(absent, None).unwrap().is_empty());
        }
    }
}

#[test]
fn a_legacy_job_that_is_looked_at_is_mapped_once() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(20)).collect();
    let path = folder.path().join("jobs.bson");
    fs::write(&path, legacy.concat()).unwrap();
    let lookup = open_legacy(&path, Options::default(), folder.path());
    let (id, all) = &Expected::of(&legacy, Options::default()).jobs[7];
    let mut look = |job: &dyn OneJob| {
        let answered = job.card().unwrap();
        // What would be read or mapped again from here on is not there any more.
        fs::write(&path, vec![0; legacy.concat().len()]).unwrap();
        assert_eq!(answered, Some(card(&all[0])));
        for collection in [Collection::Jobs, Collection::Metrics, Collection::Metadata] {
            assert_eq!(job.document(collection).unwrap().as_ref(), Some(&all[collection.index()]));
        }
        assert_eq!(job.events(None).unwrap().concat().len(), all[1].len());
    };
    lookup.look_at(id, &mut look).unwrap();
    lookup.card(id).unwrap_err();
}

fn text<'d>(document: &'d [u8], name: &str) -> &'d [u8] {
    Document::new(document).get(name).and_then(Value::string).unwrap()
}

/// Pages through the events of a job, and through pages that begin in the middle.
fn check_events(lookup: &dyn JobLookup, id: &[u8], stored: &[u8]) {
    let mut newest: Vec<&[u8]> = documents(stored).map(|range| &stored[range]).collect();
    newest.reverse();
    let mut before: Option<Vec<u8>> = None;
    let mut found = Vec::new();
    loop {
        let page = lookup.events(id, before.as_deref()).unwrap();
        assert!(page.len() <= EVENTS_MAX);
        let Some(last) = page.last() else { break };
        before = Some(text(last, "emittedAt").to_vec());
        found.extend(page);
    }
    assert_eq!(found, newest);
    let Some(middle) = newest.get(newest.len() / 2) else { return };
    let at = text(middle, "emittedAt");
    let after_it = [at, b"0"].concat();
    assert_eq!(lookup.events(id, Some(&after_it)).unwrap()[0], *middle, "it is less");
    assert_eq!(lookup.events(id, Some(b"")).unwrap().len(), 0);
    assert_eq!(lookup.events(id, Some(b"zzz")).unwrap()[0], newest[0]);
}

fn lifecycle(documents: u64) -> Plan {
    Plan::lifecycle(11, documents)
}

fn open_legacy(path: &Path, options: Options, scratch: &Path) -> LegacyLookup {
    let origin = SourceSpec { path: path.to_owned(), ..SourceSpec::default() };
    let request = LegacyRequest { options, jobs: 2, scratch: scratch.into() };
    LegacyLookup::open(&origin, &request).unwrap()
}

#[test]
fn target_folders_answer_in_every_compression() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(300)).collect();
    let expected = Expected::of(&legacy, Options::default());
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let target = expected.write(&folder.path().join(compression.name()), compression);
        let lookup = FolderLookup::open(&target, &folder.path().into()).unwrap();
        expected.check(&lookup, compression.name());
    }
}

#[test]
fn legacy_files_answer_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(120)).collect();
    let expected = Expected::of(&legacy, Options::default());
    assert!(expected.jobs.len() > 100);
    for (name, form) in FORM_NAMES {
        let output = Output { form, ..Output::new(folder.path().join(name)) };
        write(&lifecycle(120), &output, &mut |_| ()).unwrap();
        let lookup = open_legacy(&output.path, Options::default(), scratch.path());
        if name.starts_with("relaxed") {
            // Numbers lose their types in it: only that jobs are found is the same.
            for (id, _) in &expected.jobs {
                assert!(lookup.card(id).unwrap().is_some(), "{name}");
            }
            continue;
        }
        expected.check(&lookup, name);
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "scratch files have no names");
}

#[test]
fn the_decisions_of_the_mapping_hold() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(Plan::foreign(5, 200)).collect();
    let path = folder.path().join("jobs.bson");
    fs::write(&path, legacy.concat()).unwrap();
    for in_flight in [InFlight::Include, InFlight::Skip, InFlight::AsFailed] {
        let options = Options { in_flight, ..Options::default() };
        let expected = Expected::of(&legacy, options);
        expected.check(&open_legacy(&path, options, folder.path()), in_flight.as_str());
    }
}

#[test]
fn of_documents_with_one_id_the_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut legacy: Vec<Vec<u8>> = Stream::new(lifecycle(60)).collect();
    legacy.extend(Stream::new(Plan::standard(11, 60)));
    let path = folder.path().join("jobs.bson");
    fs::write(&path, legacy.concat()).unwrap();
    let expected = Expected::of(&legacy, Options::default());
    expected.check(&open_legacy(&path, Options::default(), folder.path()), "repeated");
}

#[test]
fn jobs_of_one_moment_stand_in_source_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut legacy = Vec::new();
    for number in 0..120 {
        let mut out = Writer::new(Vec::new());
        let document = out.begin();
        // Not in the order of their ids.
        out.string("_id", format!("job {}", number * 37 % 120).as_bytes());
        out.string("status", if number % 3 == 0 { b"completed" } else { b"writing" });
        out.date("createdAt", 1_700_000_000_000 + number / 40);
        out.end(document);
        legacy.push(out.into_bytes());
    }
    let path = folder.path().join("jobs.bson");
    fs::write(&path, legacy.concat()).unwrap();
    let expected = Expected::of(&legacy, Options::default());
    assert_eq!(expected.jobs.len(), 120);
    expected.check(&open_legacy(&path, Options::default(), folder.path()), "legacy");
    let target = expected.write(&folder.path().join("target"), Compression::None);
    expected.check(&FolderLookup::open(&target, &folder.path().into()).unwrap(), "target");
}

#[test]
fn events_that_lie_apart_are_found_together() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(20)).collect();
    let expected = Expected::of(&legacy, Options::default());
    let target = expected.write(folder.path(), Compression::None);
    let (id, all) = &expected.jobs[3];
    let mut file =
        fs::OpenOptions::new().append(true).open(target.file(Collection::Events)).unwrap();
    let mut later = Writer::new(Vec::new());
    let document = later.begin();
    later.string("jobId", id);
    later.string("kind", b"generation");
    later.string("emittedAt", b"2999-01-01T00:00:00.000Z");
    later.end(document);
    let later = later.into_bytes();
    file.write_all(&later).unwrap();
    let lookup = FolderLookup::open(&target, &folder.path().into()).unwrap();
    let found = lookup.events(id, None).unwrap();
    assert_eq!(found[0], later);
    assert_eq!(found.len(), documents(&all[1]).count() + 1);
}

#[test]
fn a_card_holds_no_text_of_a_chapter() {
    let legacy: Vec<Vec<u8>> = Stream::new(Plan::standard(3, 4)).collect();
    for (_, all) in Expected::of(&legacy, Options::default()).jobs {
        let card = card(&all[0]);
        assert!(all[0].len() > 10 * card.len(), "{} of {}", card.len(), all[0].len());
        let counts = |job: &[u8], name: &str| {
            Document::new(job).get(name).and_then(Value::array).unwrap().values().count()
        };
        for name in ["chapters", "outline", "failures"] {
            assert_eq!(counts(&card, name), counts(&all[0], name));
        }
    }
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(20)).collect();
    let expected = Expected::of(&legacy, Options::default());
    let target = expected.write(folder.path(), Compression::None);
    let jobs = target.file(Collection::Jobs);
    let whole = fs::read(&jobs).unwrap();
    fs::write(&jobs, &whole[..whole.len() - 3]).unwrap();
    let error = FolderLookup::open(&target, &folder.path().into()).unwrap_err();
    assert!(error.message.contains("truncated") && error.message.contains("novel_jobs"), "{error}");
}

#[test]
fn a_file_that_changes_under_an_index_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(20)).collect();
    let expected = Expected::of(&legacy, Options::default());
    let target = expected.write(folder.path(), Compression::None);
    let lookup = FolderLookup::open(&target, &folder.path().into()).unwrap();
    let metadata = target.file(Collection::Metadata);
    let mut bytes = fs::read(&metadata).unwrap();
    bytes.rotate_left(7);
    fs::write(&metadata, &bytes).unwrap();
    let error = lookup.document(Collection::Metadata, &expected.jobs[1].0).unwrap_err();
    assert!(error.message.contains("changed while it was served"), "{error}");
}

#[test]
fn answers_follow_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(lifecycle(30)).collect();
    let few = Expected::of(&legacy[..10], Options::default());
    let target = few.write(folder.path(), Compression::None);
    let (again, scratch) = (target.clone(), folder.path().to_owned());
    let fresh = Fresh::new(Changes::OfFiles(FolderLookup::files(&target)), move || {
        FolderLookup::open(&again, &scratch.as_path().into())
    })
    .unwrap();
    few.check(&fresh, "few");
    let all = Expected::of(&legacy, Options::default());
    all.write(folder.path(), Compression::None);
    let last = &all.jobs.last().unwrap().0;
    wait_until(|| fresh.card(last).unwrap().is_some());
    all.check(&fresh, "all");
    fs::remove_file(target.file(Collection::Jobs)).unwrap();
    // What is gone, or damaged, is no answer, until it is mended.
    wait_until(|| fresh.card(last).is_err());
    fs::write(target.file(Collection::Jobs), [1, 2, 3]).unwrap();
    wait_until(|| fresh.card(last).is_err());
    let made = fresh.times_made();
    all.write(folder.path(), Compression::None);
    wait_until(|| fresh.card(last).is_ok_and(|card| card.is_some()));
    assert!(fresh.times_made() > made);
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came to be so");
        std::thread::sleep(Duration::from_millis(20));
    }
}
