//! What the library is asked: the query of an address to a [`JobQuery`], and back.

use reshelve::ends::{CursorSide, JobCursor, JobMark, JobQuery, JobSort, SortOrder};
use reshelve_core::raw::hex;

use super::words::encoded;

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

/// The marks that can be asked for.
pub(super) const MARKS: [(&str, &str, JobMark); 3] = [
    ("in-flight", "In flight", JobMark::InFlight),
    ("failures", "With failures", JobMark::Failures),
    ("alerts", "With alerts", JobMark::Alerts),
];

/// A question to the library.
pub(super) struct Asked {
    pub(super) query: JobQuery,
    /// The name of the order.
    pub(super) sort: &'static str,
}

impl Asked {
    /// Reads the query of an address. What is not understood is left out.
    pub(super) fn of(query: &str) -> Self {
        let mut asked = Asked { query: JobQuery::default(), sort: SORTS[0].0 };
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
            "genre" => query.genre = Some(if value == NO_GENRE { String::new() } else { value }),
            "era" => query.era = value.parse().ok(),
            "mark" => {
                let mark = MARKS.iter().find(|(word, ..)| *word == value);
                query.marks.extend(mark.map(|(_, _, mark)| *mark));
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
        let JobQuery { search, status, genre, era, marks, .. } = &self.query;
        search.is_empty()
            && status.is_none()
            && genre.is_none()
            && era.is_none()
            && marks.is_empty()
    }

    /// The address of a page of the same list.
    pub(super) fn address(&self, cursor: &JobCursor) -> String {
        let JobQuery { search, status, genre, era, marks, .. } = &self.query;
        let mut parts = vec![format!("sort={}", self.sort)];
        let mut add = |name: &str, value: &str| parts.push(format!("{name}={}", encoded(value)));
        if !search.is_empty() {
            add("q", search);
        }
        if let Some(status) = status {
            add("status", status);
        }
        if let Some(genre) = genre {
            add("genre", if genre.is_empty() { NO_GENRE } else { genre });
        }
        if let Some(era) = era {
            add("era", &era.to_string());
        }
        for (word, _, mark) in MARKS {
            if marks.contains(&mark) {
                add("mark", word);
            }
        }
        add("at", &cursor_text(cursor));
        format!("/ui/novels?{}", parts.join("&"))
    }
}

/// By what novels without a genre are asked for.
pub(super) const NO_GENRE: &str = "-";

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
        let text = "q=caf%C3%A9+%26+more&status=failed&genre=-&era=3&mark=alerts&sort=dearest&x=y";
        let mut asked = Asked::of(text);
        assert_eq!(asked.query.search, "café & more");
        assert_eq!(asked.query.genre.as_deref(), Some(""));
        let cursor = JobCursor { side: CursorSide::Before, key: vec![0, 255], ordinal: 7 };
        let address = asked.address(&cursor);
        let again = Asked::of(address.split_once('?').unwrap().1);
        asked.query.cursor = Some(cursor);
        assert_eq!((again.query, again.sort), (asked.query, "dearest"));
    }

    #[test]
    fn odd_queries_are_no_errors() {
        for odd in ["", "&&", "%", "at=after.x.00", "at=after.1.0", "era=999", "sort=x", "q=%zz%F"]
        {
            assert_eq!(Asked::of(odd).query.cursor.filter(|it| it.key.len() > 1), None, "{odd}");
        }
    }
}
