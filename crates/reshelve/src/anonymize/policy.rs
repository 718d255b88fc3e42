//! The policy: a class for every path of the legacy schema, in one table.
//!
//! The table is text, so that what is printed, what the documentation shows and what is done are
//! the same. A policy file has the same form; it adds rules or makes them stricter.

use std::collections::HashMap;

use super::rule::{Class, How, Rule, is_weaker, read_line};

/// The table that is compiled in: path, class, and what there is to say of the class there.
pub const TABLE: &str = include_str!("policy.txt");

/// A path of the policy, by its number.
pub(super) type NodeId = usize;

#[derive(Debug, Default)]
struct Node {
    path: String,
    children: HashMap<Box<[u8]>, NodeId>,
    star: Option<NodeId>,
    elements: Option<NodeId>,
    rule: Option<Rule>,
}

/// The rules, as a tree of paths.
#[derive(Debug)]
pub struct Policy {
    nodes: Vec<Node>,
    /// The paths with a rule, in the order of the table.
    order: Vec<NodeId>,
}

/// A line of a policy file that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
    /// Whether it makes a rule weaker, which has to be allowed.
    pub is_weaker: bool,
}

/// Whether a policy file may make rules weaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weaker {
    /// It is an error.
    #[default]
    Refused,
    /// Somebody said so.
    Allowed,
}

impl Default for Policy {
    fn default() -> Self {
        Policy::new()
    }
}

impl Policy {
    /// The root of all paths.
    pub(super) const ROOT: NodeId = 0;

    /// The table that is compiled in.
    pub fn new() -> Policy {
        let mut policy = Policy { nodes: vec![Node::default()], order: Vec::new() };
        // A test reads every line of the table.
        for (path, rule) in TABLE.lines().filter_map(|line| read_line(line).ok().flatten()) {
            policy.set(path, rule);
        }
        policy
    }

    /// Adds the rules of a policy file.
    ///
    /// # Errors
    /// The first line that is no rule, or makes one weaker where that is refused.
    pub fn add(&mut self, text: &str, weaker: Weaker) -> Result<(), PolicyError> {
        for (at, line) in text.lines().enumerate() {
            let failed = |what: String, is_weaker| PolicyError { line: at + 1, what, is_weaker };
            let read = read_line(line).map_err(|what| failed(what, false))?;
            let Some((path, mut rule)) = read else { continue };
            let known = self.find(path).and_then(|node| self.nodes[node].rule.clone());
            if known.as_ref() == Some(&rule) {
                continue;
            }
            if rule.class == Class::Prose && rule.how == How::Plain {
                rule.how = How::Subtree;
            }
            if let Some(known) = known
                && weaker == Weaker::Refused
                && is_weaker(&rule, &known)
            {
                let what = format!(
                    "{path} is {} in the table, and {} is weaker",
                    known.class.as_str(),
                    rule.class.as_str()
                );
                return Err(failed(what, true));
            }
            self.set(path, rule);
        }
        Ok(())
    }

    fn find(&self, path: &str) -> Option<NodeId> {
        steps(path).try_fold(Self::ROOT, |node, step| match step {
            Step::Elements => self.nodes[node].elements,
            Step::Star => self.nodes[node].star,
            Step::Name(name) => self.nodes[node].children.get(name.as_bytes()).copied(),
        })
    }

    fn set(&mut self, path: &str, rule: Rule) {
        let mut node = Self::ROOT;
        for step in steps(path) {
            let next = self.nodes.len();
            let above = &mut self.nodes[node];
            let dot = if above.path.is_empty() { "" } else { "." };
            let (found, path) = match step {
                Step::Elements => (above.elements.get_or_insert(next), format!("{}[]", above.path)),
                Step::Star => (above.star.get_or_insert(next), format!("{}{dot}*", above.path)),
                Step::Name(name) => {
                    let path = format!("{}{dot}{name}", above.path);
                    (above.children.entry(name.as_bytes().into()).or_insert(next), path)
                }
            };
            node = *found;
            if node == next {
                self.nodes.push(Node { path, ..Node::default() });
            }
        }
        if self.nodes[node].rule.replace(rule).is_none() {
            self.order.push(node);
        }
    }

    /// The path of a field that has a rule of its own, or that others lie below.
    pub(super) fn child(&self, node: NodeId, name: &[u8]) -> Option<NodeId> {
        self.nodes[node].children.get(name).copied()
    }

    /// The path of what is in a map, whose keys are data.
    pub(super) fn star(&self, node: NodeId) -> Option<NodeId> {
        self.nodes[node].star
    }

    /// The path of the elements of an array.
    pub(super) fn elements(&self, node: NodeId) -> Option<NodeId> {
        self.nodes[node].elements
    }

    /// Whether the table has a field of that name, anywhere.
    pub(super) fn is_name(&self, name: &[u8]) -> bool {
        self.nodes.iter().any(|node| node.children.contains_key(name))
    }

