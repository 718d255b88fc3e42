//! What the library is asked: the query of an address to a [`JobQuery`], and back.

use reshelve::ends::{
    CursorSide, JobCursor, JobMark, JobQuery, JobSort, JobStage, JobTrace, RESPONSE_BOUNDS_MS,
    SortOrder,
};
use reshelve_core::raw::hex;

use super::period::{self, UNDATED};
use super::words::{decimal, encoded, plain};

/// How much of a search counts.
const SEARCH_CHARS_MAX: usize = 200;
/// How many parts of a query are read.
const PAIRS_MAX: usize = 50;

/// The orders that are offered.
pub(super) const SORTS: [(&str, &str, JobSort, SortOrder); 9] = [
    ("newest", "Newest first", JobSort::Created, SortOrder::Descending),
    ("oldest", "Oldest first", JobSort::Created, SortOrder::Ascending),
    ("changed", "Last changed first", JobSort::Updated, SortOrder::Descending),
    ("title", "Title, A to Z", JobSort::Title, SortOrder::Ascending),
    ("title-down", "Title, Z to A", JobSort::Title, SortOrder::Descending),
    ("longest", "Most words first", JobSort::Words, SortOrder::Descending),
    ("shortest", "Fewest words first", JobSort::Words, SortOrder::Ascending),
    ("dearest", "Highest cost first", JobSort::Cost, SortOrder::Descending),
    ("cheapest", "Lowest cost first", JobSort::Cost, SortOrder::Ascending),
];

/// The marks that the form offers.
pub(super) const MARKS: [(&str, &str, JobMark); 3] = [
    ("in-flight", "In flight", JobMark::InFlight),
    ("failures", "With failures", JobMark::Failures),
    ("alerts", "With alerts", JobMark::Alerts),
];

/// The marks that the form offers where the place can tell them.
pub(super) const TRACES: [(&str, &str, JobTrace); 2] = [
    ("mapping-warnings", "With mapping warnings", JobTrace::Warned),
    ("edited", "Edited since", JobTrace::Edited),
];

/// The other marks that can be asked for: the monitoring page leads to them.
pub(super) const MORE_MARKS: [(&str, &str, JobMark); 4] = [
    ("failed-chapters", "with failed chapters", JobMark::FailedChapters),
    ("critical", "with critical alerts", JobMark::Critical),
    ("warning", "with warnings", JobMark::Warning),
    ("notice", "with other alerts", JobMark::Notice),
];

/// The mark of novels in flight without any activity for [`STUCK_AFTER_MS`].
pub(super) const STUCK: &str = "stuck";
/// After so long without activity, a novel in flight is stuck, as on the legacy administrator's
/// page.
pub(super) const STUCK_AFTER_MS: i64 = 2 * 60 * 60 * 1_000;

/// The stages that can be asked for.
pub(super) const STAGES: [(&str, &str, JobStage); 4] = [
    ("analysis", "Analysis", JobStage::Analysis),
    ("outline", "Outline", JobStage::Outline),
    ("chapters", "Chapters", JobStage::Chapters),
    ("beyond", "Beyond the stages", JobStage::Beyond),
];

/// A question to the library.
pub(super) struct Asked {
    pub(super) query: JobQuery,
    /// The name of the order.
    pub(super) sort: &'static str,
    /// The day, month or year in which the novels were created, as text.
    created: String,
    /// The server's clock, in milliseconds since 1970.
    now_ms: i64,
}

