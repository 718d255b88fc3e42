//! A password in a connection string is never shown.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told};

/// Nobody listens on that port.
const URI: &str = "mongodb://u:sekret@127.0.0.1:1/db?serverSelectionTimeoutMS=100";

fn expect_silence(told: &Told, place: &Place) {
    for text in [&told.stdout, &told.stderr] {
        assert!(!text.contains("sekret"), "{text}");
    }
    for (name, bytes) in place.tree("") {
        let found = bytes.windows(6).any(|window| window == b"sekret");
        assert!(!found, "{name}");
    }
}

#[test]
fn passwords_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    let run = place.run();
    let other = "mongodb+srv://u:sekret@h.example/db?retryWrites=true";
    for uri in [URI, other] {
        for args in [
            &["run", uri, "out"][..],
            &["run", uri, "out", "--apply", "--json"],
            &["run", "jobs.bson", uri, "--apply"],
            &["inspect", uri],
            &["inspect", uri, "--json"],
            &["restore", uri, "back.bson"],
            &["restore", "target", uri],
            &["resume", &run, "--source", uri],
            &["generate", uri],
        ] {
            let told = place.call(args).finish();
            assert!(matches!(told.code, Some(1..=3)), "{args:?}: {}", told.stderr);
            expect_silence(&told, &place);
        }
    }
}

#[test]
fn passwords_in_the_environment_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for args in [
        &["run", "--help"][..],
        &["run"],
        &["run", "jobs.bson"],
        &["inspect"],
        &["inspect", "--help"],
        &["resume", "--help"],
        &["restore", "--help"],
        &["help", "run"],
        &["--help"],
        &["completions", "bash"],
        &["man", "pages"],
    ] {
        let call = place.call(args).env("LEGACY_MONGODB_URI", URI);
        let told = call.env("TARGET_MONGODB_URI", URI).finish();
        expect_silence(&told, &place);
    }
    place.write("reshelve.toml", format!("source = \"{URI}\"\n").as_bytes());
    let told = place.call(&["run", "--help"]).finish();
    assert!(!told.stdout.contains("sekret"), "{}", told.stdout);
}

#[test]
fn passwords_in_what_is_wrong_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for args in [
        &["run", "jobs.bson", "out", "--no-such-flag", URI][..],
        &["run", "jobs.bson", "out", "--limit", URI],
        &["run", "jobs.bson", "out", URI],
        &["run", "jobs.bson", "out", "--only-rejects", URI],
        &["status", URI],
        &["resume", URI],
    ] {
        expect_silence(&place.call(args).expect(2), &place);
    }
    for uri in [
        " mongodb://u:sekret@h/db",
        "'mongodb://u:sekret@h/db'",
        "MongoDB://u:sekret@h/db",
        "mongodb:/u:sekret@h/db",
        "mongodb://u:1/sekret@h/db",
        "mongodb://u:sekret?x@h/db",
        "mongodb://u:x?sekret@h/db",
        "https://u:sekret@h/db",
        "u:sekret@h:27017/db",
        "u:sekret@h",
        " 'u:sekret@h/db'",
        "mongodb//u:sekret@h/db",
        "mongodb+srv:u:sekret@h/db",
        "mongodb%3A%2F%2Fu%3Asekret%40h%2Fdb",
        "LEGACY_MONGODB_URI=mongodb://u:sekret@h/db",
    ] {
        for args in [
            &["run", uri, "out", "--apply"][..],
            &["run", "jobs.bson", uri, "--apply"],
            &["run", "jobs.bson", "out", "--no-such-flag", uri],
            &["inspect", uri, "--print-role", "target"],
            &["indexes", "status", uri],
            &["checksums", uri],
            &["resume", "no-such-run", "--source", uri],
            &[uri],
            &["run", "jobs.bson", "out", "--limit", uri],
        ] {
            expect_silence(&place.call(args).expect(2), &place);
        }
    }
    for text in [
        format!("source = \"{URI}\"\nsauce = \"{URI}\"\n"),
        format!("source = \"{URI}\" x\n"),
        "source = \"u:sekret@h/db\" x\n".to_owned(),
        "\"u:sekret@h/db\" = 1\n".to_owned(),
        "[\"u:sekret@h/db\"]\nx = 1\n".to_owned(),
        "limit = \"u:sekret@h/db\"\n".to_owned(),
        "runs-dir = \"u:sekret@h/db\"\n".to_owned(),
    ] {
        place.write("reshelve.toml", text.as_bytes());
        let told = place.call(&["run", "jobs.bson", "out"]).expect(2);
        assert!(!told.stderr.contains("sekret"), "{}", told.stderr);
    }
}

