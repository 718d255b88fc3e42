//! A rule of the policy: a class, and what there is to say of it.

/// How the values of a path are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// They stay, as far as they have the type and are among the words that the table names.
    Keep,
    /// They are shifted by one offset for each job.
    Date,
    /// They become pseudonyms of the same type and length.
    Id,
    /// They become pseudonyms that are consistent within a job.
    Name,
    /// They are replaced word by word.
    Prose,
}

impl Class {
    const ALL: [Class; 5] = [Class::Keep, Class::Date, Class::Id, Class::Name, Class::Prose];

    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Keep => "keep",
            Class::Date => "date",
            Class::Id => "id",
            Class::Name => "name",
            Class::Prose => "prose",
        }
    }
}

/// What there is to say of a class at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing.
    Plain,
    /// Kept: numbers.
    Number,
    /// Kept: true and false.
    Boolean,
    /// A document or a map: what is in it has paths of its own.
    Document,
    /// An array: its elements have a path of their own.
    Array,
    /// Kept: these words.
    OneOf(Vec<Box<[u8]>>),
    /// Prose that the mapping compares: the same text becomes the same text within a job.
    Whole,
    /// Prose in which the mapping looks for names.
    Relationship,
    /// An id that the mapping compares within a job.
    Entry,
    /// Prose with everything below it, names of fields included.
    Subtree,
}

/// A rule of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) class: Class,
    pub(super) how: How,
}

impl std::fmt::Display for How {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self {
            How::Plain => "",
            How::Number => "number",
            How::Boolean => "boolean",
            How::Document => "document",
            How::Array => "array",
            How::OneOf(_) => "one-of",
            How::Whole => "whole",
            How::Relationship => "relationship",
            How::Entry => "entry",
            How::Subtree => "subtree",
        };
        formatter.write_str(word)?;
        let How::OneOf(words) = self else { return Ok(()) };
        words.iter().try_for_each(|word| write!(formatter, " {}", String::from_utf8_lossy(word)))
    }
}

/// Whether a rule lets through what another one does not.
pub(super) fn is_weaker(new: &Rule, known: &Rule) -> bool {
    if new.class != known.class {
        return new.class < known.class;
    }
    match (&new.how, &known.how) {
        (How::OneOf(new), How::OneOf(known)) => !new.iter().all(|word| known.contains(word)),
        (How::Subtree, _) => false,
        (new, known) => new != known,
    }
}

/// A line of a table: a path and its rule; nothing for an empty line and a comment.
pub(super) fn read_line(line: &str) -> Result<Option<(&str, Rule)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(path), Some(class)) = (words.next(), words.next()) else {
        return Err(format!("{line:?} is not a path and a class"));
    };
    if path.split('.').any(|part| part.trim_end_matches("[]").is_empty()) {
        return Err(format!("{path:?} is not a path"));
    }
    let class = Class::ALL
        .into_iter()
        .find(|known| known.as_str() == class)
        .ok_or_else(|| format!("{class:?} is not one of keep, date, id, name, prose"))?;
    let how = words.next();
    let rest: Vec<Box<[u8]>> = words.map(|word| word.as_bytes().into()).collect();
    let how = match (class, how) {
        (Class::Keep, None | Some("number")) => How::Number,
        (Class::Keep, Some("boolean")) => How::Boolean,
        (Class::Keep, Some("document")) => How::Document,
        (Class::Keep, Some("array")) => How::Array,
        (Class::Keep, Some("one-of")) if !rest.is_empty() => How::OneOf(rest.clone()),
        (Class::Prose, Some("whole")) => How::Whole,
        (Class::Prose, Some("relationship")) => How::Relationship,
        (Class::Prose, Some("subtree")) => How::Subtree,
        (Class::Id, Some("entry")) => How::Entry,
        (_, None) => How::Plain,
        (_, Some(how)) => return Err(format!("{how:?} is nothing to say of {}", class.as_str())),
    };
    if !rest.is_empty() && !matches!(how, How::OneOf(_)) {
        return Err(format!("{line:?} has more than a rule"));
    }
    Ok(Some((path, Rule { class, how })))
}
