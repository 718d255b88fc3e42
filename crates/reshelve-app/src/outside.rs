//! The gate for text from outside: arguments, variables, settings. It keeps what may hold a
//! password from being shown or stored.
//!
//! A connection string with a typing error is no connection string any more. Taken for a path or a
//! name, it would be quoted in messages and kept in the run folder, with its password.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Component, Path};

use percent_encoding::percent_decode_str;
use reshelve_mongo::is_live;

use crate::failure::Failure;
use crate::hints;

/// What a text from outside is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It may be shown and stored.
    Plain,
    /// It begins as a connection string does.
    ConnectionString,
    /// Nearly a connection string, or something else that holds a password: it is refused, and
    /// never quoted.
    NearMiss,
}

impl Outside {
    /// Tells what a text is. What has the form `user:password@host` is plain only if it is a path
    /// that exists, or is written as one (`./…`).
    pub fn of(text: &OsStr) -> Outside {
        let shown = text.to_string_lossy();
        if is_live(&shown) && text.to_str().is_some() {
            return Outside::ConnectionString;
        }
        if shown.contains("://") || is_live(&shown) {
            return Outside::NearMiss;
        }
        let suspicious = has_scheme(&shown) || has_password(&shown);
        match suspicious && Path::new(text).symlink_metadata().is_err() {
            true => Outside::NearMiss,
            false => Outside::Plain,
        }
    }

    /// The same for what may be anything, such as the id of a document: only the scheme counts.
    pub fn of_value(text: &OsStr) -> Outside {
        match Outside::of(text) {
            Outside::NearMiss if !has_scheme(&text.to_string_lossy()) => Outside::Plain,
            outside => outside,
        }
    }
}

impl Outside {
    /// The same for an address of web pages: `http://localhost:5173`, without a user.
    pub fn of_origin(text: &OsStr) -> Outside {
        let shown = text.to_string_lossy();
        let rest = shown.strip_prefix("http://").or_else(|| shown.strip_prefix("https://"));
        match rest {
            Some(host) if !host.contains(['@', '%']) && !has_scheme(host) => Outside::Plain,
            _ => Outside::of(text),
        }
    }
}

/// Checks a text that has to be a name or a path; `what` says which, such as `--db`.
///
/// # Errors
/// If it is a connection string, or nearly one. The message does not quote it.
pub fn check(what: &str, text: impl AsRef<OsStr>) -> Result<(), Failure> {
    match Outside::of(text.as_ref()) {
        Outside::Plain => Ok(()),
        Outside::ConnectionString | Outside::NearMiss => Err(misplaced(what)),
    }
}

/// What has no place for a connection string was given one.
pub fn misplaced(what: &str) -> Failure {
    Failure::usage(format!("{what} was given a connection string"), hints::MISPLACED)
}

/// What takes the address of a server was given something else that may hold a password.
pub fn not_an_address(what: &str) -> Failure {
    let message = format!("{what} is not the address of a server without a user and a password");
    Failure::usage(message, hints::crosscheck::ADDRESS)
}

/// What is given as a SOURCE or a TARGET and can be none.
pub(crate) fn no_place(text: &OsStr) -> Failure {
    in_object_storage(text).unwrap_or_else(malformed)
}

/// A place in object storage, without anything that may hold a password.
pub fn in_object_storage(text: &OsStr) -> Option<Failure> {
    /// Its schemes.
    const STORES: [&str; 6] = ["s3://", "s3a://", "gs://", "az://", "azure://", "abfs://"];
    let lower = text.to_string_lossy().to_ascii_lowercase();
    let rest = STORES.iter().find_map(|scheme| lower.strip_prefix(scheme))?;
    (!rest.contains(['@', '%']) && !has_scheme(rest)).then(|| {
        let message = "object storage is neither read nor written by this version";
        Failure::usage(message, hints::COPY_TO_A_FOLDER)
    })
}

/// What takes files or a database was given the address of a server.
pub fn address_as_place(what: &str) -> Failure {
    let message = format!("{what} was given the address of a web server");
    Failure::usage(message, hints::crosscheck::ADDRESS_FIRST)
}

/// A text that is nearly a connection string.
pub fn malformed() -> Failure {
    Failure::usage("malformed connection string", hints::CONNECTION_STRING)
}

/// Refuses the address of a database server that is no connection string.
pub(crate) fn refuse_address(path: &Path) -> Result<(), Failure> {
    if !is_address(path) {
        return Ok(());
    }
    let message = "a host with its port is neither a connection string nor a file or folder here";
    Err(Failure::usage(message, hints::WRITE_THE_SCHEME))
}

/// Whether a text has the form `host:port` or `host:port/database`, perhaps with several hosts, and
/// is no path that exists, or that is written as one.
fn is_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let servers = text.split('/').next().unwrap_or_default();
    servers.split(',').any(is_server) && path.symlink_metadata().is_err()
}

