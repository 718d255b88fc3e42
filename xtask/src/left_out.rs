//! What CI may leave out, each with the reason why that is no gap. Anything else that is left out
//! there is a failure.

/// Something that cannot run on every machine that CI runs on.
#[derive(Debug)]
pub(crate) struct Excused {
    /// As the summary names it.
    pub(crate) what: &'static str,
    /// Why it was left out: with any other cause it is a failure.
    pub(crate) why: &'static str,
    /// What stands in for it.
    pub(crate) reason: &'static str,
}

/// What is left out because the caller asked for speed.
pub(crate) const FAST: &str = "--fast";

/// The list. It is kept short: whatever a machine can be given belongs into `.ci/run`.
pub(crate) const EXCUSED: [Excused; 2] = [
    Excused {
        what: "core for wasm32-unknown-unknown",
        why: "the target is not installed",
        reason: "clippy.toml of the core and xtask/tests/tidy forbid all that would not build there",
    },
    Excused {
        what: "disk_full::a_small_disk_is_seen_beforehand_and_a_full_one_survived",
        why: "mounting is not allowed",
        reason: "needs root; the other tests of that file let every write fail in turn",
    },
];

/// The reason why something may be left out, where there is one.
pub(crate) fn excuse(what: &str, why: &str) -> Option<&'static str> {
    if why == FAST {
        return Some("asked for on the command line");
    }
    let excused = EXCUSED.iter().find(|excused| excused.what == what && excused.why == why);
    excused.map(|excused| excused.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_with_its_cause_is_excused() {
        let [wasm, _] = EXCUSED;
        assert_eq!(excuse(wasm.what, wasm.why), Some(wasm.reason));
        assert_eq!(excuse(wasm.what, "it does not build"), None);
        assert_eq!(excuse("kill::renames_are_made", "strace is missing"), None);
        assert!(excuse("fuzz run", FAST).is_some());
    }
}
