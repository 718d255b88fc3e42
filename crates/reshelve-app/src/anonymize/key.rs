//! The file with the key of a copy.

use std::path::Path;

use reshelve::anonymize::Key;
use reshelve::store::Disk;

use super::output::refuse_existing;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::secret_file::{self, Kind};

const KIND: Kind = Kind { file: "--key-file", holds: "key", hint: hints::anonymize::KEY_FILE };

/// The key in a file.
pub(super) fn read(file: Option<&Path>) -> Result<Key, Failure> {
    let Some(file) = file else {
        return Err(Failure::usage(
            "a copy needs a key, and none is given",
            hints::anonymize::MAKE_A_KEY,
        ));
    };
    let line = secret_file::read(file, &KIND)?;
    let key = Key::parse(&line).ok_or_else(|| {
        Failure::usage(
            format!("{} does not hold a key", file.display()),
            hints::anonymize::KEY_FILE,
        )
    })?;
    if Disk.may_others_read(file)? {
        let message = format!("other users of this machine can read the key in {}", file.display());
        return Err(Failure::refused(message, hints::anonymize::CLOSE_THE_KEY));
    }
    Ok(key)
}

/// Makes a file with a new key, which only its owner can read.
///
/// # Errors
/// If something is there already, or the file cannot be written.
pub fn new_key(file: &Path, handle: &Handle) -> Result<(), Failure> {
    handle.check_may_write("`anonymize --new-key`")?;
    crate::places::refuse_live(file)?;
    refuse_existing(file, hints::anonymize::KEY_ELSEWHERE)?;
    let key =
        Key::random().map_err(|error| Failure::failed(format!("no random bytes: {error}")))?;
    Ok(Disk.write_private(file, key.to_line().as_bytes())?)
}