/// Whether a text is a host with the port of a database server: one of five digits, or of four after
/// what is a host for certain. A time of day has two, and a year is no port.
fn is_server(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host = host.rsplit('@').next().unwrap_or_default();
    let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[:]".contains(c))
        && (!host.contains(':') || host.ends_with(']'));
    let is_certain = host == "localhost" || host.contains('.') || host.ends_with(']');
    let is_port = port.len() == 5 || port.len() == 4 && is_certain;
    is_name && is_port && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a scheme is somewhere in the text, however it is spelled.
fn has_scheme(text: &str) -> bool {
    let lower = decoded(text).to_lowercase();
    let mut rest = lower.as_str();
    while let Some(found) = rest.find("mongodb") {
        rest = &rest[found + "mongodb".len()..];
        let after = rest.strip_prefix("+srv").unwrap_or(rest).trim_start();
        let is_srv = after.len() < rest.trim_start().len();
        if is_srv || after.starts_with(':') || after.starts_with("//") || after.starts_with('+') {
            return true;
        }
    }
    false
}

/// Whether the text has the form `user:password@host`.
fn has_password(text: &str) -> bool {
    if text.starts_with(['/', '~']) || text.starts_with("./") || text.starts_with("../") {
        return false;
    }
    let text = decoded(text);
    let Some((before, host)) = text.rsplit_once('@') else { return false };
    before.contains(':') && !host.is_empty()
}

/// Without percent-encoding: a whole string may have been encoded.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// The name of a target's database, and so of its folder: refused if it leads to another place.
pub(crate) fn database(name: &str) -> Result<&str, Failure> {
    let mut parts = Path::new(name).components();
    if let (Some(Component::Normal(only)), None) = (parts.next(), parts.next())
        && only == name
    {
        return Ok(name);
    }
    let message = format!("--target-db {name}: not the name of a database");
    Err(Failure::usage(message, hints::NAME_A_DATABASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_recognised() {
        for text in [
            "u:s3cret@h:27017/db",
            "u:s3cret@h",
            " u:s3cret@h/db",
            "'u:s3cret@h/db'",
            "u:s3/cret@h/db",
            ":s3cret@h",
            "u:s3cret@[::1]/db",
            "u:s@cret@h",
            "mongodb//u:s3cret@h/db",
            "mongodb//h/db",
            "mongodb:/h/db",
            "mongodb:h/db",
            "mongodb+srv//h/db",
            "mongodb+srv:/u@h",
            "mongodb+srvu@h",
            "MongoDB://h",
            " mongodb://h",
            "\u{feff}mongodb://h",
            "\u{201c}mongodb://u:s3cret@h\u{201d}",
            "mongodb ://u:s3cret@h",
            "mongodb:\\\\u:s3cret@h\\db",
            "mongo://u:s3cret@h",
            "https://u:s3cret@h",
            "LEGACY_MONGODB_URI=mongodb://u:s3cret@h",
            "mongodb%3A%2F%2Fu%3As3cret%40h",
            "u%3As3cret%40h",
        ] {
            assert_eq!(Outside::of(OsStr::new(text)), Outside::NearMiss, "{text}");
            assert!(!check("--db", text).unwrap_err().to_string().contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn a_host_with_its_port_is_no_path() {
        for text in [
            "localhost:27017",
            "127.0.0.1:9999/db",
            "u@db.example.com:27017/x",
            "[::1]:27017",
            "db1:27017,db2:27018/new",
        ] {
            assert!(is_address(Path::new(text)), "{text}");
        }
        for text in [
            "out",
            "./a:27017",
            "a:b",
            "2026-11-22T10:00:00",
            "2026-11-22T10:00",
            "backup_10:30",
            "novels:2026",
            "C:\\dump",
            "a/b:27017",
        ] {
            assert!(!is_address(Path::new(text)), "{text}");
        }
    }

    #[test]
    fn paths_and_names_are_plain() {
        for text in [
            "-",
            "dump",
            "./u:p@h/db",
            "../u:p@h",
            "/srv/2026:11@home",
            "~/a:b@c",
            "mongodb",
            "mongodb-dump/jobs.bson",
            "mongodb/jobs.bson",
            "me@home",
            "a:b",
            "2026-11-22T10:00:00",
            "C:\\dump",
            "a:b@",
            "20261122-181408-f9da3f",
        ] {
            assert_eq!(Outside::of(OsStr::new(text)), Outside::Plain, "{text}");
        }
        for text in ["mongodb://h", "mongodb+srv://u:p@h/db?x=y"] {
            assert_eq!(Outside::of(OsStr::new(text)), Outside::ConnectionString, "{text}");
        }
        assert_eq!(Outside::of_value(OsStr::new("mailto:a:b@c")), Outside::Plain);
        assert_eq!(Outside::of_value(OsStr::new("mongodb//u:p@c")), Outside::NearMiss);
    }
}
