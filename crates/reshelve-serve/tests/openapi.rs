//! The OpenAPI document: every route is in it, and every answer is one that it names.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod serving;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use reshelve_serve::{Access, Persistence, Shadowing, Side, Sides};
use serde_json::{Value, json};
use serving::{MemoryPlace, Running, record};

/// The document, and validators of its schemas.
struct Document {
    all: Value,
    validators: BTreeMap<String, jsonschema::Validator>,
}

impl Document {
    fn of(server: &Running) -> Self {
        let answer = server.get("/openapi.json");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        let all: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut validators = BTreeMap::new();
        for (path, methods) in all["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let schema = &response["content"]["application/json"]["schema"];
                    if schema.is_null() {
                        continue;
                    }
                    let rooted = json!({"allOf": [schema], "components": all["components"]});
                    let validator = jsonschema::draft202012::new(&rooted).unwrap();
                    validators.insert(format!("{method} {path} {status}"), validator);
                }
            }
        }
        Document { all, validators }
    }

    /// The path that a target is of: of several, the one with the fewest parameters.
    fn path(&self, target: &str) -> Option<&str> {
        let path = target.split(['?', '#']).next().unwrap();
        let is_theirs = !path.starts_with("/ui") && !path.starts_with("/admin");
        let of =
            if is_theirs && path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        let fits = |known: &str| {
            let rest = known.strip_suffix("{rest}").is_some_and(|start| of.starts_with(start));
            let (one, other): (Vec<_>, Vec<_>) =
                (known.split('/').collect(), of.split('/').collect());
            let same = |(one, other): (&&str, &&str)| {
                (one.starts_with('{') && !other.is_empty())
                    || one == other
                    || (is_theirs && one.eq_ignore_ascii_case(other))
            };
            rest || (one.len() == other.len() && one.iter().zip(&other).all(same))
        };
        let paths = self.all["paths"].as_object().unwrap().keys();
        let found = paths.filter(|known| fits(known) || (*known == "/ws/" && of == "/ws"));
        found
            .min_by_key(|known| (known.contains("{rest}"), known.matches('{').count()))
            .map(|it| &it[..])
    }

    /// Why an answer is not one that the document names; nothing where it is, or where the route
    /// is not of the document.
    fn wrong(&self, method: &str, target: &str, status: u16, kind: &str, body: &[u8]) -> Found {
        let method = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
        let Some(path) = self.path(target) else { return Found::NoRoute };
        let operation = &self.all["paths"][path][method];
        if operation.is_null() {
            return Found::NoRoute;
        }
        let response = &operation["responses"][status.to_string()];
        if response.is_null() {
            return Found::Wrong(format!("{method} {path}: {status} is not named"));
        }
        let kind = kind.split(';').next().unwrap();
        if kind.is_empty() {
            return Found::Named;
        }
        if response["content"][kind].is_null() {
            return Found::Wrong(format!("{method} {path} {status}: {kind} is not named"));
        }
        if kind != "application/json" || body.is_empty() {
            return Found::Named;
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let validator = &self.validators[&format!("{method} {path} {status}")];
        let errors: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        match errors.is_empty() {
            true => Found::Named,
            false => {
                Found::Wrong(format!("{method} {path} {status} {target}: {}", errors.join("; ")))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Named,
    NoRoute,
    Wrong(String),
}

fn cases() -> impl Iterator<Item = std::path::PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let legacy = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path().join("legacy.json");
    fs::read_dir(cases).unwrap().map(legacy).filter(|path| path.is_file())
}

/// The golden cases, each with an id of its own, and the documents of the records.
fn place() -> MemoryPlace {
    let mut lines = vec![record("http-source.json").trim_end().to_owned()];
    for (number, path) in cases().enumerate() {
        let mut legacy: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        legacy["_id"] = json!({ "$oid": format!("{number:024x}") });
        lines.push(legacy.to_string());
    }
    MemoryPlace::mapped(&lines.join("\n"))
}

#[test]
fn every_route_of_the_code_is_in_the_document_and_none_besides() {
    let document = Document::of(&Running::recorded());
    let mut routed: BTreeSet<(String, String)> = BTreeSet::new();
    let mut words = BTreeMap::new();
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    for source in &sources {
        for rest in source.split("const ").skip(1) {
            let Some((name, value)) = rest.split_once(": &str = \"") else { continue };
            words.insert(name.to_owned(), value.split('"').next().unwrap().to_owned());
        }
    }
    for call in sources.iter().flat_map(|source| source.split(".route(").skip(1)) {
        let call = call.trim_start();
        // A method of that name which asks for a route adds none.
        if !call.starts_with(|first: char| first == '"' || first.is_ascii_uppercase()) {
            continue;
        }
        let (path, rest) = call.split_once(',').unwrap();
        let path = path.trim_matches('"');
        let path = words.get(path).map_or(path, |path| path).replace("{*", "{");
        let rest = rest.split(".route(").next().unwrap().split(".route_layer").next().unwrap();
        let rest = rest.split(".layer").next().unwrap();
        for method in ["get", "post", "put", "delete", "patch"] {
            if rest.contains(&format!("{method}(")) {
                routed.insert((path.clone(), method.to_owned()));
            }
        }
    }
    // Those of the application are no axum routes: their paths are matched as Express does.
    for path in ["", "/{jobId}", "/{jobId}/events", "/{jobId}/metrics", "/{jobId}/metadata"] {
        routed.insert((format!("/api/novel{path}"), "get".to_owned()));
    }
    for path in ["/health", "/health/ready", "/internal/realtime/metrics", "/ws/"] {
        routed.insert((path.to_owned(), "get".to_owned()));
    }
    for path in ["/api/novel", "/ws/"] {
        routed.insert((path.to_owned(), "post".to_owned()));
    }
    let mut described = BTreeSet::new();
    for (path, methods) in document.all["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((path.clone(), method.clone()));
        }
    }
    assert!(routed.len() > 25, "{routed:?}");
    assert_eq!(described, routed);
}

fn collect(folder: &Path, sources: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn it_is_openapi_3_1_and_names_nothing_that_it_does_not_hold() {
    let document = Document::of(&Running::recorded()).all;
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for name in schemas.keys() {
        assert!(text.contains(&format!("#/components/schemas/{name}\"")), "{name} is of no use");
    }
    let order: Vec<&str> =
        schemas["Job"]["properties"].as_object().unwrap().keys().map(|it| &it[..]).collect();
    assert_eq!(order[..4], ["jobId", "status", "queue", "payload"]);
    assert_eq!(
        order[10..],
        ["outline", "chapters", "events", "domainEvents", "context", "failures"]
    );
}

#[test]
fn every_recorded_answer_is_one_that_the_document_names() {
    let document = Document::of(&Running::recorded());
    let (mut named, mut wrong) = (0, Vec::new());
    for name in ["http.jsonl.gz", "http-declared.jsonl.gz", "http-origin-star.jsonl"] {
        for line in record(name).lines() {
            let all: Value = serde_json::from_str(line).unwrap();
            let (request, body) = (&all["request"], &all["body"]);
            let status = all["status"].as_u64().map(|status| u16::try_from(status).unwrap());
            // Without a content type, Node refused it before the application saw it; and a new job
            // is not taken here.
            let kind = all["headers"]["content-type"].as_str().unwrap_or_default();
            let is_nodes = kind.is_empty() && status != Some(304);
            let is_new_job = request["method"] == "POST" && request["target"] == "/api/novel";
            let Some(status) = status.filter(|_| !is_nodes && !is_new_job) else { continue };
            let body = if body.is_object() { body.to_string() } else { String::new() };
            let target = request["target"].as_str().unwrap();
            // An answer that no route is matched by.
            if body.contains("\"Cannot ") {
                continue;
            }
            let method = request["method"].as_str().unwrap();
            match document.wrong(method, target, status, kind, body.as_bytes()) {
                Found::Named => named += 1,
                Found::NoRoute => {}
                Found::Wrong(why) => wrong.push(why),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named > 350, "{named}");
}

#[test]
fn every_answer_of_every_golden_case_is_too() {
    let server = Running::of(Arc::new(place()));
    let document = Document::of(&server);
    let mut ids: Vec<String> =
        (0..cases().count()).map(|number| format!("{number:024x}")).collect();
    ids.extend(["nope", "%ff", "rich"].map(str::to_owned));
    let mut targets: Vec<String> = Vec::new();
    for id in ids {
        targets.extend(
            ["", "/events", "/metrics", "/metadata"].map(|it| format!("/api/novel/{id}{it}")),
        );
        for part in ["", "/chapters/1", "/chapters/99"] {
            targets.push(format!("/ui/novels/{id}{part}"));
        }
        for form in ["markdown", "html", "epub", "x"] {
            targets.push(format!("/ui/novels/{id}/export/{form}"));
        }
    }
    targets.extend(
        ["", "?status=completed", "?status=failed&status=running"]
            .map(|it| format!("/api/novel{it}")),
    );
    let mut statuses = BTreeMap::new();
    for target in targets {
        let answer = server.get(&target);
        let kind = answer.header("content-type");
        *statuses.entry(answer.status).or_insert(0) += 1;
        let found = document.wrong("GET", &target, answer.status, kind, &answer.body);
        assert_eq!(found, Found::Named, "{target}");
    }
    assert!(statuses[&200] > 700 && statuses[&404] > 90 && statuses[&400] > 7, "{statuses:?}");
}

#[test]
fn so_is_every_answer_of_our_own_routes() {
    let two = || {
        let place = || Arc::new(MemoryPlace::recorded());
        Sides::two(place(), place(), Persistence::of(Side::Legacy), true)
    };
    let one = Running::of(Arc::new(MemoryPlace::recorded()));
    let all = Running::with(Arc::new(MemoryPlace::recorded()), |settings| {
        settings.sides = two();
        settings.shadow = Some(Shadowing { share: 100, with_texts: true });
        settings.access = Access::with_token("open sesame");
    });
    let document = Document::of(&one);
    let mut statuses = BTreeSet::new();
    for (server, fields) in [
        (&one, "Host: localhost\r\n"),
        (&one, "Host: elsewhere.example\r\n"),
        (&all, "Host: localhost\r\n"),
        (&all, "Host: localhost\r\nAccept: text/html\r\n"),
        (&all, "Host: localhost\r\nAuthorization: Bearer open sesame\r\n"),
        (
            &all,
            "Host: localhost\r\nAuthorization: Bearer open sesame\r\nOrigin: http://x.example\r\n",
        ),
    ] {
        for &(method, target, body) in ASKED {
            let body = if body == LONG { "x".repeat(20_000) } else { body.to_owned() };
            let length = match body.len() {
                0 => String::new(),
                length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
            };
            let request = format!("{method} {target} HTTP/1.1\r\n{fields}{length}\r\n{body}");
            let answer = server.raw(request.as_bytes()).unwrap();
            let kind = answer.header("content-type");
            let found = document.wrong(method, target, answer.status, kind, &answer.body);
            assert_eq!(found, Found::Named, "{method} {target} {fields}: {answer:?}");
            statuses.insert(answer.status);
        }
    }
    for status in [200, 303, 308, 400, 401, 403, 404, 409, 413, 421, 500, 503] {
        assert!(statuses.contains(&status), "{status} of {statuses:?}");
    }
}

/// What is asked of our own routes, and of those of the application beside them.
const ASKED: &[(&str, &str, &str)] = &[
    ("GET", "/", ""),
    ("GET", "/ui", ""),
    ("GET", "/ui/", ""),
    ("GET", "/ui/novels?mark=alerts&sort=title", ""),
    ("GET", "/ui/novels?created=2025-07&model=gpt-4o&stage=outline&mark=stuck", ""),
    ("GET", "/ui/monitoring", ""),
    ("GET", "/ui/parity", ""),
    ("GET", "/ui/parity/nothing", ""),
    ("GET", "/ui/parity/%ff", ""),
    ("GET", "/ui/nothing/at/all", ""),
    ("GET", "/ui/assets/nothing", ""),
    ("GET", "/ui/assets/%ff", ""),
    ("GET", "/healthz", ""),
    ("GET", "/readyz", ""),
    ("GET", "/metrics", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/health", ""),
    ("GET", "/health/ready", ""),
    ("GET", "/internal/realtime/metrics", ""),
    ("GET", "/api/reshelve/shadow", ""),
    ("GET", "/admin/persistence", ""),
    ("POST", "/admin/persistence", TURN),
    ("POST", "/admin/persistence", "nothing"),
    ("POST", "/admin/persistence", LONG),
    ("GET", "/login", ""),
    ("POST", "/login", "token=open+sesame"),
    ("POST", "/login", "token=x"),
    ("POST", "/login", LONG),
    ("POST", "/api/novel", ""),
    ("POST", "/api/novel", "{}"),
    ("POST", "/api/novel", "{"),
    ("GET", "/ws/?EIO=4&transport=polling", ""),
    ("GET", "/ws/?EIO=3", ""),
    ("POST", "/ws/?EIO=4&transport=polling&sid=x", "40"),
];

const TURN: &str = r#"{"persistence":"normalized","routes":{"list":"legacy"},"normalizedShare":3}"#;

/// Stands for a body that is too long.
const LONG: &str = "(too long)";
