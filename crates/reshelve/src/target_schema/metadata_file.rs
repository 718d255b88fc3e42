//! `<collection>.metadata.json` as this tool writes it.

use super::IndexSpec;

const ID_INDEX: IndexSpec = IndexSpec { name: "_id_", key: &[("_id", 1)], unique: false };

/// The content of `<collection>.metadata.json`: options, indexes, name and type, without a `uuid`,
/// as `mongorestore` takes it.
pub(crate) fn metadata_json(collection: &str, indexes: &[IndexSpec]) -> String {
    let all: Vec<String> = std::iter::once(&ID_INDEX).chain(indexes).map(index_json).collect();
    format!(
        "{{\"options\":{{}},\"indexes\":[{}],\"collectionName\":\"{collection}\",\"type\":\"collection\"}}",
        all.join(",")
    )
}

fn index_json(index: &IndexSpec) -> String {
    let key: Vec<String> = index
        .key
        .iter()
        .map(|(field, direction)| format!("\"{field}\":{{\"$numberInt\":\"{direction}\"}}"))
        .collect();
    let unique = if index.unique { ",\"unique\":true" } else { "" };
    format!(
        "{{\"v\":{{\"$numberInt\":\"2\"}},\"key\":{{{}}},\"name\":\"{}\"{unique}}}",
        key.join(","),
        index.name
    )
}
