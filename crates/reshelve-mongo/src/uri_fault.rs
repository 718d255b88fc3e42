//! What is wrong with a connection string, in words that quote nothing that may be a secret.
//!
//! The driver quotes what it does not understand, and that may be a part of a password: a string
//! in which one character is missing reads quite differently. So hosts and database are checked
//! here, and the driver is asked about the options alone, with placeholders for everything else.

use std::net::Ipv6Addr;

use mongodb::error::Error;
use mongodb::options::ClientOptions;
use percent_encoding::percent_decode_str;
use reshelve::ends::EndError;

use crate::error::sentence;

/// The most frequent mistake.
const ENCODED: &str =
    "percent-encode user name and password: / is %2F, : is %3A, @ is %40, ? is %3F";
const FORM: &str = "write it as mongodb://HOST:PORT/DATABASE";
const OPTIONS: &str = "correct the option, or remove it from the connection string";
/// Stands for what is left out of the driver's words.
const LEFT_OUT: &str = "…";
/// Characters that no name of a database has.
const NOT_IN_DATABASES: [char; 6] = ['/', '\\', ' ', '"', '$', '.'];
/// The algorithms that this build compresses its messages with.
const COMPRESSORS: [&str; 3] = ["snappy", "zlib", "zstd"];

/// The parts of a connection string, as far as its faults are concerned.
pub(crate) struct Parts<'u> {
    /// `mongodb://` or `mongodb+srv://`.
    pub(crate) scheme: &'static str,
    /// What is before the last `@`, if there is one.
    pub(crate) credentials: Option<&'u str>,
    /// What is between that and the path.
    pub(crate) hosts: &'u str,
    /// The path, with its slash.
    pub(crate) path: &'u str,
    /// What follows the question mark.
    pub(crate) query: &'u str,
}

/// The fault of a string that is none of a connection string at all.
pub(crate) fn malformed() -> EndError {
    EndError::usage("malformed connection string", FORM)
}

