//! The target of the request that asks a question.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::{Before, JobQuestion, ListQuestion, Part, Question, UNASKED};

impl Question {
    /// The path and query of a `GET` that asks this, such as `/api/novel/x/events?before=2025`.
    pub fn target(&self) -> String {
        match self {
            Question::List(ListQuestion { statuses, .. }) if *statuses == UNASKED => {
                "/api/novel".to_owned()
            }
            Question::List(ListQuestion { statuses, .. }) => {
                let pairs: Vec<String> =
                    statuses.iter().map(|status| format!("status={}", escaped(status))).collect();
                format!("/api/novel?{}", pairs.join("&"))
            }
            Question::Job(JobQuestion { id, part, before, .. }) => {
                let below = match part {
                    Part::Detail => "",
                    Part::Events => "/events",
                    Part::Metrics => "/metrics",
                    Part::Metadata => "/metadata",
                };
                let query = match before {
                    Before::This(before) => format!("?before={}", escaped(before)),
                    Before::Not | Before::Several => String::new(),
                };
                format!("/api/novel/{}{below}{query}", escaped(id))
            }
        }
    }
}

/// Everything but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a segment of a path or in a query.
pub fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_what_is_asked() {
        let list = ListQuestion { statuses: vec!["queued".into(), "a b&c".into()], limit: 50 };
        assert_eq!(Question::List(list).target(), "/api/novel?status=queued&status=a%20b%26c");
        let unasked = UNASKED.map(str::to_owned).to_vec();
        let list = ListQuestion { statuses: unasked, limit: 50 };
        assert_eq!(Question::List(list).target(), "/api/novel");
        let of = |part, before| {
            let question = JobQuestion::new("a/b ü", part);
            Question::Job(JobQuestion { before, ..question }).target()
        };
        assert_eq!(of(Part::Detail, Before::Not), "/api/novel/a%2Fb%20%C3%BC");
        assert_eq!(of(Part::Metrics, Before::Not), "/api/novel/a%2Fb%20%C3%BC/metrics");
        let before = Before::This("2025-01-01T00:00:00.000Z".into());
        let expected = "/api/novel/a%2Fb%20%C3%BC/events?before=2025-01-01T00%3A00%3A00.000Z";
        assert_eq!(of(Part::Events, before), expected);
    }
}