#[test]
fn no_other_argument_takes_a_connection_string() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for text in [URI, "u:sekret@h:27017/db", "mongodb//u:sekret@h/db"] {
        for args in [
            &["run", "jobs.bson", "out", "--apply", "--db", text][..],
            &["run", "jobs.bson", "out", "--apply", "--collection", text],
            &["run", "jobs.bson", "out", "--apply", "--target-db", text],
            &["run", "jobs.bson", "out", "--apply", "--runs-dir", text],
            &["run", "jobs.bson", "out", "--only-rejects", text],
            &["profile", "jobs.bson", "--db", text, "--json"],
            &["verify", "jobs.bson", "out", "--run", text],
            &["verify", "jobs.bson", "out", "--out", text],
            &["report", text],
            &["runs", "--runs-dir", text, "--json"],
            &["status", text, "--json"],
            &["indexes", "down", "out", "--force", text],
            &["generate", text],
            &["demo", "--dir", text],
        ] {
            expect_silence(&place.call(args).expect(2), &place);
        }
    }
    for variable in ["RESHELVE_RUNS_DIR", "RESHELVE_TARGET_DB", "RESHELVE_CONFIG"] {
        let call = place.call(&["run", "jobs.bson", "out", "--apply"]).env(variable, URI);
        expect_silence(&call.expect(2), &place);
    }
    // What is there is a path, whatever it looks like.
    place.write("a:b@c", &place.read("jobs.bson"));
    place.expect(0, &["profile", "a:b@c"]);
    place.expect(0, &["run", "jobs.bson", "./d:e@f", "--apply"]);
}

