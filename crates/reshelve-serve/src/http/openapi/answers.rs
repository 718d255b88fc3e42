//! What answers hold, in the order in which it is written.

use super::shape::{
    Record, Shape, anything, count, either, list_of, map_of, named, number, one_of, or_null,
    stored, text, time, truth,
};

/// The named schemas of the document.
pub(super) fn schemas() -> Vec<(&'static str, Shape)> {
    let mut all = vec![
        ("JobList", list()),
        ("JobItem", base(Record::new()).and_no_more()),
        ("Job", detail()),
        ("Progress", progress()),
        ("Outlined", outlined()),
        ("Chapter", chapter()),
        ("Attempt", attempt()),
        ("Failure", failure()),
        ("EventPage", events()),
        ("Event", event()),
        ("JobStatus", job_status()),
        ("Metrics", metrics()),
        ("Metadata", metadata()),
    ];
    all.extend([
        ("Health", health(false)),
        ("Readiness", health(true)),
        ("RealtimeMetrics", realtime()),
        ("Error", error()),
        ("PlainError", plain_error()),
        ("ValidationError", validation_error()),
        ("SocketError", socket_error()),
        ("Persistence", persistence()),
        ("PersistenceChange", persistence_change()),
        ("Shadow", shadow()),
    ]);
    all
}

fn list() -> Shape {
    Record::new().has("items", list_of(named("JobItem"))).has("count", count()).and_no_more()
}

/// What the item of a list and the whole answer begin with.
fn base(record: Record) -> Record {
    record
        .has("jobId", text())
        .has("status", text())
        .has("queue", text())
        .has("payload", stored())
        .has("requestedAt", or_null(text()))
        .has("createdAt", time())
        .has("updatedAt", time())
        .has("progress", or_null(named("Progress")))
        .has("summary", or_null(stored()))
        .has("engine", or_null(stored()))
}

fn detail() -> Shape {
    base(Record::new())
        .has("outline", list_of(named("Outlined")))
        .has("chapters", list_of(named("Chapter")))
        .has("events", list_of(stored()))
        .has("domainEvents", list_of(stored()))
        .has("context", stored())
        .has("failures", list_of(named("Failure")))
        .and_no_more()
}

fn progress() -> Shape {
    Record::new()
        .has("outlineComplete", truth())
        .has("chaptersCompleted", count())
        .has("chaptersFailed", count())
        .has("totalChapters", count())
        .has("hasFailures", truth())
        .and_no_more()
}

fn outlined() -> Shape {
    Record::new()
        .has("chapterNumber", number_or_stored())
        .has("title", text())
        .has("summary", text())
        .has("keyEvents", list_of(text()))
        .may_have("wordTarget", number_or_stored())
        .may_have("humanLikeElements", stored())
        .and_no_more()
}

fn chapter() -> Shape {
    Record::new()
        .has("chapterNumber", number_or_stored())
        .has("title", text())
        .has("status", text())
        .has("wordCount", or_null(number_or_stored()))
        .may_have("content", text())
        .may_have("model", text())
        .may_have("costInUsd", number_or_stored())
        .has("attempts", list_of(named("Attempt")))
        .and_no_more()
}

fn attempt() -> Shape {
    Record::new()
        .has("attemptNumber", count())
        .has("createdAt", anything())
        .may_have("prompt", anything())
        .may_have("content", anything())
        .may_have("tokens", anything())
        .may_have("costInUsd", anything())
        .may_have("rawResponse", anything())
        .and_no_more()
}

fn failure() -> Shape {
    Record::new()
        .has("occurredAt", text())
        .has("reason", text())
        .may_have("stage", text())
        .may_have("metadata", stored())
        .and_no_more()
}

fn events() -> Shape {
    let items = list_of(either([named("Event"), named("JobStatus")]));
    Record::new().has("count", count()).has("items", items).and_no_more()
}

fn event() -> Shape {
    Record::new()
        .has("kind", one_of(&["generation", "domain"]))
        .has("jobId", text())
        .has("emittedAt", text())
        .may_have("event", stored())
        .and_no_more()
}

fn job_status() -> Shape {
    Record::new()
        .has("kind", one_of(&["job-status"]))
        .has("jobId", text())
        .has("emittedAt", text())
        .has("status", text())
        .has("snapshot", or_null(stored()))
        .and_no_more()
}

fn metrics() -> Shape {
    let cost = ["totalUsd", "analysisUsd", "outlineUsd", "chaptersUsd"];
    let tokens = ["total", "analysis", "outline", "chapters"];
    let sums = |names: [&str; 4]| {
        let all = names.iter().fold(Record::new(), |all, name| all.has(name, number()));
        all.and_more(number())
    };
    Record::new()
        .has("jobId", text())
        .has("cost", sums(cost))
        .has("tokens", sums(tokens))
        .has("latencyMs", map_of(number()))
        .has("updatedAt", or_null(text()))
        .and_no_more()
}

