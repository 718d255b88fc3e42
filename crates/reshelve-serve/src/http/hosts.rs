//! The names by which this server may be called.

use std::net::{IpAddr, SocketAddr};

/// The name that a text is, as it is compared with what browsers call this server by: in lower case,
/// without brackets and a dot at its end. None for a text that is no name, such as one with a port:
/// a name is allowed at every port.
pub fn host_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
    if let Ok(address) = inner.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let is_of_a_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (!name.is_empty() && name.bytes().all(is_of_a_name)).then_some(name)
}

/// The names by which this server may be called. A page of another site that was pointed at it by
/// its name server calls it by another.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    listening: IpAddr,
    /// As [`host_name`] writes them.
    names: Vec<String>,
}

impl Hosts {
    pub(super) fn new(listening: SocketAddr, names: &[String]) -> Self {
        let names = names.iter().filter_map(|name| host_name(name)).collect();
        Hosts { listening: listening.ip(), names }
    }

    /// Whether a `Host` names this server; `at` is the address that the client connected to.
    pub(super) fn allow(&self, host: &[u8], at: IpAddr) -> bool {
        let Ok(host) = std::str::from_utf8(host) else { return false };
        let host = without_port(host).to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = inner.parse::<IpAddr>() {
            let address = address.to_canonical();
            let ours = [self.listening, at];
            return address.is_loopback()
                || ours.iter().any(|ours| ours.to_canonical() == address)
                || self.names.contains(&address.to_string());
        }
        host == "localhost"
            || host.ends_with(".localhost")
            || self.names.iter().any(|name| name == host)
    }
}

/// A `Host` without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_port_and_no_scheme() {
        for (text, name) in [
            ("Novels.example", "novels.example"),
            ("novels.example.", "novels.example"),
            ("my_host-1", "my_host-1"),
            ("192.0.2.9", "192.0.2.9"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[::ffff:192.0.2.9]", "192.0.2.9"),
        ] {
            assert_eq!(host_name(text).as_deref(), Some(name), "{text}");
        }
        for text in [
            "",
            ".",
            "novels.example:8080",
            "192.0.2.9:80",
            "[2001:db8::1]:80",
            "http://novels.example",
            "novels.example/x",
            "*.example",
            "a b",
            "b\u{fc}cher.example",
        ] {
            assert_eq!(host_name(text), None, "{text}");
        }
        let listening = SocketAddr::from(([127, 0, 0, 1], 8080));
        let hosts = Hosts::new(listening, &["192.0.2.9".to_owned(), "[2001:db8::1]".to_owned()]);
        let at = IpAddr::from([127, 0, 0, 1]);
        assert!(hosts.allow(b"192.0.2.9:443", at) && hosts.allow(b"[2001:db8::1]:443", at));
        assert!(!hosts.allow(b"192.0.2.8", at));
    }

    #[test]
    fn only_own_names_are_allowed() {
        let listening = SocketAddr::from(([192, 0, 2, 7], 8080));
        let hosts = Hosts::new(listening, &["Novels.example".to_owned()]);
        let at = IpAddr::from([192, 0, 2, 8]);
        for host in [
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "a.localhost:80",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]",
            "[::1]:8080",
            "::1",
            "[::ffff:127.0.0.1]:1",
            "192.0.2.7:8080",
            "192.0.2.7",
            "192.0.2.8",
            "novels.example",
            "NOVELS.example:443",
        ] {
            assert!(hosts.allow(host.as_bytes(), at), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "192.0.2.9",
            "localhost.evil.example",
            "notlocalhost",
            "xnovels.example",
            "novels.example.evil",
            "0.0.0.0",
            "[::2]",
            "127.0.0.1.evil.example",
            "127.0.0.1:x",
            "localhost@evil.example",
            "2130706433",
        ] {
            assert!(!hosts.allow(host.as_bytes(), at), "{host}");
        }
        assert!(!hosts.allow(b"\xff", at));
    }
}