impl<'u> Parts<'u> {
    /// Takes a connection string apart.
    ///
    /// # Errors
    /// If hosts or database are malformed, or an unencoded `@` hides where they begin.
    pub(crate) fn of(scheme: &'static str, rest: &'u str) -> Result<Parts<'u>, EndError> {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        // A password that contains a slash or a question mark ends up there.
        if tail.contains('@') {
            return Err(EndError::usage(
                "malformed connection string: there is an @ after the host",
                ENCODED,
            ));
        }
        let parts = Parts { scheme, credentials, hosts, path, query };
        parts.check_hosts()?;
        parts.check_database()?;
        Ok(parts)
    }

    fn is_srv(&self) -> bool {
        self.scheme.contains("+srv")
    }

    fn check_hosts(&self) -> Result<(), EndError> {
        let wrong =
            |what: &str| EndError::usage(format!("malformed connection string: {what}"), FORM);
        if self.hosts.is_empty() {
            return Err(malformed());
        }
        let hosts: Vec<&str> = self.hosts.split(',').collect();
        if self.is_srv() && hosts.len() > 1 {
            return Err(wrong("mongodb+srv:// takes one host, which names all of them"));
        }
        for host in hosts {
            let port = port_of(host).map_err(wrong)?;
            match port {
                Some(_) if self.is_srv() => {
                    return Err(wrong("mongodb+srv:// takes a host without a port"));
                }
                Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => {}
                Some(_) => {
                    return Err(wrong("a port is not a number from 1 to 65535"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn check_database(&self) -> Result<(), EndError> {
        let name = decoded(self.path.strip_prefix('/').unwrap_or_default());
        let is_wrong = |letter: &char| {
            NOT_IN_DATABASES.contains(letter) || letter.is_whitespace() || letter.is_control()
        };
        match name.chars().find(is_wrong) {
            Some(letter) => Err(EndError::usage(
                format!(
                    "malformed connection string: no name of a database contains {letter:?}, and \
                     the one after the host does"
                ),
                FORM,
            )),
            None => Ok(()),
        }
    }

    /// The value of an option, as it is; an empty one if the option has none.
    pub(crate) fn option(&self, name: &str) -> Option<&'u str> {
        self.pairs()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    fn pairs(&self) -> impl Iterator<Item = &'u str> {
        self.query.split('&').filter(|pair| !pair.is_empty())
    }

    /// Why the driver does not take the string: asks it about the options alone, with placeholders
    /// for the credentials and the hosts.
    pub(crate) async fn fault(&self, error: &Error) -> EndError {
        let told = match self.fault_of_options().await {
            Some(words) => (words, OPTIONS),
            // Something else in the string, which holds no secrets.
            None if self.credentials.is_none() => (self.without_values(&sentence(error)), FORM),
            None => ("user name or password are not encoded".to_owned(), ENCODED),
        };
        EndError::usage(format!("the connection string cannot be used: {}", told.0), told.1)
    }

    async fn fault_of_options(&self) -> Option<String> {
        if self.is_srv() && self.option("directConnection") == Some("true") {
            return Some("mongodb+srv:// and directConnection=true do not go together".to_owned());
        }
        let hosts = vec!["h.example.com"; self.hosts.split(',').count()].join(",");
        let credentials = match self.credentials {
            Some(credentials) if credentials.contains(':') => "u:p@",
            Some("") => "@",
            Some(_) => "u@",
            None => "",
        };
        let path = if self.path.len() > 1 { "/d" } else { "/" };
        // With mongodb+srv:// the driver would look for the host.
        let is_kept = |pair: &&str| !(self.is_srv() && pair.to_lowercase().starts_with("srv"));
        let query = self.pairs().filter(is_kept).collect::<Vec<_>>().join("&");
        let probe = format!("mongodb://{credentials}{hosts}{path}?{query}");
        let error = ClientOptions::parse(&probe).await.err()?;
        let mut words = self.without_values(&sentence(&error));
        if self.option("compressors").is_some() && words.contains("compressor") {
            words.push_str(&format!("; this build has {}", COMPRESSORS.join(", ")));
        }
        Some(words)
    }

    /// The driver's words without the values of options: it quotes some, and any of them may be
    /// a secret that was put in the wrong place.
    fn without_values(&self, words: &str) -> String {
        let mut words = words.to_owned();
        for pair in self.pairs() {
            // Of what is not a pair, the driver quotes everything.
            let value = decoded(pair.split_once('=').map_or(pair, |(_, value)| value));
            let mut quoted = vec![value.clone()];
            for entry in value.split(',') {
                quoted.push(entry.to_owned());
                quoted.extend(entry.split_once(':').map(|(_, value)| value.to_owned()));
            }
            let lower: Vec<String> = quoted.iter().map(|text| text.to_lowercase()).collect();
            quoted.extend(lower);
            quoted.sort_by_key(|text| std::cmp::Reverse(text.len()));
            // A single character is no secret, and is in every word.
            for text in quoted.iter().filter(|text| text.chars().count() > 1) {
                words = words.replace(text, LEFT_OUT);
            }
        }
        words
    }
}

/// The port of a host, if it has one; says what is wrong with the host.
fn port_of(host: &str) -> Result<Option<&str>, &'static str> {
    // The path of a socket, percent-encoded.
    if host.ends_with(".sock") {
        return Ok(None);
    }
    if let Some(literal) = host.strip_prefix('[') {
        let (address, rest) = literal.split_once(']').ok_or("a host begins with [ and has no ]")?;
        if address.contains('%') {
            return Err("an IPv6 address cannot have a zone (%…)");
        }
        address.parse::<Ipv6Addr>().map_err(|_| "a host in [ ] is not an IPv6 address")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok(Some(port)),
            None if rest.is_empty() => Ok(None),
            None => Err("only a port may follow a host in [ ]"),
        };
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Err("an IPv6 address has to be in [ ]");
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    match name {
        "" => Err("a host is empty"),
        _ => Ok(port),
    }
}

/// Without its percent-encoding.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_hosts_and_database_are_told_without_quoting() {
        for (scheme, rest, words) in [
            ("mongodb://", "u:p@sekret:sekret/db", "65535"),
            ("mongodb://", "u:sekret/db", "65535"),
            ("mongodb://", "u:p@h:0/db", "65535"),
            ("mongodb://", "u:p@h:99999/db", "65535"),
            ("mongodb://", "u:p@h:1,:2/db", "empty"),
            ("mongodb://", "u:p@[fe80::1%25eth0]:27017/db", "zone"),
            ("mongodb://", "u:p@[sekret]/db", "IPv6"),
            ("mongodb://", "u:p@[::1/db", "]"),
            ("mongodb://", "u:p@[::1]sekret/db", "port"),
            ("mongodb://", "u:p@::1/db", "[ ]"),
            ("mongodb://", "u:p@h/db ", "' '"),
            ("mongodb://", "u:p@h/a%2Eb", "'.'"),
            ("mongodb+srv://", "u:p@h:27017/db", "without a port"),
            ("mongodb+srv://", "u:p@h,i/db", "one host"),
            ("mongodb://", "u:p/sekret@h/db", "after the host"),
            ("mongodb://", "u:p?x=sekret@h/db", "after the host"),
            ("mongodb://", "u:p?x=1&sekret@h/db", "after the host"),
        ] {
            let error = Parts::of(scheme, rest).err().unwrap();
            assert!(error.message.contains(words), "{rest}: {error}");
            assert!(!format!("{error:?}").contains("sekret"), "{rest}: {error}");
        }
        for rest in ["h", "h:1,i:2/db?x=y", "u:p@[::1]:3/x", "%2Ftmp%2Fm-27017.sock/db", "H/$a"] {
            let told = Parts::of("mongodb://", rest).err().map(|error| error.message);
            assert_eq!(told.is_some(), rest == "H/$a", "{rest}: {told:?}");
        }
    }

    #[test]
    fn values_of_options_are_left_out() {
        let rest = "h/?authMechanismProperties=A:sekret,B&x=other&lonely";
        let parts = Parts::of("mongodb://", rest).unwrap();
        let words = parts.without_values("'sekret' of 'A:sekret,B' and Other, other, lonely: x");
        assert_eq!(words, "'…' of '…' and Other, …, …: x");
    }
}
