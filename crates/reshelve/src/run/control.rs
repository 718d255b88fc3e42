//! `control.json`: what other processes ask of the one that is at work on a run.
//!
//! It is replaced in one step by whoever asks, and read by the process between two batches. The
//! throttle in it stays when the run is resumed; what was asked does not.

use serde::{Deserialize, Serialize};

use super::RunError;
use super::run_folder::RunFolder;
use crate::store::{read_short_state, write_state};

/// The version of the file.
const CONTROL_SCHEMA: &str = "reshelve.control/1";

/// The longest file that is read, many times while a run is at work.
const CONTROL_BYTES_MAX: u64 = 64 << 10;

/// What the process is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Go on.
    #[default]
    Run,
    /// Wait between two batches, and keep the lock.
    Pause,
    /// Stop between two batches, for good.
    Cancel,
}

/// How much a run may ask of the machines that it works on; none of it changes a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Most documents of the source in a second.
    pub max_docs_per_s: Option<u64>,
    /// Most bytes of target documents in a second.
    pub max_bytes_per_s: Option<u64>,
    /// Seconds that the slowest voting member of a replica set may be behind.
    pub max_lag_s: Option<u64>,
    /// Milliseconds that an acknowledged batch may take, on average over the last ten.
    pub max_write_ms: Option<u64>,
}

impl Throttle {
    /// Whether nothing is held back.
    pub fn is_off(&self) -> bool {
        *self == Throttle::default()
    }

    /// This throttle, with what is given of another in its place; 0 takes a limit away.
    #[must_use]
    pub fn changed(self, given: Throttle) -> Throttle {
        let or = |given: Option<u64>, now: Option<u64>| match given {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => now,
        };
        Throttle {
            max_docs_per_s: or(given.max_docs_per_s, self.max_docs_per_s),
            max_bytes_per_s: or(given.max_bytes_per_s, self.max_bytes_per_s),
            max_lag_s: or(given.max_lag_s, self.max_lag_s),
            max_write_ms: or(given.max_write_ms, self.max_write_ms),
        }
    }
}

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    schema: String,
    /// The id of the run.
    pub run: String,
    /// What its process is to do.
    pub asked: Asked,
    /// How much it may take.
    pub throttle: Throttle,
}

impl Control {
    /// Nothing is asked of the run, and it may take all.
    fn of(run: &str) -> Control {
        Control {
            schema: CONTROL_SCHEMA.to_owned(),
            run: run.to_owned(),
            asked: Asked::Run,
            throttle: Throttle::default(),
        }
    }
}

impl RunFolder {
    /// What is asked of the run; nothing if nobody asked.
    ///
    /// # Errors
    /// If the file cannot be read, or belongs to another run.
    pub fn control(&self) -> Result<Control, RunError> {
        self.control_of(&self.plan()?.run)
    }

    /// The same, if the id of the run is known.
    pub(super) fn control_of(&self, run: &str) -> Result<Control, RunError> {
        let path = self.control_file();
        match read_short_state::<Control>(self.files(), &path, CONTROL_SCHEMA, CONTROL_BYTES_MAX) {
            Ok(control) if control.run == run => Ok(control),
            Ok(_) => {
                let detail = "it belongs to another run".to_owned();
                Err(RunError::State { path, detail })
            }
            Err(error) if error.is_absent() => Ok(Control::of(run)),
            Err(error) => Err(error.into()),
        }
    }

    /// The same, but of a file that somebody spoiled, nothing: it is replaced by who asks next. Tells
    /// whether it is such a file.
    pub(super) fn control_or_anew(&self, run: &str) -> Result<(Control, bool), RunError> {
        match self.control_of(run) {
            Ok(control) => Ok((control, false)),
            Err(RunError::State { .. }) => Ok((Control::of(run), true)),
            Err(error) => Err(error),
        }
    }

    /// Asks something of the run.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn ask(&self, asked: Asked) -> Result<(), RunError> {
        self.change_control(|control| Control { asked, ..control }).map(drop)
    }

    /// Asks the run to go on, with what changes of its throttle.
    pub(super) fn ask_to_go_on(&self, given: Throttle) -> Result<(), RunError> {
        let go_on = |control: Control| {
            let throttle = control.throttle.changed(given);
            Control { asked: Asked::Run, throttle, ..control }
        };
        self.change_control(go_on).map(drop)
    }

    /// Puts this throttle in the place of the one before.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn throttle_anew(&self, given: Throttle) -> Result<(), RunError> {
        let throttle = Throttle::default().changed(given);
        self.change_control(|control| Control { throttle, ..control }).map(drop)
    }

    /// Changes the throttle of the run, and says what it is then.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn throttle(&self, given: Throttle) -> Result<Throttle, RunError> {
        let changed = |control: Control| {
            let throttle = control.throttle.changed(given);
            Control { throttle, ..control }
        };
        Ok(self.change_control(changed)?.throttle)
    }

    /// Writes the file if that changes it, or if it was spoiled.
    fn change_control(&self, change: impl Fn(Control) -> Control) -> Result<Control, RunError> {
        let (now, is_spoiled) = self.control_or_anew(&self.plan()?.run)?;
        let changed = change(now.clone());
        if is_spoiled || changed != now {
            write_state(self.files(), &self.control_file(), &changed)?;
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays_and_zero_takes_away() {
        let now =
            Throttle { max_docs_per_s: Some(100), max_bytes_per_s: Some(5), ..Throttle::default() };
        let given = Throttle { max_docs_per_s: Some(0), max_lag_s: Some(3), ..Throttle::default() };
        let then = Throttle { max_bytes_per_s: Some(5), max_lag_s: Some(3), ..Throttle::default() };
        assert_eq!(now.changed(given), then);
        assert!(!then.is_off());
        assert!(Throttle::default().is_off());
    }
}
