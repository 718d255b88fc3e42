//! Lists of all jobs: search, filters, every order, and pages without gaps or repeats, in target
//! folders and legacy files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use reshelve::ends::{
    Compression, EndError, JobCatalogue, JobEntry, JobMark, JobPage, JobQuery, JobSort, JobStage,
    JobSums, JobTotals, JobTrace, SortOrder, SourceSpec, TargetFolder, Told,
};
use reshelve::generate::{Plan, Stream};
use reshelve::lookup::{CatalogueMaker, Extras, FolderLookup, LegacyLookup, LegacyRequest};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw::{Document, Value, Writer};

const LONG: &str = "A premise that goes on for longer than anything that a list keeps of it, so that \
    what stands at its end is not known without a look at the document itself: the LIGHTHOUSE of \
    Ærøskøbing";

/// A legacy document with a title and a premise.
fn legacy(number: i64, title: &str, premise: &str) -> Vec<u8> {
    let mut out = Writer::new(Vec::new());
    let document = out.begin();
    out.string("_id", format!("job {number:05}").as_bytes());
    out.string("title", title.as_bytes());
    out.string("premise", premise.as_bytes());
    out.string("genre", if number % 3 == 0 { b"FANTASY" } else { b"ROMANCE" });
    out.string("status", if number % 4 == 0 { b"writing" } else { b"completed" });
    out.date("createdAt", 1_700_000_000_000 + number / 7);
    out.end(document);
    out.into_bytes()
}

fn open_legacy(path: &Path, documents: &[Vec<u8>]) -> LegacyLookup {
    fs::write(path, documents.concat()).unwrap();
    let origin = SourceSpec { path: path.to_owned(), ..SourceSpec::default() };
    let scratch = path.parent().unwrap().into();
    LegacyLookup::open(&origin, &LegacyRequest { options: Options::default(), jobs: 2, scratch })
        .unwrap()
}

/// A target of the documents, and all target documents of each job.
fn target(folder: &Path, legacy: &[Vec<u8>]) -> (FolderLookup, Vec<[Vec<u8>; 4]>) {
    let target = TargetFolder {
        root: folder.join("target"),
        db: "letswriteabook".to_owned(),
        compression: Compression::None,
    };
    fs::create_dir_all(target.database()).unwrap();
    let mut mapper = Mapper::new(Options::default());
    let mut jobs = Vec::new();
    for document in legacy {
        let mut out = TargetDocuments::default();
        if let Outcome::Mapped(_) = mapper.map(document, &mut out) {
            jobs.push(out.bytes().map(<[u8]>::to_vec));
        }
    }
    for collection in Collection::ALL {
        let bytes: Vec<u8> =
            jobs.iter().flat_map(|all: &[Vec<u8>; 4]| all[collection.index()].clone()).collect();
        fs::write(target.file(collection), bytes).unwrap();
    }
    (FolderLookup::open(&target, &folder.into()).unwrap(), jobs)
}

/// All jobs that match, page by page to the end; and back again, which must give the same.
fn all(place: &dyn JobCatalogue, query: &JobQuery) -> Vec<JobEntry> {
    let mut pages: Vec<JobPage> = vec![place.page(query).unwrap()];
    while let Some(cursor) = pages.last().unwrap().next.clone() {
        let page = place.page(&JobQuery { cursor: Some(cursor), ..query.clone() }).unwrap();
        assert!(!page.jobs.is_empty());
        pages.push(page);
    }
    let mut first = 0;
    for page in &pages {
        assert_eq!(page.first, first);
        first += page.jobs.len() as u64;
        assert_eq!(page.matched, pages[0].matched);
    }
    assert_eq!(first, pages[0].matched);
    let mut at = pages.len() - 1;
    let mut previous = pages[at].previous.clone();
    assert_eq!(pages[0].previous, None);
    while let Some(cursor) = previous {
        at -= 1;
        let page = place.page(&JobQuery { cursor: Some(cursor), ..query.clone() }).unwrap();
        assert_eq!(page.jobs, pages[at].jobs);
        assert_eq!(page.first, pages[at].first);
        assert_eq!(page.next, pages[at].next);
        previous = page.previous;
    }
    assert_eq!(at, 0);
    pages.into_iter().flat_map(|page| page.jobs).collect()
}