fn metadata() -> Shape {
    let bible = Record::new()
        .has("characters", stored())
        .has("metadata", or_null(stored()))
        .has("locations", or_null(stored()))
        .has("themes", list_of(anything()))
        .and_no_more();
    Record::new()
        .has("jobId", text())
        .has("storyBible", bible)
        .has("continuityAlerts", list_of(stored()))
        .has("aiDecisions", list_of(stored()))
        .has("enhancements", list_of(anything()))
        .has("performance", or_null(stored()))
        .has("updatedAt", or_null(text()))
        .and_no_more()
}

/// A number; beyond what JavaScript counts exactly, the document that its driver makes of it.
fn number_or_stored() -> Shape {
    either([number(), stored()])
}

fn health(is_ready: bool) -> Shape {
    let word = || one_of(&["healthy", "unhealthy", "unknown"]);
    let health = Record::new()
        .has("status", one_of(&["pass"]))
        .has("timestamp", time())
        .has("uptimeSeconds", count());
    if !is_ready {
        return health.and_no_more();
    }
    let dependencies = Record::new().has("mongo", word()).has("redis", word()).and_no_more();
    health.has("dependencies", dependencies).and_no_more()
}

fn realtime() -> Shape {
    let catch_up = Record::new()
        .has("jobId", text())
        .has("replayedEvents", count())
        .has("replaySource", one_of(&["events", "aggregate", "none"]))
        .has("replayDurationMs", number())
        .has("recordedAt", time())
        .and_no_more();
    Record::new()
        .has("totalConnections", count())
        .has("totalSubscriptions", count())
        .has("connectionsPerOrigin", map_of(count()))
        .has("subscribersPerJob", map_of(count()))
        .has("idleClients", count())
        .has("maxConnections", count())
        .has("maxConnectionsPerOrigin", count())
        .has("maxSubscriptionsPerClient", count())
        .has("idleTimeoutMs", count())
        .has("lastCatchUp", map_of(catch_up))
        .and_no_more()
}

fn error() -> Shape {
    Record::new()
        .has("message", text())
        .has("error", text())
        .has("statusCode", count())
        .and_no_more()
}

fn plain_error() -> Shape {
    Record::new().has("statusCode", count()).has("message", text()).and_no_more()
}

fn validation_error() -> Shape {
    let path = list_of(either([text(), count()]));
    let issue = Record::new().has("code", text()).has("message", text()).has("path", path);
    Record::new()
        .has("statusCode", count())
        .has("message", one_of(&["Validation failed"]))
        .has("errors", list_of(issue.and_more(anything())))
        .and_no_more()
}

fn socket_error() -> Shape {
    Record::new().has("code", count()).has("message", text()).and_no_more()
}

fn side() -> Shape {
    one_of(&["legacy", "normalized"])
}

/// How the switch stands, as far as it can be asked for too.
fn stands(record: Record) -> Record {
    record
        .has("persistence", side())
        .has("routes", map_of(side()))
        .has("normalizedShare", super::shape::whole(0, 100))
}

fn persistence() -> Shape {
    let turns = Record::new().has("request", count()).has("signal", count()).and_no_more();
    stands(Record::new().has("schema", one_of(&["reshelve.persistence/1"])))
        .has("fallbacks", count())
        .has("turns", turns)
        .may_have("before", stands(Record::new()).and_no_more())
        .and_no_more()
}

fn persistence_change() -> Shape {
    let routes = ["list", "detail", "events", "metrics", "metadata"];
    let routes = routes.iter().fold(Record::new(), |all, route| all.may_have(route, side()));
    Record::new()
        .may_have("persistence", side())
        .may_have("routes", routes.and_no_more())
        .may_have("normalizedShare", super::shape::whole(0, 100))
        .may_have("reason", text())
        .and_no_more()
}

fn shadow() -> Shape {
    let answer = || Record::new().has("status", count()).has("value", anything()).and_no_more();
    let example = Record::new()
        .has("route", text())
        .has("request", text())
        .has("jobId", or_null(text()))
        .has("cause", text())
        .has("path", or_null(text()))
        .has("legacy", answer())
        .has("normalized", answer())
        .and_no_more();
    Record::new()
        .has("schema", one_of(&["reshelve.shadow/1"]))
        .has("compared", count())
        .has("agreed", count())
        .has("routes", map_of(map_of(count())))
        .has("examples", list_of(example))
        .and_no_more()
}
