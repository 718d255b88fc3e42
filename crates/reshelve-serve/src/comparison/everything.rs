//! Everything that a reader can ask of a place: its lists, and of each job all answers.

use std::collections::BTreeSet;

use reshelve::ends::{EndError, JobFacets, JobLookup, JobQuery, OneJob};

use super::json as parsed;
use crate::questions::{
    Before, JobQuestion, LIST_USUAL, ListQuestion, Part, Question, Reply, UNASKED,
};

/// An answer, or why there is none, with its question.
pub(crate) type Answers = Vec<(JobQuestion, Result<Reply, String>)>;

/// What there is at a place.
pub(crate) fn facets(place: &dyn JobLookup) -> Result<JobFacets, EndError> {
    Ok(place.page(&JobQuery { limit: 1, ..JobQuery::default() })?.facets)
}

/// The list of each status that one of the places has or the application knows, the one of no
/// status, and the one of all.
pub(crate) fn lists(places: &[&JobFacets]) -> Vec<Question> {
    let known = places.iter().flat_map(|facets| &facets.statuses).map(|(status, _)| &status[..]);
    let statuses: BTreeSet<&str> =
        known.chain(["queued", "running", "completed", "failed"]).collect();
    let single = statuses.iter().map(|status| vec![*status]);
    let several = [UNASKED.to_vec(), statuses.iter().copied().collect()];
    let question = |asked: Vec<&str>| {
        let statuses = asked.into_iter().map(str::to_owned).collect();
        Question::List(ListQuestion { statuses, limit: LIST_USUAL })
    };
    single.chain(several).map(question).collect()
}

/// All answers of a place about a job, its events page by page.
pub(crate) fn answers_about(
    place: &dyn JobLookup,
    id: &str,
    now_ms: i64,
) -> Result<Answers, EndError> {
    let mut answers = Vec::new();
    place.look_at(id.as_bytes(), &mut |job| answers = of_one(job, id, now_ms))?;
    Ok(answers)
}

/// All answers about a job that is looked at.
fn of_one(job: &dyn OneJob, id: &str, now_ms: i64) -> Answers {
    let mut answers = Vec::new();
    let mut ask = |question: JobQuestion| -> Option<JobQuestion> {
        let reply = question.reply(job, now_ms);
        let next = reply.as_ref().ok().and_then(|reply| next_page(&question, reply));
        answers.push((question, reply));
        next
    };
    for part in Part::ALL {
        let mut question = Some(JobQuestion::new(id, part));
        while let Some(asked) = question.take() {
            question = ask(asked).filter(|_| part == Part::Events);
        }
    }
    answers
}

/// The question for the events after a page; nothing after a page that is not full.
fn next_page(question: &JobQuestion, reply: &Reply) -> Option<JobQuestion> {
    if question.part != Part::Events || reply.status != 200 {
        return None;
    }
    let page = parsed(reply);
    let items = page["items"].as_array().filter(|items| items.len() >= question.limit)?;
    let last = items.last()?["emittedAt"].as_str()?;
    // Times go down from page to page: what does not, has no end.
    let goes_down = match &question.before {
        Before::This(before) => last < &before[..],
        Before::Not | Before::Several => true,
    };
    let before = Before::This(last.to_owned());
    goes_down.then(|| JobQuestion { before, ..question.clone() })
}