fn ids(jobs: &[JobEntry]) -> Vec<&str> {
    jobs.iter().map(|job| &job.job_id[..]).collect()
}

#[test]
fn a_folder_and_its_legacy_file_list_the_same_of_real_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(Plan::lifecycle(11, 250)).collect();
    let (target, documents) = target(folder.path(), &legacy);
    let source = open_legacy(&folder.path().join("jobs.bson"), &legacy);
    for sort in [
        JobSort::Created,
        JobSort::Updated,
        JobSort::Activity,
        JobSort::Title,
        JobSort::Words,
        JobSort::Cost,
    ] {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let query = JobQuery { sort, order, limit: 37, ..JobQuery::default() };
            let found = all(&target, &query);
            let mut of_source = all(&source, &query);
            // A source knows the warnings of its mapping; a target looks for them when it is asked.
            of_source.iter_mut().for_each(|job| job.traces.clear());
            assert_eq!(found, of_source, "{sort:?}");
            let mut expected = found.clone();
            expected.sort_by(|one, other| {
                let compared = match sort {
                    JobSort::Created => one.created_ms.cmp(&other.created_ms),
                    JobSort::Updated => one.updated_ms.cmp(&other.updated_ms),
                    JobSort::Activity => one.activity_ms.cmp(&other.activity_ms),
                    JobSort::Title => one.title.to_lowercase().cmp(&other.title.to_lowercase()),
                    JobSort::Words => one.words.cmp(&other.words),
                    JobSort::Cost => one.cost_usd.total_cmp(&other.cost_usd),
                };
                if order == SortOrder::Ascending { compared } else { compared.reverse() }
            });
            assert_eq!(ids(&found), ids(&expected), "{sort:?} {order:?}");
        }
    }
    let found = all(&target, &JobQuery::default());
    assert_eq!(found.len(), documents.len());
    for [job, _, metrics, metadata] in &documents {
        let text = |name: &str| Document::new(job).get(name).and_then(Value::string).unwrap();
        let entry = found.iter().find(|it| it.job_id.as_bytes() == text("jobId")).unwrap();
        assert_eq!(entry.status.as_bytes(), text("status"));
        let cost = Document::new(metrics).get("cost").and_then(Value::document).unwrap();
        assert_eq!(Some(entry.cost_usd), cost.get("totalUsd").and_then(Value::numeric));
        let alerts = Document::new(metadata).get("continuityAlerts").and_then(Value::array);
        let count: u16 = entry.alerts.iter().sum();
        assert_eq!(alerts.unwrap().values().count(), usize::from(count));
    }
    let warned = JobQuery { traces: vec![JobTrace::Warned], ..JobQuery::default() };
    assert_eq!(all(&target, &warned), all(&source, &warned));
    let facets = target.page(&JobQuery::default()).unwrap().facets;
    assert_eq!(facets.traces[0], source.page(&warned).unwrap().facets.traces[0]);
    assert_eq!(facets.traces[1], Told::Jobs(0));
    for (status, count) in &facets.statuses {
        let query = JobQuery { status: Some(status.clone()), ..JobQuery::default() };
        assert_eq!(target.page(&query).unwrap().matched, *count, "{status}");
    }
    for (era, count) in &facets.eras {
        let query = JobQuery { era: Some(*era), ..JobQuery::default() };
        assert_eq!(target.page(&query).unwrap().matched, *count, "era {era}");
    }
    for (mark, count) in [
        (JobMark::InFlight, facets.in_flight),
        (JobMark::Failures, facets.failures),
        (JobMark::Alerts, facets.alerts),
    ] {
        let query = JobQuery { marks: vec![mark], ..JobQuery::default() };
        assert_eq!(target.page(&query).unwrap().matched, count, "{mark:?}");
        assert!(count > 0 || mark == JobMark::Alerts, "{mark:?}");
    }
}

