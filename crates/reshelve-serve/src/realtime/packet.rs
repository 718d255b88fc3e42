//! The packets of Socket.IO 4, as text: what a client sends, and what it is sent.

use serde_json::Value;

/// The namespace that everything happens in.
pub(super) const ROOT: &str = "/";

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(super) enum Packet<'a> {
    /// It joins a namespace.
    Connect(&'a str),
    /// It leaves one.
    Disconnect(&'a str),
    /// An event: its name, and what was sent with it first.
    Event(String, Value),
    /// An answer, or something with binary parts: nobody waits for it.
    Ignored,
}

/// The text is no packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub(super) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let kind = text.bytes().next().ok_or(Malformed)?;
        let rest = text.get(1..).ok_or(Malformed)?;
        let (namespace, rest) = match rest.strip_prefix('/') {
            Some(_) => {
                let end = rest.find(',').unwrap_or(rest.len());
                (&rest[..end], rest[end..].strip_prefix(',').unwrap_or(""))
            }
            None => (ROOT, rest),
        };
        match kind {
            b'0' => Ok(Packet::Connect(namespace)),
            b'1' => Ok(Packet::Disconnect(namespace)),
            b'2' if namespace == ROOT => event(rest),
            b'2' | b'3' | b'5' | b'6' => Ok(Packet::Ignored),
            _ => Err(Malformed),
        }
    }
}

/// Reads what follows the namespace: perhaps a number, then an array.
fn event<'a>(text: &str) -> Result<Packet<'a>, Malformed> {
    let array = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let Ok(Value::Array(values)) = serde_json::from_str(array) else { return Err(Malformed) };
    let mut values = values.into_iter();
    match values.next() {
        Some(Value::String(name)) => Ok(Packet::Event(name, values.next().unwrap_or(Value::Null))),
        Some(Value::Number(_)) => Ok(Packet::Ignored),
        _ => Err(Malformed),
    }
}

/// The client has joined.
pub(super) fn connected(sid: &str) -> String {
    format!("0{{\"sid\":\"{sid}\"}}")
}

/// The client has not joined. `data` is JSON.
pub(super) fn refused(namespace: &str, message: &str, data: Option<&str>) -> String {
    let place = if namespace == ROOT { String::new() } else { format!("{namespace},") };
    let message = Value::from(message);
    let data = data.map_or(String::new(), |data| format!(",\"data\":{data}"));
    format!("4{place}{{\"message\":{message}{data}}}")
}

/// An event. `payload` is JSON.
pub(super) fn emitted(name: &str, payload: &str) -> String {
    format!("2[\"{name}\",{payload}]")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packets_are_read() {
        let event = |name: &str, payload| Ok(Packet::Event(name.to_owned(), payload));
        for (text, expected) in [
            ("0", Ok(Packet::Connect("/"))),
            ("0{\"token\":1}", Ok(Packet::Connect("/"))),
            ("0/admin,{}", Ok(Packet::Connect("/admin"))),
            ("0/admin", Ok(Packet::Connect("/admin"))),
            ("1", Ok(Packet::Disconnect("/"))),
            ("2[\"ping\"]", event("ping", Value::Null)),
            ("2[\"ping\",null]", event("ping", Value::Null)),
            ("217[\"subscribe\",{\"jobId\":\"x\"},3]", event("subscribe", json!({"jobId": "x"}))),
            ("2/admin,[\"x\"]", Ok(Packet::Ignored)),
            ("2[5]", Ok(Packet::Ignored)),
            ("31[]", Ok(Packet::Ignored)),
            ("51-[\"x\",{\"_placeholder\":true,\"num\":0}]", Ok(Packet::Ignored)),
            ("", Err(Malformed)),
            ("9", Err(Malformed)),
            ("ü", Err(Malformed)),
            ("2", Err(Malformed)),
            ("2{}", Err(Malformed)),
            ("2[]", Err(Malformed)),
            ("2[null]", Err(Malformed)),
            ("2[\"x\"", Err(Malformed)),
        ] {
            assert_eq!(Packet::parse(text), expected, "{text}");
        }
        assert_eq!(Packet::parse(&format!("2{}", "[".repeat(100_000))), Err(Malformed));
    }

    #[test]
    fn packets_are_written() {
        assert_eq!(connected("a-_9"), r#"0{"sid":"a-_9"}"#);
        assert_eq!(refused("/", "No \"x\"", None), r#"4{"message":"No \"x\""}"#);
        assert_eq!(refused("/a", "No", Some("{}")), r#"4/a,{"message":"No","data":{}}"#);
        assert_eq!(emitted("pong", "{}"), r#"2["pong",{}]"#);
    }
}
