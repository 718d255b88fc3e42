//! Who may ask for what: the token, the cookie that stands for it, and what changes something.

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, ORIGIN};
use axum::http::{Method, StatusCode};

use super::guard::SOCKETS;
use super::own;
use super::route::{Route, Target};
use crate::runs::Confirming;
use crate::ui;

/// The cookie that stands for the token.
pub(super) const COOKIE_NAME: &str = "reshelve_token";
/// Where the cookie is given out.
pub(super) const LOGIN: &str = "/login";
/// Whether the process is there says nothing that is worth a token.
const ALIVE: &str = "/healthz";
/// What the cookie is derived for: nobody can compute the token from it.
const COOKIE_CONTEXT: &str = "reshelve serve 2026-11 cookie that stands for a token";

/// Who may ask for what. Without a token, everybody may read, and nobody may change anything.
#[derive(Clone, Copy, Default)]
pub struct Access {
    token: Option<Token>,
    opens_api: bool,
    confirming: Confirming,
}

/// Hashes of a token and of its cookie. They are compared in constant time.
#[derive(Clone, Copy)]
struct Token {
    itself: blake3::Hash,
    cookie: blake3::Hash,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// It has no token, or a wrong one.
    Token,
    /// It would change something, and must not; why, as a sentence.
    Change(&'static str),
}

impl Denied {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Denied::Token => StatusCode::UNAUTHORIZED,
            Denied::Change(_) => StatusCode::FORBIDDEN,
        }
    }

    /// What happened, and what to do about it.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Denied::Token => "This server asks for its token: Authorization: Bearer TOKEN.",
            Denied::Change(why) => why,
        }
    }
}

const SWITCHED_OFF: &str = "Nothing can be changed through this server: it was started without \
                            --token-file.";
const FROM_ELSEWHERE: &str = "The request does not come from a page of this server.";

impl Access {
    /// Only who has this token may ask for anything but `/healthz`, and may change what can be
    /// changed.
    pub fn with_token(token: &str) -> Self {
        let itself = blake3::hash(token.as_bytes());
        let cookie = blake3::derive_key(COOKIE_CONTEXT, token.as_bytes()).into();
        let confirming = Confirming::with_token(token);
        Access { token: Some(Token { itself, cookie }), opens_api: false, confirming }
    }

    /// The same, but everybody may read jobs: the five read routes, and Socket.IO.
    #[must_use]
    pub fn opening_api(self) -> Self {
        Access { opens_api: true, ..self }
    }

    /// What proves that a form is of this server.
    pub(super) fn confirming(&self) -> Confirming {
        self.confirming
    }

    /// Whether a text is the token; if so, the value of its cookie.
    pub(super) fn cookie_for(&self, token: &str) -> Option<String> {
        let known = self.token.filter(|known| blake3::hash(token.as_bytes()) == known.itself)?;
        Some(known.cookie.to_hex().to_string())
    }

    /// Judges a request for a target.
    pub(super) fn judge(
        &self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        let cut = Target::of(target);
        let is_ours = own::is_ours(cut.path);
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let changes = is_ours && !reads && *method != Method::OPTIONS;
        let Some(token) = self.token else {
            return if changes { Err(Denied::Change(SWITCHED_OFF)) } else { Ok(()) };
        };
        if cut.path == LOGIN {
            let is_from_here = !changes || is_from_here(headers, true);
            return if is_from_here { Ok(()) } else { Err(Denied::Change(FROM_ELSEWHERE)) };
        }
        let is_free = match cut.route() {
            // Browsers ask with it first, without credentials; it says nothing of any job.
            _ if *method == Method::OPTIONS && !is_ours => true,
            _ if reads && cut.path == ALIVE => true,
            // The page that asks for the token looks like the others.
            _ if reads && cut.path.starts_with(ui::ASSETS) => true,
            _ if !self.opens_api => false,
            Route::Jobs | Route::Job(..) => reads,
            _ => target.starts_with(SOCKETS),
        };
        if is_free {
            return Ok(());
        }
        let has_token = bearer(headers).is_some_and(|it| blake3::hash(it) == token.itself);
        if !has_token && !has_cookie(headers, &token.cookie) {
            return Err(Denied::Token);
        }
        // A cookie is sent with whatever page made the request; a token is not.
        match changes && !is_from_here(headers, has_token) {
            true => Err(Denied::Change(FROM_ELSEWHERE)),
            false => Ok(()),
        }
    }
}

/// The token in `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Whether one of the cookies is this one.
fn has_cookie(headers: &HeaderMap, cookie: &blake3::Hash) -> bool {
    let all =
        headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|it| *it == b';'));
    let ours = all.filter_map(|pair| {
        pair.trim_ascii().strip_prefix(COOKIE_NAME.as_bytes())?.strip_prefix(b"=")
    });
    let mut hashes = ours.filter_map(|value| blake3::Hash::from_hex(value).ok());
    hashes.any(|hash| hash == *cookie)
}

