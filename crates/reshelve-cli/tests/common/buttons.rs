//! The buttons of a run's page, pressed as a browser presses them.

use std::fs::{Permissions, set_permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;

use serde_json::Value;

use crate::common::{self, Place, until};
use crate::serving::{Answer, Served};

pub(crate) const BEARER: (&str, &str) = ("Authorization", "Bearer sesame");

/// A place with a source of 60 documents and a token.
pub(crate) fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "60", "--no-in-flight"]);
    place.write("token", b"sesame\n");
    set_permissions(place.path("token"), Permissions::from_mode(0o600)).unwrap();
    place
}

pub(crate) fn served(place: &Place) -> Served {
    let what = if place.path("target").is_dir() { "target" } else { "made.bson" };
    Served::new(place, &[what, "--token-file", "token"])
}

/// A run that is slowed down, after its first checkpoint.
pub(crate) fn slow(place: &Place) -> Child {
    let args = ["run", "made.bson", "target", "--apply", "--max-docs-per-s", "5"];
    let run = place.call(&common::with(&args, &["--checkpoint-bytes", "1"])).spawn(false);
    until("there is a checkpoint", || !place.runs().is_empty() && read(place) > 0);
    run
}

pub(crate) fn status(place: &Place) -> Value {
    let told = place.expect(0, &["status", "latest", "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

pub(crate) fn state(place: &Place) -> String {
    status(place)["state"].as_str().unwrap().to_owned()
}

pub(crate) fn read(place: &Place) -> u64 {
    status(place)["documents"]["read"].as_u64().unwrap()
}

pub(crate) fn get(served: &Served, target: &str) -> String {
    let answer = served.send("GET", target, &[BEARER], "").0;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    answer.body
}

/// The hidden proof in a form.
pub(crate) fn mark(page: &str) -> String {
    let rest = page.split("name=\"mark\" value=\"").nth(1).expect("a form to confirm");
    rest.split('"').next().unwrap().to_owned()
}

/// Looks at what a command would do until that is known; the page.
pub(crate) fn looked(served: &Served, run: &str, command: &str) -> String {
    let mut page = String::new();
    until("it is known what it would do", || {
        page = get(served, &format!("/ui/runs/{run}/{command}"));
        page.contains("name=\"mark\"")
    });
    page
}

/// Confirms the form of a page with these fields beside its proof.
pub(crate) fn confirm(
    served: &Served,
    run: &str,
    command: &str,
    page: &str,
    fields: &str,
) -> Answer {
    let command = command.split('?').next().unwrap();
    let body = format!("mark={}&{fields}", mark(page));
    served.send("POST", &format!("/ui/runs/{run}/{command}"), &[BEARER], &body).0
}

/// Presses a button: looks, and confirms.
pub(crate) fn press(served: &Served, run: &str, command: &str) -> String {
    let page = looked(served, run, command);
    let answer = confirm(served, run, command, &page, "reason=rehearsed+twice");
    assert_eq!(answer.status, 303, "{command}: {}", answer.body);
    page
}

pub(crate) fn checksums(place: &Place) -> String {
    place.expect(0, &["checksums", "target", "--json"]).stdout
}

/// A request with the token under some name of the server; what came back, if anything did.
pub(crate) fn raw_post(
    served: &Served,
    run: &str,
    command: &str,
    host: &str,
    body: &str,
) -> String {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    let length = body.len();
    let (name, value) = BEARER;
    let head = format!("POST /ui/runs/{run}/{command} HTTP/1.1\r\nHost: {host}\r\n{name}: {value}");
    let request = format!("{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    drop(stream.write_all(request.as_bytes()));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer
}