/// A filter as an address has it: a name, a value.
pub(super) type Filter = (&'static str, String);

impl Asked {
    /// Reads the query of an address. What is not understood is left out. `now_ms` is the time, in
    /// milliseconds since 1970.
    pub(super) fn of(query: &str, now_ms: i64) -> Self {
        let (query_all, created) = (JobQuery::default(), String::new());
        let mut asked = Asked { query: query_all, sort: SORTS[0].0, created, now_ms };
        for (name, value) in pairs(query) {
            asked.take(&name, value);
        }
        asked
    }

    fn take(&mut self, name: &str, value: String) {
        if value.is_empty() {
            return;
        }
        let query = &mut self.query;
        match name {
            "q" => query.search = value.trim().chars().take(SEARCH_CHARS_MAX).collect(),
            "status" => query.status = Some(value),
            // An empty genre is one too: it is asked for by a name that no genre has.
            "genre" => query.genre = Some(if value == NONE { String::new() } else { value }),
            "era" => query.era = value.parse().ok(),
            "model" => query.model = Some(if value == NONE { String::new() } else { value }),
            "stage" => {
                let stage = STAGES.iter().find(|(word, ..)| *word == value);
                query.stage = stage.map(|(_, _, stage)| *stage);
            }
            "response" => {
                query.response = value.parse().ok().filter(|at| *at <= RESPONSE_BOUNDS_MS.len());
            }
            "created" => {
                query.created_ms = period::range(&value);
                self.created = value;
            }
            "mark" if value == STUCK => query.idle_since_ms = Some(self.now_ms - STUCK_AFTER_MS),
            "mark" => {
                let mark = all_marks().find(|(word, ..)| *word == value);
                query.marks.extend(mark.map(|(_, _, mark)| mark));
                let trace = TRACES.iter().find(|(word, ..)| *word == value);
                query.traces.extend(trace.map(|(_, _, trace)| *trace));
            }
            "sort" => {
                if let Some((word, _, sort, order)) = SORTS.iter().find(|(word, ..)| *word == value)
                {
                    (self.sort, query.sort, query.order) = (word, *sort, *order);
                }
            }
            "at" => query.cursor = cursor_of(&value),
            _ => {}
        }
    }

    /// Whether all jobs are asked for.
    pub(super) fn is_everything(&self) -> bool {
        self.filters().is_empty()
    }

    /// All filters.
    fn filters(&self) -> Vec<Filter> {
        let JobQuery { search, status, genre, era, marks, traces, .. } = &self.query;
        let or_none = |text: &String| if text.is_empty() { NONE.to_owned() } else { text.clone() };
        let mut all = Vec::new();
        let mut add = |name: &'static str, value: Option<String>| {
            all.extend(value.map(|value| (name, value)));
        };
        add("q", (!search.is_empty()).then(|| search.clone()));
        add("status", status.clone());
        add("genre", genre.as_ref().map(or_none));
        add("era", era.map(|era| era.to_string()));
        for (word, _, mark) in MARKS {
            add("mark", marks.contains(&mark).then(|| word.to_owned()));
        }
        for (word, _, trace) in TRACES {
            add("mark", traces.contains(&trace).then(|| word.to_owned()));
        }
        all.extend(self.narrowed().into_iter().map(|(filter, _)| filter));
        all
    }

    /// The filters for which the form has no field, each with its words.
    pub(super) fn narrowed(&self) -> Vec<(Filter, String)> {
        let JobQuery { marks, created_ms, model, stage, response, .. } = &self.query;
        let mut all = Vec::new();
        let mut add =
            |name, value: &str, words: String| all.push(((name, value.to_owned()), words));
        if created_ms.is_some() {
            let is_undated = self.created == UNDATED;
            let words = format!("created in {}", self.created);
            let words = if is_undated { "without a time of creation".to_owned() } else { words };
            add("created", &self.created, words);
        }
        match model.as_deref() {
            Some("") => add("model", NONE, "model not recorded".to_owned()),
            Some(model) => add("model", model, format!("model {}", plain(model))),
            None => {}
        }
        for (word, name, _) in STAGES.iter().filter(|(.., it)| Some(*it) == *stage) {
            add("stage", word, format!("with cost or tokens: {}", name.to_lowercase()));
        }
        if let Some(group) = response {
            let words = format!("average response time {}", response_words(*group));
            add("response", &group.to_string(), words);
        }
        for (word, words, _) in MORE_MARKS.iter().filter(|(.., mark)| marks.contains(mark)) {
            add("mark", word, (*words).to_owned());
        }
        if self.query.idle_since_ms.is_some() {
            add("mark", STUCK, "in flight without activity for 2 h".to_owned());
        }
        all
    }

    /// The address of a page of the same list.
    pub(super) fn address(&self, cursor: &JobCursor) -> String {
        let parts = self.filters().into_iter().chain([("at", cursor_text(cursor))]);
        self.with(parts)
    }

    /// The address of the list without a filter.
    pub(super) fn address_without(&self, filter: &Filter) -> String {
        self.with(self.filters().into_iter().filter(|it| it != filter))
    }

    fn with(&self, filters: impl Iterator<Item = Filter>) -> String {
        let mut address = format!("/ui/novels?sort={}", self.sort);
        for (name, value) in filters {
            address.push_str(&format!("&{name}={}", encoded(&value)));
        }
        address
    }
}

