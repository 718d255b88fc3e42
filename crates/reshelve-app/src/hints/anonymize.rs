//! What to do about a copy that was not made.

/// No key.
pub(crate) const MAKE_A_KEY: &str = "`reshelve anonymize --new-key FILE` makes one, and --key-file FILE names it; keep it apart from \
     every copy";
/// A file that holds no key.
pub(crate) const KEY_FILE: &str = "a key file holds 64 hexadecimal digits on one line, as `reshelve anonymize --new-key` makes it";
/// A key that others can read.
pub(crate) const CLOSE_THE_KEY: &str = "chmod 600 the file, if it is a key that you still trust";
/// A key where something is.
pub(crate) const KEY_ELSEWHERE: &str = "name another file: a key is never written over";
/// A copy where something is.
pub(crate) const COPY_ELSEWHERE: &str =
    "name a place where nothing is: nothing is ever written over";
/// A policy file that cannot be followed.
pub(crate) const POLICY_FILE: &str =
    "each line is a path and a class, as `reshelve anonymize --policy` prints them";
/// A rule that became weaker.
pub(crate) const ALLOW_WEAKER: &str =
    "leave the line out; --allow-weaker takes it, and more of the source stands in the copy then";
/// Paths that the policy does not know.
pub(crate) const DECIDE_ON_UNKNOWN: &str = "nothing was written; give each of them a class in a file for --policy, or --unknown redact \
     replaces all text in them and below";
/// A copy that was interrupted.
pub(crate) const COPY_AGAIN: &str = "nothing was left: the same command begins again";
/// A live source that is in use.
pub(crate) const COPY_A_STILL_SOURCE: &str =
    "nothing was left; dump the collection with mongodump, and copy the dump";
