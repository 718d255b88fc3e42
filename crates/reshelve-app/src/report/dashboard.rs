//! Links from a report to a dashboard: each job to its page there.

use reshelve_serve::questions::escaped;

use super::page::{Block, Cell, Job, Part};
use crate::failure::Failure;
use crate::hints;

/// What may stand in the address of a dashboard, beside letters and digits.
const SIGNS: &[u8] = b"-._~:/[]";

/// Where a dashboard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dashboard {
    /// What stands in front of `/ui/novels`.
    address: String,
}

impl Dashboard {
    /// The dashboard at an address: `http://` or `https://`, without a user, a password or a query.
    ///
    /// # Errors
    /// If it is no such address. It is not quoted: it may hold a password.
    pub fn new(text: &str) -> Result<Dashboard, Failure> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte);
        let is_address =
            rest.is_some_and(|rest| !rest.starts_with([':', '/']) && rest.bytes().all(is_plain));
        if !is_address || rest == Some("") {
            let message =
                "--dashboard is no http:// or https:// address without a user and a query";
            return Err(Failure::usage(message, hints::crosscheck::DASHBOARD));
        }
        let text = text.trim_end_matches('/');
        // What the browser shows there is understood too.
        let text =
            text.strip_suffix("/ui/novels").or_else(|| text.strip_suffix("/ui")).unwrap_or(text);
        Ok(Dashboard { address: text.to_owned() })
    }

    /// Leads each job to its page.
    pub(super) fn link(&self, parts: &mut [Part]) {
        let sections = parts.iter_mut().flat_map(|part| &mut part.sections);
        for block in sections.flat_map(|section| &mut section.blocks) {
            match block {
                Block::Table(table) => table.rows.iter_mut().flatten().for_each(|it| self.cell(it)),
                Block::Facts(facts) => facts.iter_mut().for_each(|(_, cell)| self.cell(cell)),
                Block::Text(_) | Block::Steps(_) => {}
            }
        }
    }

    fn cell(&self, cell: &mut Cell) {
        match cell {
            Cell::Job(job) => job.href = self.page_of(job),
            Cell::Jobs(jobs, _) => jobs.iter_mut().for_each(|job| job.href = self.page_of(job)),
            _ => {}
        }
    }

    /// The page of a job; none for an id that is no segment of a path to a browser.
    fn page_of(&self, job: &Job) -> Option<String> {
        // In the place of an id that is withheld there is its shape.
        let is_withheld = job.id.starts_with("text of ") || job.id == "an object";
        let is_segment = !matches!(job.id.as_str(), "" | "." | "..") && !is_withheld;
        is_segment.then(|| format!("{}/ui/novels/{}", self.address, escaped(&job.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_lead_to_their_pages() {
        for text in
            ["http://h:8080", "http://h:8080/", "http://h:8080/ui", "http://h:8080/ui/novels/"]
        {
            let dashboard = Dashboard::new(text).unwrap();
            let page = |id: &str| dashboard.page_of(&Job::new(id));
            assert_eq!(page("a"), Some("http://h:8080/ui/novels/a".to_owned()), "{text}");
            let hostile = page("a/\"><b ü)");
            let expected = "http://h:8080/ui/novels/a%2F%22%3E%3Cb%20%C3%BC%29";
            assert_eq!(hostile, Some(expected.to_owned()));
            for id in ["", ".", "..", "text of 129 characters"] {
                assert_eq!(page(id), None);
            }
        }
        assert_eq!(Dashboard::new("https://[::1]/x").unwrap().address, "https://[::1]/x");
    }

    #[test]
    fn other_addresses_are_refused_and_not_quoted() {
        for text in [
            "javascript:alert(1)",
            "ftp://h",
            "h:8080",
            "http://",
            "http:///x",
            "http://user:s3cret@h",
            "http://s3cret@h",
            "http://h/?s3cret",
            "http://h/#s3cret",
            "http://h/\"s3cret",
            "http://h/ s3cret",
        ] {
            let failure = Dashboard::new(text).unwrap_err();
            assert!(!failure.message.contains("s3cret"), "{text}");
        }
    }
}
