//! The three decisions that the contract leaves to the person who migrates.

use std::fmt;
use std::str::FromStr;

/// The decisions that the mapping needs. The defaults are those of the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct Options {
    /// What happens to a document whose status is unknown or missing.
    pub on_unknown_status: OnUnknownStatus,
    /// Which counts where the status contradicts the chapters.
    pub status_policy: StatusPolicy,
    /// What happens to a job that was queued or running.
    pub in_flight: InFlight,
}

/// What happens to a document whose status is unknown or missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum OnUnknownStatus {
    /// The document is rejected.
    #[default]
    Reject,
    /// The job counts as failed, with a warning.
    Failed,
}

/// Which counts where status and chapters contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum StatusPolicy {
    /// The stored status.
    #[default]
    Legacy,
    /// The chapters.
    Evidence,
}

/// What happens to a job in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum InFlight {
    /// It is carried over as it is.
    #[default]
    Include,
    /// It is left out of the target.
    Skip,
    /// It is carried over as failed.
    AsFailed,
}

/// A word that an option does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {expected}")]
pub struct UnknownWord {
    /// The word that was given.
    pub word: String,
    /// The words that the option takes, separated by commas.
    pub expected: &'static str,
}

impl OnUnknownStatus {
    /// The word of the contract: `reject` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            OnUnknownStatus::Reject => "reject",
            OnUnknownStatus::Failed => "failed",
        }
    }
}

impl FromStr for OnUnknownStatus {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find(word, [Self::Reject, Self::Failed], Self::as_str, "reject, failed")
    }
}

impl StatusPolicy {
    /// The word of the contract: `legacy` or `evidence`.
    pub fn as_str(self) -> &'static str {
        match self {
            StatusPolicy::Legacy => "legacy",
            StatusPolicy::Evidence => "evidence",
        }
    }
}

impl FromStr for StatusPolicy {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find(word, [Self::Legacy, Self::Evidence], Self::as_str, "legacy, evidence")
    }
}

impl InFlight {
    /// The word of the contract: `include`, `skip` or `as-failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            InFlight::Include => "include",
            InFlight::Skip => "skip",
            InFlight::AsFailed => "as-failed",
        }
    }
}

impl FromStr for InFlight {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Include, Self::Skip, Self::AsFailed];
        find(word, all, Self::as_str, "include, skip, as-failed")
    }
}

fn find<T: Copy, const N: usize>(
    word: &str,
    all: [T; N],
    as_str: fn(T) -> &'static str,
    expected: &'static str,
) -> Result<T, UnknownWord> {
    all.into_iter()
        .find(|one| as_str(*one) == word)
        .ok_or_else(|| UnknownWord { word: word.to_owned(), expected })
}

impl fmt::Display for OnUnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for StatusPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_words<T>(words: &str)
    where
        T: FromStr<Err = UnknownWord> + fmt::Display + Default,
    {
        for word in words.split(", ") {
            assert_eq!(word.parse::<T>().unwrap().to_string(), word);
        }
        // The first one is the default.
        assert_eq!(words.split(", ").next(), Some(T::default().to_string().as_str()));
        let error = "other".parse::<T>().err().unwrap();
        assert_eq!(error.to_string(), format!("\"other\" is not one of {words}"));
    }

    #[test]
    fn options_are_read_as_they_are_written() {
        assert_words::<OnUnknownStatus>("reject, failed");
        assert_words::<StatusPolicy>("legacy, evidence");
        assert_words::<InFlight>("include, skip, as-failed");
    }
}
