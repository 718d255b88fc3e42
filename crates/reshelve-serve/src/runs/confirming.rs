//! Proves that a form was made by this server, for the run as it is now.

/// What the key is derived for.
const CONTEXT: &str = "reshelve serve 2026-11 confirmation of a command to a run";

/// Makes and checks what a form that changes something carries. Without a token nothing is changed,
/// and there are no such forms.
#[derive(Clone, Copy, Default)]
pub struct Confirming(Option<[u8; 32]>);

impl Confirming {
    /// With a key that only who has the token knows.
    pub fn with_token(token: &str) -> Self {
        Confirming(Some(blake3::derive_key(CONTEXT, token.as_bytes())))
    }

    /// Whether anything can be changed.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What a form carries that does this; none if nothing can be changed.
    pub(crate) fn mark(&self, what: &[&str]) -> Option<String> {
        Some(self.hash(what)?.to_hex().to_string())
    }

    /// Whether a form was made for this. Compared in constant time.
    pub(crate) fn holds(&self, what: &[&str], given: &str) -> bool {
        let given = blake3::Hash::from_hex(given).ok();
        given.is_some() && self.hash(what) == given
    }

    fn hash(&self, what: &[&str]) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.0?);
        for part in what {
            hasher.update(&part.len().to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Some(hasher.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_what_it_was_made_for() {
        let confirming = Confirming::with_token("x");
        let mark = confirming.mark(&["run", "pause"]).unwrap();
        assert!(confirming.holds(&["run", "pause"], &mark));
        for other in [&["run", "cancel"][..], &["runpause"], &["run", "pause", ""], &[]] {
            assert!(!confirming.holds(other, &mark), "{other:?}");
        }
        assert!(!Confirming::with_token("y").holds(&["run", "pause"], &mark));
        assert!(!confirming.holds(&["run", "pause"], ""));
        assert!(!Confirming::default().holds(&["run", "pause"], &mark));
        assert_eq!(Confirming::default().mark(&["run"]), None);
    }
}