/// Whether a request comes from a page of this server, as far as the browser says; `unsaid` is for
/// those of which no browser says anything.
fn is_from_here(headers: &HeaderMap, unsaid: bool) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return false;
    }
    let Some(origin) = headers.get(ORIGIN) else { return site.is_some() || unsaid };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    authority
        .is_some_and(|(_, authority)| host.is_some_and(|it| it.eq_ignore_ascii_case(authority)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn judged(access: Access, method: Method, target: &str, fields: &[(&str, &str)]) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in [("host", "novels.example:8080")].iter().chain(fields) {
            let name = axum::http::HeaderName::try_from(*name).unwrap();
            headers.append(name, HeaderValue::try_from(*value).unwrap());
        }
        match access.judge(&method, target, &headers) {
            Ok(()) => 200,
            Err(denied) => denied.status().as_u16(),
        }
    }

    #[test]
    fn without_a_token_everything_is_read_and_nothing_changed() {
        let access = Access::default();
        for target in ["/api/novel", "/metrics", "/admin/persistence", "/healthz", "/health"] {
            assert_eq!(judged(access, Method::GET, target, &[]), 200, "{target}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let fields = [("authorization", "Bearer x"), ("sec-fetch-site", "same-origin")];
            for target in ["/admin/persistence", "/login", "http://x/admin/persistence?y"] {
                assert_eq!(judged(access, method.clone(), target, &fields), 403, "{target}");
            }
        }
        // The application's own: it takes no jobs, and says so itself.
        assert_eq!(judged(access, Method::POST, "/api/novel", &[]), 200);
    }

    #[test]
    fn a_token_guards_every_route_but_one() {
        let access = Access::with_token("open sesame");
        let open = access.opening_api();
        for (method, target, closed, opened) in [
            (Method::GET, "/healthz", 200, 200),
            (Method::POST, "/healthz", 401, 401),
            (Method::GET, "/healthz/x", 401, 401),
            (Method::GET, "/api/novel", 401, 200),
            (Method::HEAD, "/API/novel/x/EVENTS", 401, 200),
            (Method::POST, "/api/novel", 401, 401),
            (Method::GET, "/ws/?EIO=4&transport=polling", 401, 200),
            (Method::POST, "/ws/?EIO=4&transport=polling&sid=x", 401, 200),
            (Method::GET, "/health", 401, 401),
            (Method::GET, "/readyz", 401, 401),
            (Method::GET, "/metrics", 401, 401),
            (Method::GET, "/internal/realtime/metrics", 401, 401),
            (Method::GET, "/nothing", 401, 401),
            (Method::GET, "http://x/metrics", 401, 401),
            (Method::OPTIONS, "/api/novel", 200, 200),
            (Method::OPTIONS, "/metrics", 401, 401),
            (Method::GET, "/login", 200, 200),
            (Method::GET, "/ui/assets/x.css", 200, 200),
            (Method::POST, "/ui/assets/x.css", 401, 401),
            (Method::GET, "/ui/assets", 401, 401),
            (Method::GET, "/ui/novels", 401, 401),
        ] {
            assert_eq!(judged(access, method.clone(), target, &[]), closed, "{method} {target}");
            assert_eq!(judged(open, method.clone(), target, &[]), opened, "{method} {target}");
            let token = [("authorization", "bearer open sesame")];
            assert_eq!(judged(access, method.clone(), target, &token), 200, "{method} {target}");
        }
        for wrong in ["open sesame", "Bearer", "Bearer ", "Bearer open", "Basic open sesame"] {
            let fields = [("authorization", wrong)];
            assert_eq!(judged(access, Method::GET, "/metrics", &fields), 401, "{wrong}");
        }
        assert_eq!(judged(access, Method::GET, "/metrics?token=open%20sesame", &[]), 401);
    }

    #[test]
    fn a_change_comes_from_a_page_of_this_server_or_has_the_token_itself() {
        let access = Access::with_token("x");
        assert_eq!(access.cookie_for("y"), None);
        let cookie = format!("a=b; {COOKIE_NAME}={}", access.cookie_for("x").unwrap());
        let cookie = ("cookie", &cookie[..]);
        let token = ("authorization", "Bearer x");
        let post =
            |fields: &[(&str, &str)]| judged(access, Method::POST, "/admin/persistence", fields);
        assert_eq!(judged(access, Method::GET, "/metrics", &[cookie]), 200);
        assert_eq!(post(&[]), 401);
        assert_eq!(post(&[token]), 200);
        assert_eq!(post(&[cookie]), 403);
        for (name, value, expected) in [
            ("origin", "http://novels.example:8080", 200),
            ("origin", "https://NOVELS.example:8080", 200),
            ("origin", "http://novels.example", 403),
            ("origin", "http://evil.example", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
        ] {
            assert_eq!(post(&[cookie, (name, value)]), expected, "{value}");
            assert_eq!(post(&[token, (name, value)]), expected, "{value}");
        }
        let cross = [cookie, ("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")];
        assert_eq!(post(&cross), 403);
        let login = |value| judged(access, Method::POST, "/login", &[("origin", value)]);
        assert_eq!((login("http://novels.example:8080"), login("http://evil.example")), (200, 403));
    }
}
