//! Passwords from files and from a prompt: they open the connection, and are nowhere else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use mongodb::bson::doc;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;

use common::{Place, Told, split};
use live::Server;

/// With every character that has a meaning in a connection string.
const PASSWORD: &str = "s:e/k?r@e%t#1";

struct Scene {
    server: Server,
    place: Place,
    passwords: tempfile::TempDir,
}

impl Scene {
    /// A server with a user for each side, a source, and the password in a file.
    fn new() -> Option<Scene> {
        let server = Server::start(&["--auth"])?;
        let root = doc! { "createUser": "root", "pwd": "root", "roles": ["root"] };
        server.database_named("", "shop").admin(root).unwrap();
        let root = server.database_named("root:root", "shop");
        for (user, role, db) in [("reader", "read", "shop"), ("writer", "readWrite", "novels")] {
            let roles = vec![doc! { "role": role, "db": db }];
            root.admin(doc! { "createUser": user, "pwd": PASSWORD, "roles": roles }).unwrap();
        }
        let place = Place::new();
        let args = ["generate", "jobs.bson", "--documents", "30", "--size", "small"];
        place.expect(0, &args);
        root.seed("jobs", &split(&place.read("jobs.bson")));
        std::fs::remove_file(place.path("jobs.bson")).unwrap();
        let passwords = tempfile::tempdir().unwrap();
        std::fs::write(passwords.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        Some(Scene { server, place, passwords })
    }

    fn source(&self) -> String {
        self.server.uri_as("reader", "shop")
    }

    fn target(&self) -> String {
        self.server.uri_as("writer", "novels")
    }

    fn file(&self) -> String {
        self.passwords.path().join("password").display().to_string()
    }

    fn expect(&self, code: i32, args: &[&str]) -> Told {
        let told = self.place.expect(code, args);
        self.expect_silence(&[&told.stdout, &told.stderr]);
        told
    }

    fn expect_silence(&self, said: &[&str]) {
        let encoded = "s%3Ae%2Fk%3Fr%40e%25t%231";
        for secret in [PASSWORD, encoded] {
            assert!(said.iter().all(|text| !text.contains(secret)), "{said:?}");
            for (name, bytes) in self.place.tree("") {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{secret} is in {name}");
            }
        }
    }
}

#[test]
fn a_password_comes_from_a_file() {
    let Some(scene) = Scene::new() else { return };
    let (source, target, file) = (scene.source(), scene.target(), scene.file());
    let from = ["--source-password-file", &file];
    let to = ["--target-password-file", &file];
    let both = [&from[..], &to].concat();
    scene.expect(1, &["inspect", &source]);
    scene.expect(0, &[&["inspect", &source][..], &from].concat());
    scene.expect(0, &[&["profile", &source][..], &from].concat());
    scene.expect(0, &[&["indexes", "up", &target][..], &to].concat());
    scene.expect(0, &[&["run", &source, &target, "--limit", "9"][..], &both].concat());
    let limited =
        ["run", &source, &target, "--apply", "--in-flight", "include", "--batch-docs", "5"];
    scene.expect(0, &[&limited[..], &both].concat());
    let run = scene.place.runs().pop().unwrap();
    let sides = ["--source", &source, "--target", &target];
    scene.expect(0, &[&["resume", &run][..], &sides, &both].concat()).says(&["done already"]);
    scene.expect(2, &["resume", &run]).says(&["needs its credentials again"]);
    scene.expect(0, &[&["verify", &source, &target][..], &both].concat());
    scene.expect(0, &[&["checksums", &target][..], &to].concat());
    scene.expect(0, &[&["restore", &target, "back.bson"][..], &to].concat());
    let report = scene.expect(0, &[&["report", &run][..], &sides, &both].concat());
    assert!(report.stdout.contains("Parity holds"), "{}", report.stdout);
    // Variables say the same.
    let call = scene.place.call(&["checksums", &target]);
    call.env("RESHELVE_TARGET_PASSWORD_FILE", &file).expect(0);
}

#[test]
fn a_file_that_is_no_password_is_refused() {
    let Some(scene) = Scene::new() else { return };
    let (source, file) = (scene.source(), scene.file());
    let inspect =
        |name: &str| ["inspect", &source, "--source-password-file", name].map(str::to_owned);
    for (name, text) in [("empty", ""), ("line", "\n"), ("lines", "a\nb\n")] {
        let path = scene.passwords.path().join(name);
        std::fs::write(&path, text).unwrap();
        let args = inspect(&path.display().to_string());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scene.expect(2, &args).says(&[name, "one line"]);
    }
    std::fs::write(scene.passwords.path().join("wrong"), "other").unwrap();
    let wrong = scene.passwords.path().join("wrong").display().to_string();
    let args = ["inspect", &source, "--source-password-file", &wrong];
    scene.expect(1, &args).says(&["authentication failed"]);
    for uri in [scene.server.uri_as("reader:x", "shop"), scene.server.uri("shop")] {
        let args = ["inspect", &uri, "--source-password-file", &file];
        scene.expect(2, &args).says(&["a user without a password"]);
    }
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let Some(scene) = Scene::new() else { return };
    let binary = env!("CARGO_BIN_EXE_reshelve");
    let command = format!("'{binary}' inspect '{}' --password-prompt", scene.source());
    let script = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(scene.place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut script) = script else { return common::left_out("there is no program `script`") };
    // What is typed before the program asks would be shown; and it asks before it stops showing.
    let mut said = Vec::new();
    let mut byte = [0];
    let mut output = script.stdout.take().unwrap();
    while !said.ends_with(b": ") && output.read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    script.stdin.as_mut().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    output.read_to_end(&mut said).unwrap();
    let code = script.wait().unwrap().code();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Password of reader for the source"), "{said}");
    assert!(said.contains("reader@admin"), "{said}");
    scene.expect_silence(&[&said]);
}
