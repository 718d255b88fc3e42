//! A connection string, and the part of it that may be shown and stored.

use std::borrow::Cow;
use std::net::IpAddr;

use mongodb::error::ErrorKind;
use mongodb::options::ClientOptions;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reshelve::ends::EndError;
use reshelve::ends::LivePlace;

use crate::error::unreachable;
use crate::uri_fault::{Parts, decoded, malformed};

/// The port of a host without one.
const PORT_DEFAULT: &str = ":27017";
const SCHEMES: [&str; 2] = ["mongodb://", "mongodb+srv://"];
/// Options whose values may be secrets: a string with one of them is not stored.
const SECRET_OPTIONS: [&str; 3] =
    ["authmechanismproperties", "tlscertificatekeyfilepassword", "proxypassword"];

/// Whether a SOURCE or TARGET is a connection string.
pub fn is_live(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// A parsed connection string. It has no `Debug`: it may hold a password.
#[derive(Clone)]
pub struct Place {
    /// The string as the user gave it.
    pub(crate) uri: String,
    scheme: &'static str,
    /// In lower case, sorted, with their ports.
    hosts: Vec<String>,
    /// The database in the path.
    database: Option<String>,
    replica_set: Option<String>,
    has_secrets: bool,
    /// A password that was given beside the string.
    password: Option<String>,
}

impl Place {
    /// Parses a connection string.
    ///
    /// # Errors
    /// If it is malformed; the message does not quote it.
    pub fn parse(uri: &str) -> Result<Place, EndError> {
        let scheme = SCHEMES.into_iter().find(|scheme| uri.starts_with(scheme));
        let scheme = scheme.ok_or_else(malformed)?;
        let parts = Parts::of(scheme, &uri[scheme.len()..])?;
        let mut hosts: Vec<String> =
            parts.hosts.split(',').map(|host| with_port(&host.to_lowercase(), scheme)).collect();
        hosts.sort();
        let database = parts.path.strip_prefix('/').filter(|name| !name.is_empty()).map(decoded);
        let is_secret = |name: &&str| parts.option(name).is_some();
        let has_secrets = parts.credentials.is_some() || SECRET_OPTIONS.iter().any(is_secret);
        let replica_set = parts.option("replicaSet").map(decoded);
        Ok(Place {
            uri: uri.to_owned(),
            scheme,
            hosts,
            database,
            replica_set,
            has_secrets,
            password: None,
        })
    }

    /// The user that the string names without a password.
    pub fn user_without_password(&self) -> Option<String> {
        let parts = Parts::of(self.scheme, self.rest()).ok()?;
        let user = parts.credentials.filter(|user| !user.is_empty() && !user.contains(':'))?;
        Some(decoded(user))
    }

    /// The same place with the password of the user that the string names. It is used to connect,
    /// and goes nowhere else.
    #[must_use]
    pub fn with_password(self, password: String) -> Place {
        Place { password: Some(password), ..self }
    }

    /// The string that the driver parses.
    fn whole(&self) -> Cow<'_, str> {
        let (Some(password), Some((user, rest))) = (&self.password, self.rest().split_once('@'))
        else {
            return Cow::Borrowed(&self.uri);
        };
        let password = utf8_percent_encode(password, NON_ALPHANUMERIC);
        Cow::Owned(format!("{}{user}:{password}@{rest}", self.scheme))
    }

    /// The string after its scheme.
    fn rest(&self) -> &str {
        &self.uri[self.scheme.len()..]
    }

    /// The database that the string names.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The string as it is shown: without user, password and options.
    pub fn name(&self) -> String {
        format!("{}{}", self.scheme, self.hosts.join(","))
    }

    /// What `run.json` stores of it.
    pub fn planned(&self, db: &str, replica_set: Option<String>) -> LivePlace {
        LivePlace {
            uri: match (&self.database, self.has_secrets) {
                (_, false) => self.uri.clone(),
                (Some(database), true) => format!("{}/{database}", self.name()),
                (None, true) => self.name(),
            },
            needs_uri: self.has_secrets,
            hosts: self.hosts.clone(),
            replica_set: self.replica_set.clone().or(replica_set),
            db: db.to_owned(),
            uri_db: self.database.clone(),
            operation_time: None,
            collection: None,
        }
    }

    /// Checks that a run that used `planned` can be resumed here.
    ///
    /// # Errors
    /// If hosts, replica set or database differ; the message says which.
    pub fn check_same(&self, planned: &LivePlace) -> Result<(), EndError> {
        let mut differs = Vec::new();
        if self.hosts != planned.hosts {
            differs.push(format!(
                "hosts {}, not {}",
                self.hosts.join(","),
                planned.hosts.join(",")
            ));
        }
        if let (Some(here), Some(there)) = (&self.replica_set, &planned.replica_set)
            && here != there
        {
            differs.push(format!("replica set {here}, not {there}"));
        }
        // When the run began, a flag may have overridden the database of the string.
        if let Some(db) = &self.database
            && *db != planned.db
            && planned.uri_db.as_ref() != Some(db)
        {
            differs.push(format!("database {db}, not {}", planned.db));
        }
        if differs.is_empty() {
            return Ok(());
        }
        Err(EndError::refused(
            format!("this connection string is not the one of the run: {}", differs.join("; ")),
            "give the connection string of the run, or start a new run",
        ))
    }

    /// The driver's options.
    pub(crate) async fn options(&self) -> Result<ClientOptions, EndError> {
        let mut options = match ClientOptions::parse(self.whole().as_ref()).await {
            Ok(options) => options,
            Err(error) if matches!(*error.kind, ErrorKind::DnsResolve { .. }) => {
                return Err(unreachable(&self.name(), &error));
            }
            // The driver's message may quote the credentials.
            Err(error) => {
                return Err(Parts::of(self.scheme, self.rest())?.fault(&error).await);
            }
        };
        options.app_name.get_or_insert_with(|| "reshelve".to_owned());
        Ok(options)
    }
}