/// A sum of numbers in another order.
fn is_about(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

#[test]
fn totals_are_of_the_jobs_that_each_filter_finds() {
    let folder = tempfile::tempdir().unwrap();
    let mut legacy: Vec<Vec<u8>> = Stream::new(Plan::lifecycle(11, 250)).collect();
    legacy.extend(Stream::new(Plan::populated(12, 60)));
    let (target, documents) = target(folder.path(), &legacy);
    let source = open_legacy(&folder.path().join("jobs.bson"), &legacy);
    let totals = target.totals().unwrap();
    assert_eq!(totals, source.totals().unwrap());
    let check = |query: JobQuery, sums: JobSums, is_of_whole_jobs: bool| {
        let found = all(&target, &query);
        assert_eq!(ids(&found), ids(&all(&source, &query)), "{query:?}");
        assert_eq!(found.len() as u64, sums.jobs, "{query:?}");
        let failed = found.iter().filter(|job| job.status == "failed").count() as u64;
        assert_eq!(failed, sums.failed, "{query:?}");
        let cost_usd: f64 = found.iter().map(|job| job.cost_usd).sum();
        assert!(!is_of_whole_jobs || is_about(cost_usd, sums.cost_usd), "{query:?}");
    };
    let all_jobs = JobQuery::default;
    check(all_jobs(), totals.all, true);
    assert_eq!(totals.all.jobs, documents.len() as u64);
    for (status, sums) in &totals.statuses {
        check(JobQuery { status: Some(status.clone()), ..all_jobs() }, *sums, true);
    }
    for (genre, sums) in &totals.genres {
        check(JobQuery { genre: Some(genre.clone()), ..all_jobs() }, *sums, true);
    }
    for (era, sums) in &totals.eras {
        check(JobQuery { era: Some(*era), ..all_jobs() }, *sums, true);
    }
    for (day, sums) in &totals.days {
        let created_ms = day * 86_400_000..(day + 1) * 86_400_000;
        check(JobQuery { created_ms: Some(created_ms), ..all_jobs() }, *sums, true);
    }
    assert!(totals.days.len() > 1 && totals.models.len() > 1, "{totals:?}");
    for (model, sums) in &totals.models {
        check(JobQuery { model: Some(model.clone()), ..all_jobs() }, *sums, false);
    }
    for stage in JobStage::ALL {
        let sums = totals.stages[stage.index()].sums;
        check(JobQuery { stage: Some(stage), ..all_jobs() }, sums, false);
    }
    let spent = |sums: &mut dyn Iterator<Item = JobSums>| -> [f64; 2] {
        sums.fold([0.0; 2], |[cost, tokens], it| [cost + it.cost_usd, tokens + it.tokens])
    };
    let by_model = spent(&mut totals.models.iter().map(|(_, sums)| *sums));
    let by_stage = spent(&mut totals.stages.iter().map(|stage| stage.sums));
    for (at, whole) in [totals.all.cost_usd, totals.all.tokens].into_iter().enumerate() {
        assert!(whole > 0.0 && is_about(by_model[at], whole) && is_about(by_stage[at], whole));
    }
    let matched = |query: &JobQuery| target.page(query).unwrap().matched;
    for mark in JobMark::ALL {
        let query = JobQuery { marks: vec![mark], ..all_jobs() };
        assert_eq!(matched(&query), totals.with_mark(mark), "{mark:?}");
        assert!(matched(&query) > 0, "{mark:?}");
    }
    for (group, sums) in totals.responses.iter().enumerate() {
        assert_eq!(matched(&JobQuery { response: Some(group), ..all_jobs() }), sums.jobs);
    }
    assert!(totals.responses.iter().any(|group| group.jobs > 0 && group.sum_ms > 0.0));
    assert_eq!(matched(&JobQuery { model: Some("nobody's".to_owned()), ..all_jobs() }), 0);
}

#[test]
fn novels_in_flight_without_activity_are_found_the_longest_first() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Vec<u8>> = Stream::new(Plan::lifecycle(11, 250)).collect();
    let (target, _) = target(folder.path(), &legacy);
    let in_flight =
        all(&target, &JobQuery { marks: vec![JobMark::InFlight], ..JobQuery::default() });
    let mut times: Vec<i64> = in_flight.iter().map(|job| job.activity_ms.unwrap()).collect();
    times.sort_unstable();
    assert!(in_flight.iter().any(|job| job.activity_ms > job.created_ms));
    let middle = times[times.len() / 2];
    let query = JobQuery {
        idle_since_ms: Some(middle),
        sort: JobSort::Activity,
        order: SortOrder::Ascending,
        ..JobQuery::default()
    };
    let found = all(&target, &query);
    let found: Vec<i64> = found.iter().map(|job| job.activity_ms.unwrap()).collect();
    let expected: Vec<i64> = times.into_iter().filter(|ms| *ms < middle).collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
}

