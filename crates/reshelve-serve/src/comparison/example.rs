//! Two answers that differ, as they are shown.

use serde_json::{Map, Value, json};

use super::{Cause, Difference, shortened};
use crate::sides::RouteName;

/// Examples that are kept.
pub const EXAMPLES_MAX: usize = 50;
/// The longest id or target that is shown, in characters.
const ID_CHARS_MAX: usize = 1_000;

/// Two answers that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The route that was asked.
    pub route: RouteName,
    /// The target of the request, such as `/api/novel/x`.
    pub target: String,
    /// The job at which they differ.
    pub job_id: String,
    /// Why, where that is known.
    pub cause: Option<Cause>,
    /// The statuses of the first and of the second answer.
    pub statuses: [u16; 2],
    /// Where they differ; nothing where only the texts of the JSON differ.
    pub differences: Vec<Difference>,
}

impl Example {
    /// As JSON; `sides` are the names of the first and of the second side.
    pub fn json(&self, sides: [&str; 2]) -> Value {
        let first = self.differences.first();
        let value = |side: usize| first.map(|difference| difference.values[side].clone());
        let differences: Vec<Value> =
            self.differences.iter().map(|difference| of_difference(difference, sides)).collect();
        let mut out = Map::new();
        out.insert("route".to_owned(), self.route.as_str().into());
        out.insert("request".to_owned(), cut(&self.target).into());
        out.insert("jobId".to_owned(), cut(&self.job_id).into());
        if let Some(cause) = self.cause {
            out.insert("cause".to_owned(), cause.as_str().into());
        }
        out.insert("path".to_owned(), json!(first.map(|difference| &difference.path)));
        for (at, side) in sides.into_iter().enumerate() {
            let shown = json!({ "status": self.statuses[at], "value": value(at) });
            out.insert(side.to_owned(), shown);
        }
        out.insert("differences".to_owned(), differences.into());
        Value::Object(out)
    }
}

fn of_difference(difference: &Difference, sides: [&str; 2]) -> Value {
    let kind = difference.kind.named(sides);
    let sources = difference.origin.as_ref().map_or_else(Vec::new, |origin| {
        let source = |legacy: &reshelve_core::mapping::LegacyOrigin| {
            json!({ "path": legacy.path, "rule": legacy.rule })
        };
        origin.legacy.iter().map(source).collect()
    });
    let target = difference.origin.as_ref().map(|origin| &origin.target);
    json!({
        "path": difference.path,
        "kind": kind,
        sides[0]: difference.values[0],
        sides[1]: difference.values[1],
        "target": target,
        "sources": sources,
    })
}

fn cut(text: &str) -> String {
    shortened(text.to_owned(), ID_CHARS_MAX)
}