/// Whether two lists of hosts with their ports have one in common. The names of this machine mean
/// the same.
pub fn share_a_host(one: &[String], other: &[String]) -> bool {
    let known = |host: &String| match host.rsplit_once(':') {
        Some((name, port)) if is_this_machine(name) => format!("localhost:{port}"),
        _ => host.clone(),
    };
    let other: Vec<String> = other.iter().map(known).collect();
    one.iter().any(|host| other.contains(&known(host)))
}

/// Whether an address is one of this machine: of its loopback, in either notation, or the one that
/// stands for all.
fn is_this_machine(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.parse::<IpAddr>().is_ok_and(|address| {
        let address = address.to_canonical();
        address.is_loopback() || address.is_unspecified()
    })
}

fn with_port(host: &str, scheme: &str) -> String {
    let last = host.rsplit(']').next().unwrap_or(host);
    if last.contains(':') || scheme == SCHEMES[1] || host.contains('%') {
        host.to_owned()
    } else {
        format!("{host}{PORT_DEFAULT}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_many_names() {
        let share = |one: &str, other: &str| share_a_host(&[one.to_owned()], &[other.to_owned()]);
        for name in ["127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]"] {
            assert!(share(&format!("{name}:1"), "localhost:1"), "{name}");
            assert!(!share(&format!("{name}:1"), "localhost:2"), "{name}");
        }
        for name in ["10.0.0.1", "db", "[fe80::1]"] {
            assert!(!share(&format!("{name}:1"), "localhost:1"), "{name}");
        }
    }

    #[test]
    fn nothing_secret_is_kept() {
        for (uri, name, needs_uri) in [
            ("mongodb://u:p@h/db", "mongodb://h:27017", true),
            ("mongodb://B:1,a:2/db?replicaSet=rs", "mongodb://a:2,b:1", false),
            ("mongodb+srv://u:p%40@cluster.example/?w=1", "mongodb+srv://cluster.example", true),
            ("mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:t", "mongodb://h:27017", true),
            ("mongodb://[::1]:3/x", "mongodb://[::1]:3", false),
        ] {
            let place = Place::parse(uri).unwrap();
            assert_eq!(place.name(), name);
            let planned = place.planned("d", None);
            assert_eq!(planned.needs_uri, needs_uri, "{uri}");
            assert_eq!(planned.uri == uri, !needs_uri, "{uri}");
            place.check_same(&planned).unwrap();
            let other = Place::parse("mongodb://elsewhere/db").unwrap();
            assert!(other.check_same(&planned).is_err());
        }
        let planned = Place::parse("mongodb://h/a").unwrap().planned("b", None);
        for (uri, same) in [("h/a", true), ("h/b", true), ("h", true), ("h/c", false)] {
            let place = Place::parse(&format!("mongodb://{uri}")).unwrap();
            assert_eq!(place.check_same(&planned).is_ok(), same, "{uri}");
        }
        for uri in ["mongodb://u:1/s@h/d", "mongodb://u:s?s@h/d"] {
            assert!(Place::parse(uri).is_err(), "{uri}");
        }
        assert!(Place::parse("mongodb://").is_err());
        assert!(Place::parse("http://h").is_err());
    }
}