#[test]
fn a_search_finds_what_lies_beyond_the_record() {
    let folder = tempfile::tempdir().unwrap();
    // A title so long that the premise is beyond what is read of the document at first.
    let long_title = "Title ".repeat(2_000) + "Zenith";
    let mut documents = vec![
        legacy(1, "The Second Light", "short"),
        legacy(2, "Other", LONG),
        legacy(3, &long_title, LONG),
        legacy(4, "STRASSE und Übung", ""),
    ];
    documents.extend((10..600).map(|number| legacy(number, "One of many", &LONG[..140])));
    let (target, _) = target(folder.path(), &documents);
    let source = open_legacy(&folder.path().join("jobs.bson"), &documents);
    for (search, expected) in [
        ("second LIGHT", &["job 00001"][..]),
        ("  ærøskøbing ", &["job 00002", "job 00003"]),
        ("lighthouse", &["job 00002", "job 00003"]),
        ("zenith", &["job 00003"]),
        ("ÜBUNG", &["job 00004"]),
        ("JOB 00599", &["job 00599"]),
        ("no such words", &[]),
    ] {
        let query = JobQuery {
            search: search.to_owned(),
            order: SortOrder::Ascending,
            limit: 1,
            ..JobQuery::default()
        };
        assert_eq!(ids(&all(&target, &query)), expected, "{search}");
        assert_eq!(ids(&all(&source, &query)), expected, "{search}");
    }
}

#[test]
fn ten_thousand_jobs_come_page_by_page_without_gaps_or_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let mut maker = CatalogueMaker::new(&folder.path().into()).unwrap();
    let mut mapper = Mapper::new(Options::default());
    let mut expected = Vec::new();
    for number in 0..10_000 {
        let mut out = TargetDocuments::default();
        let document = legacy(number, &format!("Novel {}", number % 100), LONG);
        let Outcome::Mapped(_) = mapper.map(&document, &mut out) else { continue };
        maker.add(out.jobs.bytes(), &Extras::default()).unwrap();
        expected.push(format!("job {number:05}"));
    }
    let catalogue = maker.finish().unwrap();
    struct Listed(reshelve::lookup::Catalogue);
    impl JobCatalogue for Listed {
        fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
            self.0.page(query, &|wanted| Ok(vec![None; wanted.len()]))
        }

        fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
            Ok(self.0.totals())
        }
    }
    let place = Listed(catalogue);
    let order = SortOrder::Ascending;
    let query = JobQuery { sort: JobSort::Created, order, limit: 200, ..JobQuery::default() };
    assert_eq!(ids(&all(&place, &query)), expected);
    // Equal titles by the hundred: no job is lost between two pages.
    let by_title = JobQuery { sort: JobSort::Title, limit: 33, ..query };
    let found = all(&place, &by_title);
    let mut found = ids(&found);
    found.sort_unstable();
    assert_eq!(found, expected);
    // More than a page is never given.
    let greedy = JobQuery { limit: usize::MAX, ..JobQuery::default() };
    assert_eq!(place.page(&greedy).unwrap().jobs.len(), reshelve::ends::PAGE_JOBS_MAX);
}