/// All marks that every place can tell.
pub(super) fn all_marks() -> impl Iterator<Item = (&'static str, &'static str, JobMark)> {
    MARKS.into_iter().chain(MORE_MARKS)
}

/// A group of average response times: `from 1 to 2 s`.
pub(super) fn response_words(group: usize) -> String {
    let bound = |at: usize| RESPONSE_BOUNDS_MS.get(at).map(|ms| decimal(ms / 1_000.0));
    let lower = group.checked_sub(1).and_then(bound);
    match (lower, bound(group)) {
        (None, Some(upper)) => format!("below {upper} s"),
        (Some(lower), Some(upper)) => format!("from {lower} to {upper} s"),
        (lower, None) => format!("{} s or more", lower.unwrap_or_default()),
    }
}

/// By what novels without a genre, or without a recorded model, are asked for.
pub(super) const NONE: &str = "-";

fn cursor_text(cursor: &JobCursor) -> String {
    let side = match cursor.side {
        CursorSide::After => "after",
        CursorSide::Before => "before",
    };
    format!("{side}.{}.{}", cursor.ordinal, hex(&cursor.key))
}

fn cursor_of(text: &str) -> Option<JobCursor> {
    let mut parts = text.splitn(3, '.');
    let side = match parts.next()? {
        "after" => CursorSide::After,
        "before" => CursorSide::Before,
        _ => return None,
    };
    let ordinal = parts.next()?.parse().ok()?;
    let digits = parts.next()?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let key = digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>()?;
    Some(JobCursor { side, key, ordinal })
}

/// Names and values of a query, as a form sends them.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').take(PAIRS_MAX).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escaped = after.first_chunk::<2>().filter(|_| byte == b'%');
        let escaped = escaped.and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => bytes.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_the_same_question() {
        let text = "q=caf%C3%A9+%26+more&status=failed&genre=-&era=3&mark=alerts&sort=dearest&x=y\
            &created=2025-07&model=gpt-4o&stage=outline&response=2&mark=critical&mark=stuck\
            &mark=mapping-warnings&mark=edited";
        let mut asked = Asked::of(text, 9_000_000);
        assert_eq!(asked.query.search, "café & more");
        assert_eq!(asked.query.genre.as_deref(), Some(""));
        let cursor = JobCursor { side: CursorSide::Before, key: vec![0, 255], ordinal: 7 };
        let address = asked.address(&cursor);
        let query = |address: &str| Asked::of(address.split_once('?').unwrap().1, 9_000_000).query;
        assert_eq!(asked.query.idle_since_ms, Some(1_800_000));
        let narrowed = asked.narrowed();
        assert_eq!(narrowed.len(), 6, "{narrowed:?}");
        assert_eq!(asked.query.traces, JobTrace::ALL);
        let without = query(&asked.address_without(&narrowed[5].0));
        assert_eq!(without, JobQuery { idle_since_ms: None, ..asked.query.clone() });
        assert!(address.contains("sort=dearest"));
        asked.query.cursor = Some(cursor);
        assert_eq!(query(&address), asked.query);
    }

    #[test]
    fn odd_queries_are_no_errors() {
        for odd in [
            "",
            "&&",
            "%",
            "at=after.x.00",
            "at=after.1.0",
            "era=999",
            "sort=x",
            "q=%zz%F",
            "stage=x",
        ] {
            assert_eq!(Asked::of(odd, 0).query.cursor.filter(|it| it.key.len() > 1), None, "{odd}");
        }
    }
}
