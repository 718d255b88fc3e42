//! A server with TLS: a certificate that holds is accepted; one of an unknown authority, one that
//! has expired and one for another host are refused, and nothing is written.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::path::Path;
use std::process::Command;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;

use common::counts::{Ended, count};
use common::{Place, left_out};
use live::Server;

fn openssl(folder: &Path, args: &[&str]) -> bool {
    let output = Command::new("openssl").args(args).current_dir(folder).output();
    output.is_ok_and(|output| output.status.success())
}

/// An authority: `NAME.pem`, and its key.
fn authority(folder: &Path, name: &str) -> bool {
    let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let args = ["req", "-x509", "-days", "30", "-subj", &subject, "-keyout", &key, "-out", &pem];
    openssl(folder, &[&args[..], &curve].concat())
}

/// A certificate of our authority for a host, valid for so many days: `NAME.pem`, and its key.
fn certificate(folder: &Path, name: &str, host: &str, days: &str) -> bool {
    let (key, request, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
    std::fs::write(folder.join("ext"), format!("subjectAltName={host}\n")).unwrap();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let args = ["req", "-subj", "/CN=server", "-keyout", &key, "-out", &request];
    let sign = [
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        "ours.pem",
        "-CAkey",
        "ours.key",
        "-out",
        &pem,
        "-extfile",
        "ext",
        "-days",
        days,
        "-set_serial",
        "7",
    ];
    openssl(folder, &[&args[..], &curve].concat()) && openssl(folder, &sign)
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let folder = place.path("");
    let is_made = authority(&folder, "ours")
        && authority(&folder, "theirs")
        && certificate(&folder, "good", "IP:127.0.0.1", "30")
        && certificate(&folder, "expired", "IP:127.0.0.1", "-1")
        && certificate(&folder, "elsewhere", "DNS:elsewhere.example", "30");
    if !is_made {
        left_out("openssl makes no certificates here");
        return;
    }
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for (certificate, authority, is_good) in [
        ("good", "ours", true),
        ("good", "theirs", false),
        ("expired", "ours", false),
        ("elsewhere", "ours", false),
    ] {
        let what = format!("{certificate} of {authority}");
        let path = |name: String| place.path(&name).display().to_string();
        let (pem, key) = (path(format!("{certificate}.pem")), path(format!("{certificate}.key")));
        let args = ["--tls-cert-file", &pem, "--tls-key-file", &key];
        let Some(server) = Server::start(&args) else { return };
        let uri = server.uri("novels");
        let authority = path(format!("{authority}.pem"));
        let uri = format!("{uri}&tls=true&tlsCAFile={authority}");
        // The driver tries again for so long.
        let uri = uri.replace("serverSelectionTimeoutMS=10000", "serverSelectionTimeoutMS=1500");
        if is_good {
            place.expect(0, &["indexes", "up", &uri]);
        }
        let run = ["run", "jobs.bson", &uri, "--apply", "--in-flight", "include"];
        let told = place.call(&run).finish();
        if is_good {
            assert_eq!(told.code, Some(0), "{what}: {}", told.stderr);
            continue;
        }
        assert!(matches!(told.code, Some(1 | 3)), "{what}: {:?}, {}", told.code, told.stderr);
        let says = told.stderr.to_lowercase();
        assert!(says.contains("certificate"), "{what}: {}", told.stderr);
        assert!(says.contains("hint:"), "{what}: {}", told.stderr);
        assert_eq!(place.runs().len(), 1, "{what}: there is no run");
        count(
            &format!("TLS: a certificate that does not hold ({what})"),
            "live",
            Ended::refused(1),
        );
    }
}