#[test]
fn a_fault_beside_the_credentials_is_told_as_what_it_is() {
    let place = Place::new();
    let words = [
        ("mongodb://u:sekret@h/db?readPreference=sekret2", "not a valid read preference"),
        ("mongodb://u:sekret@h/db?nosuch=sekret2", "nosuch is an invalid option"),
        ("mongodb://u:sekret@h/db?w=1&w=2", "repeated options"),
        ("mongodb://u:sekret@h/db?retryWrites=sekret2", "must be a boolean"),
        ("mongodb://u:sekret@h/db?sekret2", "key=value"),
        ("mongodb://u:sekret@h/db?socketTimeoutMS=5", "socketTimeoutMS"),
        ("mongodb://u:sekret@h/db?compressors=sekret2", "snappy, zlib, zstd"),
        ("mongodb://u:sekret@h/db?uuidRepresentation=sekret2", "uuidRepresentation"),
        ("mongodb://u:sekret@h/db?authMechanism=sekret2", "mechanism"),
        ("mongodb://u:sekret@h/db?authMechanismProperties=sekret2", "authMechanismProperties"),
        ("mongodb://h/db?authMechanismProperties=sekret2", "authMechanismProperties"),
        ("mongodb://u:sekret@h,i/db?directConnection=true", "directConnection"),
        ("mongodb+srv://u:sekret@h.example/db?directConnection=true", "directConnection"),
        ("mongodb+srv://u:sekret@h.example/db?nosuch=1", "nosuch is an invalid option"),
        ("mongodb+srv://u:sekret@h.example:27017/db", "without a port"),
        ("mongodb+srv://u:sekret@h.example,i.example/db", "one host"),
        ("mongodb://u:sekret@h:99999/db", "65535"),
        ("mongodb://u:sekret/db", "65535"),
        ("mongodb://u:sekret@h:27017/db ", "database"),
        ("mongodb://u:sekret@[fe80::1%25eth0]:27017/db", "zone"),
        ("mongodb://u:p?x=sekret@h/db", "after the host"),
        // The fault is in them.
        ("mongodb://u:sekret%@h/db", "not encoded"),
        ("mongodb://u:sek:ret@h/db", "not encoded"),
        ("mongodb://u:sek%ffret@h/db", "not encoded"),
    ];
    for (uri, words) in words {
        let told = place.call(&["inspect", uri]).expect(2).says(&[words]);
        expect_silence(&told, &place);
        let is_encoding = ["not encoded", "after the host"].contains(&words);
        assert_eq!(is_encoding, told.stderr.contains("percent-encode user"), "{uri}");
        assert!(!told.stderr.contains("ret@"), "{uri}: {}", told.stderr);
        let args = ["run", "jobs.bson", uri, "--apply"];
        place.expect(0, &["generate", "jobs.bson", "--documents", "1", "--overwrite"]);
        expect_silence(&place.call(&args).expect(2), &place);
    }
    // Other drivers' usual options are taken; the server is not there.
    let uri = "mongodb://u:sekret@127.0.0.1:1/db?compressors=snappy,zlib,zstd&journal=true\
               &serverSelectionTimeoutMS=100";
    place.call(&["inspect", uri]).expect(1).says(&["cannot be reached"]);
}

#[test]
fn without_a_terminal_no_password_is_asked_for() {
    let place = Place::new();
    let args = ["inspect", "mongodb://u@127.0.0.1:1/db", "--password-prompt"];
    // `setsid` takes the terminal away, if there is one.
    let told = place.call_through(&["setsid", "-w"], &args).expect(2);
    told.says(&["cannot be asked for", "--source-password-file"]);
}

/// Libraries may log what they are given to whoever sets that variable.
#[test]
fn passwords_are_in_no_log() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for level in ["trace", "mongodb=trace,reshelve=trace", "debug"] {
        for args in [
            &["run", "jobs.bson", URI, "--apply"][..],
            &["run", URI, "out"],
            &["inspect", URI],
            &["verify", "jobs.bson", URI],
            &["run", "jobs.bson", "u:sekret@h:27017/db"],
        ] {
            let call = place.call(args).env("RUST_LOG", level).env("MONGODB_LOG_ALL", "trace");
            let told = call.env("RUST_BACKTRACE", "full").finish();
            assert!(matches!(told.code, Some(1..=3)), "{args:?}: {}", told.stderr);
            expect_silence(&told, &place);
        }
    }
}

/// A password from a file is in no list of processes, and in nobody's environment.
#[test]
#[cfg(target_os = "linux")]
fn passwords_from_files_are_in_no_list_of_processes() {
    let place = Place::new();
    place.write("password", b"sekret\n");
    let path = place.path("password");
    let rights = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, rights).unwrap();
    let uri = "mongodb://u@127.0.0.1:1/db?serverSelectionTimeoutMS=2000";
    let args = ["inspect", uri, "--source-password-file", "password"];
    let mut child = place.call(&args).spawn(false);
    let (mut seen, pid) = (0, child.id());
    while child.try_wait().unwrap().is_none() {
        for file in ["cmdline", "environ"] {
            let Ok(bytes) = std::fs::read(format!("/proc/{pid}/{file}")) else { continue };
            assert!(!bytes.windows(6).any(|it| it == b"sekret"), "{file}");
            seen += usize::from(!bytes.is_empty());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(seen > 0, "the process was seen");
}
