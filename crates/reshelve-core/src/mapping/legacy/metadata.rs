//! `metadata` as the rules see it: what is not a list of its own.

use super::{Alert, Decision, Enhancement, StoryBible};
use crate::mapping::read::{Typed, pick};
use crate::mapping::warning::Path;
use crate::raw::{Document, Value};

/// The document `metadata`, since era 5.
#[derive(Debug, Default)]
pub(crate) struct Metadata<'a> {
    pub(crate) story_bible: StoryBible<'a>,
    pub(crate) alerts: Vec<Alert<'a>>,
    pub(crate) decisions: Vec<Decision<'a>>,
    pub(crate) enhancements: Vec<Enhancement<'a>>,
    pub(crate) enhanced_quality: Option<Document<'a>>,
    pub(crate) tracked: Tracked,
    pub(crate) average_response_time: Option<f64>,
    pub(crate) total_requests: Option<f64>,
    pub(crate) error_count: Option<f64>,
    pub(crate) last_health_check: Option<i64>,
    pub(crate) current_step: Option<&'a [u8]>,
    pub(crate) estimated_time_remaining: Option<f64>,
    /// Every field of `phaseStartTimes` that holds a date, in source order.
    pub(crate) phase_start_times: Vec<(&'a [u8], i64)>,
}

/// The document `metadata.costTracking`.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) total_cost: Option<f64>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) estimated_remaining: Option<f64>,
    pub(crate) analysis: Option<f64>,
    pub(crate) outline: Option<f64>,
    pub(crate) chapters: Option<f64>,
}

impl<'a> Metadata<'a> {
    pub(super) fn read(typed: &mut Typed<'_>, document: Document<'a>) -> Self {
        const NAMES: [&str; 10] = [
            "storyBible",
            "continuityAlerts",
            "enhancementsApplied",
            "aiDecisions",
            "enhancedQualityMetrics",
            "costTracking",
            "performance",
            "currentStep",
            "estimatedTimeRemaining",
            "phaseStartTimes",
        ];
        let [
            bible,
            alerts,
            enhancements,
            decisions,
            quality,
            costs,
            speed,
            step,
            remaining,
            phases,
        ] = pick(document, &NAMES);
        let root = Path::ROOT;
        let path = root.name("metadata");
        let mut metadata = Metadata {
            story_bible: StoryBible::read(typed, bible, &path.name("storyBible")),
            alerts: Alert::read_all(typed, alerts, &path.name("continuityAlerts")),
            decisions: Decision::read_all(typed, decisions, &path.name("aiDecisions")),
            enhancements: Enhancement::read_all(
                typed,
                enhancements,
                &path.name("enhancementsApplied"),
            ),
            enhanced_quality: typed.document(quality, &path.name("enhancedQualityMetrics")),
            tracked: Tracked::read(typed, costs, &path.name("costTracking")),
            current_step: typed.string(step, &path.name("currentStep")),
            estimated_time_remaining: typed.number(remaining, &path.name("estimatedTimeRemaining")),
            ..Metadata::default()
        };
        metadata.read_performance(typed, speed, &path.name("performance"));
        metadata.read_phases(typed, phases, &path.name("phaseStartTimes"));
        metadata
    }

    fn read_performance(
        &mut self,
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) {
        let Some(document) = typed.document(value, path) else { return };
        let [requests, errors, average, check] = pick(
            document,
            &["totalRequests", "errorCount", "averageResponseTime", "lastHealthCheck"],
        );
        self.average_response_time = typed.number(average, &path.name("averageResponseTime"));
        self.total_requests = typed.number(requests, &path.name("totalRequests"));
        self.error_count = typed.number(errors, &path.name("errorCount"));
        self.last_health_check = typed.date(check, &path.name("lastHealthCheck"));
    }

    fn read_phases(&mut self, typed: &mut Typed<'_>, value: Option<Value<'a>>, path: &Path<'_>) {
        let Some(document) = typed.document(value, path) else { return };
        for element in document.elements() {
            if let Some(date_ms) = typed.date(Some(element.value), &path.key(element.name)) {
                self.phase_start_times.push((element.name, date_ms));
            }
        }
    }
}

impl Tracked {
    fn read(typed: &mut Typed<'_>, value: Option<Value<'_>>, path: &Path<'_>) -> Self {
        let Some(document) = typed.document(value, path) else { return Tracked::default() };
        let [total, tokens, remaining, breakdown] =
            pick(document, &["totalCost", "tokensUsed", "estimatedRemaining", "breakdown"]);
        let parts_path = path.name("breakdown");
        let [analysis, outline, chapters] = match typed.document(breakdown, &parts_path) {
            Some(parts) => pick(parts, &["analysis", "outline", "chapters"]),
            None => [None; 3],
        };
        Tracked {
            total_cost: typed.count(total, &path.name("totalCost")),
            tokens_used: typed.count(tokens, &path.name("tokensUsed")),
            estimated_remaining: typed.count(remaining, &path.name("estimatedRemaining")),
            analysis: typed.count(analysis, &parts_path.name("analysis")),
            outline: typed.count(outline, &parts_path.name("outline")),
            chapters: typed.count(chapters, &parts_path.name("chapters")),
        }
    }
}