    pub(super) fn rule(&self, node: NodeId) -> Option<&Rule> {
        self.nodes[node].rule.as_ref()
    }

    pub(super) fn class(&self, node: NodeId) -> Option<Class> {
        self.rule(node).map(|rule| rule.class)
    }

    /// Whether everything below a path is replaced, names of fields included.
    pub(super) fn is_subtree(&self, node: NodeId) -> bool {
        self.rule(node).is_some_and(|rule| rule.how == How::Subtree)
    }

    /// Whether a string stays at a path.
    pub(super) fn is_closed_value(&self, node: NodeId, text: &[u8]) -> bool {
        match self.rule(node) {
            Some(Rule { class: Class::Keep, how: How::OneOf(words) }) => {
                words.iter().any(|word| **word == *text)
            }
            // What the mapping writes for want of a text, and of an id, says nothing.
            Some(Rule { how: How::Whole, .. }) => text == b"(no message)",
            Some(Rule { how: How::Entry, .. }) => {
                text.strip_prefix(b"legacy-").is_some_and(|rest| {
                    (1..8).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
                })
            }
            _ => false,
        }
    }

    pub(super) fn path(&self, node: NodeId) -> &str {
        &self.nodes[node].path
    }

    /// The table, as it is printed: a line for each path, in the form of a policy file.
    pub fn to_text(&self) -> String {
        let width = self.order.iter().map(|node| self.path(*node).len()).max().unwrap_or(0);
        let mut text = String::new();
        for &node in &self.order {
            let Some(rule) = self.rule(node) else { continue };
            let line =
                format!("{:<width$}  {:<5}  {}", self.path(node), rule.class.as_str(), rule.how);
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The rules as plain data: path, class, and what there is to say of it.
    pub fn rules(&self) -> impl Iterator<Item = (&str, Class, String)> {
        self.order.iter().filter_map(|node| {
            let rule = self.rule(*node)?;
            Some((self.path(*node), rule.class, rule.how.to_string()))
        })
    }
}

enum Step<'p> {
    Name(&'p str),
    Star,
    Elements,
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.').flat_map(|part| {
        let name = part.trim_end_matches("[]");
        let levels = (part.len() - name.len()) / 2;
        let step = if name == "*" { Step::Star } else { Step::Name(name) };
        std::iter::once(step).chain((0..levels).map(|_| Step::Elements))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_printed_as_it_is() {
        assert!(TABLE.lines().all(|line| matches!(read_line(line), Ok(Some(_)))));
        let policy = Policy::new();
        assert_eq!(policy.to_text(), TABLE);
        assert_eq!(policy.rules().count(), TABLE.lines().count());
    }

    #[test]
    fn the_table_names_the_paths_of_the_schema() {
        let known: std::collections::BTreeSet<String> = crate::profile::schema_paths().collect();
        let policy = Policy::new();
        let table: std::collections::BTreeSet<String> =
            policy.rules().map(|(path, _, _)| path.to_owned()).collect();
        let missing: Vec<&String> = known.difference(&table).collect();
        assert!(missing.is_empty(), "the table lacks {missing:?}");
        // The profile does not tell these elements apart.
        let more: Vec<&String> = table.difference(&known).collect();
        assert_eq!(more, ["qualityMetrics.failedChapters[]"]);
    }

    #[test]
    fn a_policy_file_adds_rules_and_makes_them_stricter() {
        let mut policy = Policy::new();
        let text = "# ours\n\ngenre prose\nuserId id\nnested.list[] keep number\nnotes prose\n";
        policy.add(text, Weaker::Refused).unwrap();
        let find = |path| policy.find(path).and_then(|node| policy.rule(node)).cloned().unwrap();
        assert_eq!(find("genre").class, Class::Prose);
        assert_eq!(find("userId"), Rule { class: Class::Id, how: How::Plain });
        assert_eq!(find("nested.list[]").how, How::Number);
        assert_eq!(find("notes").how, How::Subtree, "what is below it is replaced too");
        // What is printed can be read again.
        Policy::new().add(&policy.to_text(), Weaker::Refused).unwrap();
    }

    #[test]
    fn a_weaker_rule_has_to_be_allowed() {
        for weaker in [
            "premise keep",
            "premise name",
            "chapters[].generatedAt keep",
            "status keep one-of mine",
        ] {
            let error = Policy::new().add(weaker, Weaker::Refused).unwrap_err();
            assert!(error.is_weaker && error.line == 1, "{weaker}: {error}");
            Policy::new().add(weaker, Weaker::Allowed).unwrap();
        }
        for bad in
            ["premise", "premise secret", "a..b prose", "a prose very much", "a date subtree"]
        {
            let error = Policy::new().add(bad, Weaker::Allowed).unwrap_err();
            assert!(!error.is_weaker, "{bad}");
        }
    }
}
