//! The first look at a legacy document tells the era that the mapping records.

use std::collections::BTreeSet;

use reshelve::generate::{Plan, Stream};
use reshelve_core::mapping::{FirstLook, Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw::{Document, Value};

#[test]
fn the_era_is_the_one_that_the_mapping_records() {
    let mut met = BTreeSet::new();
    let mut mapper = Mapper::new(Options::default());
    let mut target = TargetDocuments::default();
    for plan in [Plan::lifecycle(1, 200), Plan::populated(2, 40), Plan::foreign(3, 400)] {
        for bytes in Stream::new(plan) {
            target.clear();
            if !matches!(mapper.map(&bytes, &mut target), Outcome::Mapped(_)) {
                continue;
            }
            let metadata = Document::new(target.metadata.bytes());
            let legacy = metadata.get("legacy").and_then(Value::document).unwrap();
            let recorded = legacy.get("era").and_then(Value::numeric).unwrap();
            let era = FirstLook::at(Document::new(&bytes)).era;
            assert_eq!(f64::from(era), recorded);
            met.insert(era);
        }
    }
    assert_eq!(met.into_iter().collect::<Vec<_>>(), [1, 2, 4, 5]);
}
