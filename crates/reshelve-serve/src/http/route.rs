//! Which route of the application a target names: paths as Express matches them.

use super::query::escaped;
use crate::questions::Part;

/// A route of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/api/novel`.
    Jobs,
    /// `/api/novel/:jobId` and what is below it; the segment as it was sent.
    Job(&'a str, Part),
    /// `/health`.
    Health,
    /// `/health/ready`.
    Ready,
    /// `/internal/realtime/metrics`.
    RealtimeMetrics,
    /// None.
    Unmatched,
}

impl Route<'_> {
    /// What it is called where requests are counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Route::Jobs => "list",
            Route::Job(_, Part::Detail) => "detail",
            Route::Job(_, Part::Events) => "events",
            Route::Job(_, Part::Metrics) => "metrics",
            Route::Job(_, Part::Metadata) => "metadata",
            Route::Health => "health",
            Route::Ready => "health-ready",
            Route::RealtimeMetrics => "realtime-metrics",
            Route::Unmatched => "unmatched",
        }
    }
}

/// A target, cut into path and query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a str,
}

impl<'a> Target<'a> {
    /// Cuts a target of any form that the guard passes on. What follows a `#` counts for nothing.
    pub(super) fn of(target: &'a str) -> Self {
        let target = target.split('#').next().unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = match path.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                rest.find('/').map_or("/", |at| &rest[at..])
            }
            _ => path,
        };
        Target { path, query }
    }

    /// The route: segments in any letter case and not decoded, one trailing slash allowed.
    pub(super) fn route(self) -> Route<'a> {
        let Some(path) = self.path.strip_prefix('/') else { return Route::Unmatched };
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = [""; 5];
        let mut count = 0;
        for segment in path.split('/') {
            let Some(place) = segments.get_mut(count) else { return Route::Unmatched };
            *place = segment;
            count += 1;
        }
        let is = |at: usize, word: &str| segments[at].eq_ignore_ascii_case(word);
        let is_job = is(0, "api") && is(1, "novel") && !segments[2].is_empty();
        match count {
            1 if is(0, "health") => Route::Health,
            2 if is(0, "health") && is(1, "ready") => Route::Ready,
            2 if is(0, "api") && is(1, "novel") => Route::Jobs,
            3 if is_job => Route::Job(segments[2], Part::Detail),
            3 if is(0, "internal") && is(1, "realtime") && is(2, "metrics") => {
                Route::RealtimeMetrics
            }
            4 if is_job && is(3, "events") => Route::Job(segments[2], Part::Events),
            4 if is_job && is(3, "metrics") => Route::Job(segments[2], Part::Metrics),
            4 if is_job && is(3, "metadata") => Route::Job(segments[2], Part::Metadata),
            _ => Route::Unmatched,
        }
    }
}

/// The id that a segment names; `None` where it cannot be decoded.
pub(super) fn job_id(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            bytes.push(escaped(rest)?);
            rest = &rest[3..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_as_express_matches_them() {
        for (target, expected) in [
            ("/api/novel", Route::Jobs),
            ("/API/Novel/", Route::Jobs),
            ("/api/novel?x=/y", Route::Jobs),
            ("/api/novel/?", Route::Jobs),
            ("/api/novel#x", Route::Jobs),
            ("http://127.0.0.1:1/api/novel", Route::Jobs),
            ("foo://x/api/novel?y", Route::Jobs),
            ("/api/novel/x", Route::Job("x", Part::Detail)),
            ("/api/novel/x/", Route::Job("x", Part::Detail)),
            ("/api/novel/..", Route::Job("..", Part::Detail)),
            ("/api/novel/%2e", Route::Job("%2e", Part::Detail)),
            ("/api/novel/a%2Fb", Route::Job("a%2Fb", Part::Detail)),
            ("/api/novel/x;y=1", Route::Job("x;y=1", Part::Detail)),
            ("/api/novel/x/EVENTS/", Route::Job("x", Part::Events)),
            ("/api/novel/x/metrics", Route::Job("x", Part::Metrics)),
            ("/api/novel/../metadata", Route::Job("..", Part::Metadata)),
            ("/health", Route::Health),
            ("/HEALTH/ready/", Route::Ready),
            ("/internal/realtime/metrics", Route::RealtimeMetrics),
        ] {
            assert_eq!(Target::of(target).route(), expected, "{target}");
        }
        for target in [
            "*",
            "*x",
            "/",
            "//",
            "/api",
            "/api//novel",
            "//api/novel",
            "/api/novel//",
            "/api/novel//x",
            "/api/novel/x//",
            "/api/novel/x//events",
            "/api/n%6Fvel",
            "/api/novel/x/outline",
            "/api/novel/x/events/y",
            "/api/novel/./x/y/z",
            "/healthz",
            "/api/novel/x/e%76ents",
            "/health/live",
            "http://x",
            "http://x?/api/novel",
            "/api/novels",
        ] {
            assert_eq!(Target::of(target).route(), Route::Unmatched, "{target}");
        }
    }

    #[test]
    fn queries_are_cut_off_once() {
        assert_eq!(Target::of("/a?b?c#d?e"), Target { path: "/a", query: "b?c" });
        assert_eq!(Target::of("http://x?y"), Target { path: "/", query: "y" });
        assert_eq!(Target::of("/a#b?c"), Target { path: "/a", query: "" });
    }

    #[test]
    fn ids_are_decoded_once_or_not_at_all() {
        for (segment, expected) in [
            ("a+b", Some("a+b")),
            ("a%2Fb", Some("a/b")),
            ("a%252Fb", Some("a%2Fb")),
            ("nul%00in", Some("nul\0in")),
            ("%C3%BC", Some("ü")),
            ("%", None),
            ("%z", None),
            ("%zz", None),
            ("%ff", None),
            ("%ED%A0%80", None),
            ("%c3%28", None),
        ] {
            assert_eq!(job_id(segment).as_deref(), expected, "{segment}");
        }
    }
}
