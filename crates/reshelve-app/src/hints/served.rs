//! The hints of what is done to runs through a server.

/// This server is at work on another run.
pub(crate) const WAIT_OR_STOP: &str =
    "wait for its end, or stop it on its page; the command line does not wait for it";
/// This server looks at another run.
pub(crate) const LOOK_AGAIN: &str = "ask again when it is done";

/// A run whose source this server cannot open.
pub(crate) fn resume_yourself(run: &str, flag: &str) -> String {
    format!("on the command line, `reshelve resume {run} {flag} SOURCE` goes on with it")
}

/// A run whose target this server cannot open.
pub(crate) fn name_target_yourself(run: &str) -> String {
    format!(
        "on the command line, give its connection string with --target; or serve that target with \
         --normalized, and this server uses its string ({run})"
    )
}
