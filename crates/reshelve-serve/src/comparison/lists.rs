//! Lists: which job two of them differ at, and what their order leaves open.

use serde_json::Value;

use super::difference::{Place, Step};

/// The jobs that may be why two lists differ first, given the path of a difference: those of both
/// lists at that place. One that the other list has nowhere comes first: it came or went, and moved
/// the others.
pub(super) fn jobs_at([first, second]: [&Value; 2], path: &[Step]) -> Vec<String> {
    let index = index_of(path).unwrap_or(0);
    let at = |list: &Value| Some(list["items"].get(index)?["jobId"].as_str()?.to_owned());
    let has = |list: &Value, id: &str| {
        let mut items = list["items"].as_array().into_iter().flatten();
        items.any(|item| item["jobId"] == id)
    };
    let (ours, theirs) = (at(first), at(second));
    let is_moved = ours.as_ref().is_some_and(|id| has(second, id))
        && theirs.as_ref().is_some_and(|id| !has(first, id));
    let both = if is_moved { [theirs, ours] } else { [ours, theirs] };
    let mut jobs: Vec<String> = both.into_iter().flatten().collect();
    jobs.dedup();
    jobs
}

/// Keeps what is of the first job that differs: where the lists hold other jobs, that alone says
/// something, and all later places follow from it.
pub(super) fn keep_first_job(places: &mut Vec<Place<'_>>) {
    let Some(first) = places.first().and_then(|place| index_of(&place.path)) else { return };
    places.retain(|place| index_of(&place.path) == Some(first));
    let is_id =
        |place: &Place<'_>| matches!(&place.path[..], [_, _, Step::Name(name)] if name == "jobId");
    if places.iter().any(is_id) {
        places.retain(is_id);
    }
}

/// The position in a list to which a path leads, and the path from there.
pub(super) fn item(path: &[Step]) -> Option<(usize, &[Step])> {
    match path {
        [Step::Name(items), Step::Position(index), rest @ ..] if items == "items" => {
            Some((*index, rest))
        }
        _ => None,
    }
}

fn index_of(path: &[Step]) -> Option<usize> {
    item(path).map(|(index, _)| index)
}

/// Whether two lists say the same, as far as their order is fixed: jobs that were created at the
/// same moment may stand in any order. Where a full list ends among such jobs, any of them may be
/// in it. Both lists are put into one order.
pub(super) fn agree(lists: &mut [Value; 2], limit: usize) -> bool {
    for list in &mut *lists {
        order_ties(list);
    }
    let [first, second] = &*lists;
    if first == second {
        return in_one_order(first, second);
    }
    let items = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
    let (mut left, mut right) = (items(first), items(second));
    if left.len() != limit || right.len() != limit {
        return false;
    }
    let end = left.last().map(|item| item["createdAt"].clone()).unwrap_or_default();
    for items in [&mut left, &mut right] {
        items.retain(|item| item["createdAt"] != end);
    }
    let (left, right) = (Value::Array(left), Value::Array(right));
    left == right && in_one_order(&left, &right)
}

/// Whether equal values have their fields in one order too.
fn in_one_order(first: &Value, second: &Value) -> bool {
    let [first, second] = [first, second].map(Value::to_string);
    first == second
}

/// Puts jobs that were created at the same moment into the order of their ids.
fn order_ties(list: &mut Value) {
    let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) else { return };
    let mut begin = 0;
    while begin < items.len() {
        let created = items[begin]["createdAt"].clone();
        let same = items[begin..].iter().take_while(|item| item["createdAt"] == created).count();
        let id = |item: &Value| item["jobId"].as_str().map(str::to_owned);
        items[begin..begin + same].sort_by_key(id);
        begin += same.max(1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(jobs: &[(&str, u32)]) -> Value {
        let item = |(id, at): &(&str, u32)| json!({ "jobId": id, "createdAt": at });
        json!({ "items": jobs.iter().map(item).collect::<Vec<_>>(), "count": jobs.len() })
    }

    #[test]
    fn a_job_that_only_one_list_has_is_looked_at_first() {
        let path = [Step::Name("items".into()), Step::Position(0), Step::Name("jobId".into())];
        let of = |first: &[(&str, u32)], second: &[(&str, u32)]| {
            jobs_at([&list(first), &list(second)], &path)
        };
        assert_eq!(of(&[("a", 2), ("b", 1)], &[("b", 1)]), ["a", "b"]);
        assert_eq!(of(&[("b", 1)], &[("a", 2), ("b", 1)]), ["a", "b"]);
        assert_eq!(of(&[("a", 1)], &[("b", 1)]), ["a", "b"]);
        assert_eq!(of(&[("a", 1)], &[("a", 2)]), ["a"]);
        assert_eq!(of(&[], &[("a", 2)]), ["a"]);
        assert!(of(&[], &[]).is_empty());
    }

    #[test]
    fn jobs_of_one_moment_may_stand_in_any_order() {
        let one = list(&[("a", 3), ("b", 2), ("c", 2), ("d", 1)]);
        let other = list(&[("a", 3), ("c", 2), ("b", 2), ("d", 1)]);
        assert!(agree(&mut [one.clone(), other], 50));
        let turned = list(&[("b", 2), ("a", 3), ("c", 2), ("d", 1)]);
        assert!(!agree(&mut [one.clone(), turned], 50));
        let changed = list(&[("a", 3), ("b", 2), ("x", 2), ("d", 1)]);
        assert!(!agree(&mut [one.clone(), changed], 50));
        // A full list ends somewhere among those of one moment.
        let cut = list(&[("a", 3), ("b", 2), ("c", 2), ("e", 1)]);
        assert!(agree(&mut [one.clone(), cut.clone()], 4));
        assert!(!agree(&mut [one, cut], 50));
    }
}
