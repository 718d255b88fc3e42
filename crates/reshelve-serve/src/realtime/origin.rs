//! The origin of the web pages that may use this server.

use axum::http::HeaderValue;

/// The origin of the web pages, as in `SOCKET_CLIENT_ORIGIN` of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOrigin(HeaderValue);

impl ClientOrigin {
    /// An origin such as `http://localhost:5173`, or `*` for any. `None` where it cannot stand in
    /// an answer.
    pub fn new(origin: &str) -> Option<Self> {
        HeaderValue::from_str(origin).ok().filter(|value| !value.is_empty()).map(ClientOrigin)
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// Whether a client may connect that names such an origin, or none.
    pub(crate) fn allows(&self, origin: Option<&HeaderValue>) -> bool {
        self.is_any() || origin.is_none_or(|origin| *origin == self.0)
    }

    pub(crate) fn value(&self) -> &HeaderValue {
        &self.0
    }
}

impl Default for ClientOrigin {
    fn default() -> Self {
        ClientOrigin(HeaderValue::from_static("http://localhost:5173"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_one_that_can_be_sent() {
        assert!(ClientOrigin::new("*").is_some_and(|origin| origin.is_any()));
        assert!(ClientOrigin::new("http://a").is_some_and(|origin| !origin.is_any()));
        assert_eq!(ClientOrigin::new("a\nb"), None);
        assert_eq!(ClientOrigin::new(""), None);
    }
}
