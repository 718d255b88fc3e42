//! Which documents a pass takes that reads only what another run rejected.
//!
//! Positions say nothing: in a source that was changed since, another document is at that place,
//! perhaps one whose job the application has edited. A document is known by its `_id`, and where
//! that is missing, or is the `_id` of another document too, by the hash of its content.

use std::collections::HashSet;
use std::path::Path;

use super::document_id::id_json;
use super::reject_record::{RejectRecord, read_rejects};
use crate::store::{Files, StateError};
use reshelve_core::mapping::RejectCode;
use reshelve_core::raw::hex;

/// The documents that an earlier run rejected.
#[derive(Debug, Default)]
pub(crate) struct OnlyRejects {
    ids: HashSet<String>,
    /// BLAKE3 in hex, of those that their `_id` does not tell apart.
    hashes: HashSet<String>,
    /// The hashes of those whose job id another document of that run has.
    repeated: HashSet<String>,
    /// Only for a pass over a source that cannot have changed.
    positions: HashSet<u64>,
    /// Documents without an `_id` of their own …
    only_by_hash: u64,
    /// … and those of them that an older version listed without a hash.
    unknown: u64,
}

impl OnlyRejects {
    /// The documents that the run in this folder rejected.
    pub(crate) fn read(files: &dyn Files, folder: &Path) -> Result<Self, StateError> {
        let mut only = OnlyRejects::default();
        for record in read_rejects(files, folder, u64::MAX)? {
            only.add(record?);
        }
        Ok(only)
    }

    fn add(&mut self, record: RejectRecord) {
        if record.is_known_by_id() {
            self.ids.insert(record.id.to_string());
            // Where it is still malformed, its `_id` is not compared.
            if record.code == RejectCode::MalformedJson.as_str() {
                self.hashes.extend(record.hash);
            }
            return;
        }
        self.only_by_hash += 1;
        if record.is_repeated() {
            self.repeated.extend(record.hash.clone());
        }
        match record.hash {
            Some(hash) => drop(self.hashes.insert(hash)),
            None => self.unknown += 1,
        }
    }

    /// The documents at these positions, and no others, of the same source in the same state.
    pub(crate) fn at_positions(positions: HashSet<u64>) -> Self {
        OnlyRejects { positions, ..OnlyRejects::default() }
    }

    /// Whether a document is one of them; `document` is its BSON, if it is well formed.
    pub(crate) fn takes(
        &self,
        position: u64,
        document: Option<&[u8]>,
        fingerprint: &[u8; 32],
    ) -> bool {
        self.positions.contains(&position)
            || !self.hashes.is_empty() && self.hashes.contains(&hex(fingerprint))
            || !self.ids.is_empty()
                && document
                    .is_some_and(|document| self.ids.contains(&id_json(document).to_string()))
    }

    /// Whether that run rejected a document with this content because it had taken another one with
    /// the same job id: that one is not replaced by this one, as nobody has said which is meant.
    pub(crate) fn is_repeated(&self, fingerprint: &[u8; 32]) -> bool {
        !self.repeated.is_empty() && self.repeated.contains(&hex(fingerprint))
    }

    /// What people have to know of the documents that only their content tells apart, if there are
    /// any.
    pub(crate) fn remark(&self) -> Option<String> {
        let documents = |count: u64| match count {
            1 => "1 rejected document has".to_owned(),
            _ => format!("{count} rejected documents have"),
        };
        match (self.only_by_hash, self.unknown) {
            (0, _) => None,
            (count, 0) => Some(format!(
                "{} no _id of its own: such a document is taken only if it is unchanged; run \
                 repaired ones from a file of their own",
                documents(count)
            )),
            (_, count) => Some(format!(
                "{} neither an _id of its own nor a hash in the list: such a document is not \
                 taken; run it from a file of its own",
                documents(count)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(id: serde_json::Value, code: &str, hash: Option<&str>) -> RejectRecord {
        let line = json!({ "position": 3, "offset": 0, "_id": id, "code": code, "path": "",
            "message": "", "hash": hash });
        serde_json::from_value(line).unwrap()
    }

    /// Such as `{_id: "a"}`.
    fn document(id: u8) -> [u8; 16] {
        [16, 0, 0, 0, 2, b'_', b'i', b'd', 0, 2, 0, 0, 0, id, 0, 0]
    }

    #[test]
    fn a_document_is_known_by_its_id_or_content_and_never_by_its_position() {
        let hash = hex(&[7; 32]);
        let mut only = OnlyRejects::default();
        only.add(record(json!("a"), "unknown-status", Some(&hex(&[1; 32]))));
        only.add(record(json!("b"), "duplicate-id", Some(&hash)));
        only.add(record(json!(null), "malformed-json", Some(&hex(&[9; 32]))));
        let (a, b) = (document(b'a'), document(b'b'));
        assert!(only.takes(0, Some(&a), &[2; 32]), "its content may be repaired");
        assert!(only.takes(8, Some(&b), &[7; 32]), "this is the repeated one");
        assert!(!only.takes(3, Some(&b), &[8; 32]), "this is the one that was not rejected");
        assert!(only.is_repeated(&[7; 32]) && !only.is_repeated(&[9; 32]));
        assert!(only.takes(5, None, &[9; 32]));
        assert!(!only.takes(3, None, &[3; 32]), "another one at the place of a rejected one");
        assert!(only.remark().unwrap().starts_with("2 rejected documents have no _id"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_said() {
        let mut only = OnlyRejects::default();
        assert_eq!(only.remark(), None);
        only.add(record(json!(null), "malformed-json", None));
        assert!(!only.takes(3, None, &[9; 32]));
        assert!(only.remark().unwrap().starts_with("1 rejected document has neither"));
    }
}
