//! The address of a running application: `http://HOST:PORT`, and a path in front of its routes.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// Where an application listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address; of version 6 without brackets.
    host: String,
    port: u16,
    /// The host with its port, as it was given and as requests name it.
    authority: String,
    /// What stands in front of every target, without a slash at its end.
    path: String,
}

/// Why a text is no address of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It asks for TLS, which is not spoken here.
    #[error("https:// is not spoken here")]
    Https,
    /// It holds a user or a password, which would be shown.
    #[error("a user or a password has no place in the address")]
    Credentials,
    /// A query or a fragment, which no route takes.
    #[error("it has a query or a fragment")]
    Query,
    /// Anything else.
    #[error("it is no http:// address")]
    Malformed,
}

impl Address {
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The target of a request, such as `/api/novel`, with what stands in front of it.
    pub(super) fn target(&self, target: &str) -> String {
        format!("{}{target}", self.path)
    }

    /// Whether what is sent there stays on this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.path)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains('#') {
            return Err(AddressError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| AddressError::Malformed)?;
        let authority = uri.authority().ok_or(AddressError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::Credentials);
        }
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(AddressError::Https),
            _ => return Err(AddressError::Malformed),
        }
        if uri.query().is_some() {
            return Err(AddressError::Query);
        }
        let host = authority.host().trim_matches(['[', ']']);
        let has_bad_port = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(port) => port,
            None if has_bad_port => return Err(AddressError::Malformed),
            None => 80,
        };
        if host.is_empty() || port == 0 {
            return Err(AddressError::Malformed);
        }
        Ok(Address {
            host: host.to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_a_port_and_a_path() {
        for (text, host, port, shown, target) in [
            ("http://localhost:3000", "localhost", 3000, "http://localhost:3000", "/api/novel"),
            ("http://h/", "h", 80, "http://h", "/api/novel"),
            ("http://[::1]:8080/new/", "::1", 8080, "http://[::1]:8080/new", "/new/api/novel"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.target("/api/novel"), target);
        }
        for (text, is_here) in
            [("http://localhost", true), ("http://[::1]:1", true), ("http://10.0.0.1", false)]
        {
            assert_eq!(text.parse::<Address>().unwrap().is_loopback(), is_here, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, error) in [
            ("https://localhost", AddressError::Https),
            ("http://u:p@localhost", AddressError::Credentials),
            ("https://u@localhost", AddressError::Credentials),
            ("http://localhost/?a", AddressError::Query),
            ("http://localhost/#a", AddressError::Query),
            ("localhost:3000", AddressError::Malformed),
            ("ftp://localhost", AddressError::Malformed),
            ("http://localhost:99999", AddressError::Malformed),
            ("http://localhost:0", AddressError::Malformed),
            ("http://", AddressError::Malformed),
            ("/api", AddressError::Malformed),
            ("", AddressError::Malformed),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }
}
