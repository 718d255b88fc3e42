//! The hints of comparing answers: those of both sides, and of a running application.

use reshelve_serve::application::{AddressError, AskError};

use super::COMPARE_AGAIN;

/// `shadow` without `--offline`.
pub const SHADOW_IS_OFFLINE: &str = "reshelve shadow --offline SOURCE TARGET compares before the first request; \
     reshelve serve --shadow compares the answers to requests";
/// What is no address.
pub(crate) const ADDRESS: &str =
    "it is what stands in front of the routes, such as http://localhost:3000";
const TLS: &str = "let a proxy on this machine speak TLS, such as `caddy reverse-proxy \
     --from http://localhost:3000 --to https://HOST --change-host-header`, and name \
     http://localhost:3000";
const NO_CREDENTIALS: &str = "--token-file FILE sends the token in that file";
/// Nobody there, or somebody without these routes.
pub(crate) const NO_SUCH_ROUTE: &str = "is this the address in front of /api/novel? The application has \
     these routes only if it was started with both MONGODB_URI and REDIS_URL";
const UNREACHABLE: &str = "is the application running, and does it listen there?";
const REDIRECTED: &str =
    "name the address that it leads to; if that is https://, let a proxy on this machine speak TLS";
const NOT_JSON: &str = "something else may listen there, such as a proxy or a page server";
const TOO_SLOW: &str = "--timeout SECONDS gives each answer more time, --at-once 1 asks one by one";

/// What is no address.
pub(crate) fn of_address(error: AddressError) -> &'static str {
    match error {
        AddressError::Https => TLS,
        AddressError::Credentials => NO_CREDENTIALS,
        AddressError::Query | AddressError::Malformed => ADDRESS,
    }
}

/// What came in place of an answer.
pub(crate) fn of_ask(error: &AskError) -> &'static str {
    match error {
        AskError::Unreachable { .. } => UNREACHABLE,
        AskError::Redirected { .. } => REDIRECTED,
        AskError::Denied { .. } => NO_CREDENTIALS,
        AskError::NotJson { .. } | AskError::TooLong { .. } => NOT_JSON,
        AskError::TooSlow { .. } => TOO_SLOW,
        _ => COMPARE_AGAIN,
    }
}

/// An address where files or a database belong.
pub(crate) const ADDRESS_FIRST: &str = "name a file, a folder or a connection string there; `crosscheck` takes the address first, then the \
     place";
/// No dashboard.
pub(crate) const DASHBOARD: &str = "it is what stands in front of /ui/novels where `reshelve serve` runs, such as http://localhost:8080";
/// A file that is no result of a cross-check.
pub(crate) const CROSSCHECK_FILE: &str =
    "`reshelve crosscheck API_URL PLACE --out DIR` leaves it as DIR/crosscheck.json";
