//! Where failures are told that a client only sees as an error of the server, and changes.

use std::fmt;
use std::sync::Arc;

/// A request that failed, and why.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The target of the request, as it was sent, or what was being done.
    pub request: &'a str,
    /// What happened; without credentials.
    pub why: &'a str,
}

/// Takes failures, from any thread, and must not wait.
#[derive(Clone)]
pub struct Report(Arc<dyn Fn(Failure<'_>) + Send + Sync>);

impl Report {
    /// Calls a function for each failure.
    pub fn to(take: impl Fn(Failure<'_>) + Send + Sync + 'static) -> Self {
        Report(Arc::new(take))
    }

    pub(crate) fn failed(&self, request: &str, why: &str) {
        (self.0)(Failure { request, why });
    }
}

impl Default for Report {
    /// Tells nobody.
    fn default() -> Self {
        Report::to(|_| {})
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Report")
    }
}

/// Takes a sentence for each change that was made through the server; from any thread, and must not
/// wait.
#[derive(Clone)]
pub struct Audit(Arc<dyn Fn(&str) + Send + Sync>);

impl Audit {
    /// Calls a function for each change. The text may hold what a client sent.
    pub fn to(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Audit(Arc::new(take))
    }

    pub(crate) fn changed(&self, what: &str) {
        (self.0)(what);
    }
}

impl Default for Audit {
    /// Tells nobody.
    fn default() -> Self {
        Audit::to(|_| {})
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Audit")
    }
}
