//! A connection string, and the part of it that may be shown and stored.

use mongodb::options::ClientOptions;
use reshelve::ends::EndError;
use reshelve::ends::LivePlace;

use crate::error::unreachable;

/// The port of a host without one.
const PORT_DEFAULT: &str = ":27017";
const SCHEMES: [&str; 2] = ["mongodb://", "mongodb+srv://"];
/// Options whose values may be secrets: a string with one of them is not stored.
const SECRET_OPTIONS: [&str; 3] =
    ["authmechanismproperties", "tlscertificatekeyfilepassword", "proxypassword"];

/// The most frequent mistake.
const ENCODED: &str =
    "percent-encode user name and password: / is %2F, : is %3A, @ is %40, ? is %3F";

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
}

impl Place {
    /// Parses a connection string.
    ///
    /// # Errors
    /// If it is malformed; the message does not quote it.
    pub fn parse(uri: &str) -> Result<Place, EndError> {
        let bad = || {
            EndError::usage(
                "malformed connection string",
                "write it as mongodb://HOST:PORT/DATABASE",
            )
        };
        let scheme = SCHEMES.into_iter().find(|scheme| uri.starts_with(scheme)).ok_or_else(bad)?;
        let rest = &uri[scheme.len()..];
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (has_credentials, hosts) = match authority.rfind('@') {
            Some(at) => (true, &authority[at + 1..]),
            None => (false, authority),
        };
        let mut hosts: Vec<String> = hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(|host| with_port(&host.to_lowercase(), scheme))
            .collect();
        hosts.sort();
        if hosts.is_empty() {
            return Err(bad());
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        // A password that contains a slash or a question mark ends up here.
        let first = query.split('&').next().unwrap_or_default();
        if path.contains('@') || first.split('=').next().unwrap_or_default().contains('@') {
            return Err(EndError::usage(
                "malformed connection string: there is an @ after the host",
                ENCODED,
            ));
        }
        let database = path.strip_prefix('/').filter(|name| !name.is_empty()).map(str::to_owned);
        let option = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.to_owned()))
        };
        let has_secrets =
            has_credentials || SECRET_OPTIONS.iter().any(|name| option(name).is_some());
        let replica_set = option("replicaSet");
        Ok(Place { uri: uri.to_owned(), scheme, hosts, database, replica_set, has_secrets })
    }

    /// The database that the string names.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The string as it is shown: without user, password and options.
    pub fn name(&self) -> String {
        format!("{}{}", self.scheme, self.hosts.join(","))
    }

    /// Whether a host of one string is a host of the other.
    pub fn shares_a_host(&self, other: &Place) -> bool {
        self.hosts.iter().any(|host| other.hosts.contains(host))
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
        // The driver's message may quote the credentials.
        let mut options =
            ClientOptions::parse(&self.uri).await.map_err(|error| match *error.kind {
                mongodb::error::ErrorKind::DnsResolve { .. } => unreachable(&self.name(), &error),
                _ if self.uri.contains('@') => {
                    EndError::usage("the connection string cannot be used", ENCODED)
                }
                _ => EndError::usage(
                    format!("the connection string cannot be used: {error}"),
                    "write it as mongodb://HOST:PORT/DATABASE",
                ),
            })?;
        options.app_name.get_or_insert_with(|| "reshelve".to_owned());
        Ok(options)
    }
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
