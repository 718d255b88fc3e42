//! What is measured of requests, sides and runs, as Prometheus reads it.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::measured_runs::MeasuredRuns;
use super::measured_sides::MeasuredSides;
use crate::runs::Runs;
use crate::shadow::Shadow;
use crate::sides::Sides;

/// The upper ends of the times that are told apart, in seconds.
const TIMES_S: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: &'static str,
}

/// The counts since the server began. Routes and statuses are few, so these are too.
#[derive(Clone)]
pub(super) struct Measures {
    registry: Arc<Registry>,
    requests: Family<Answered, Counter>,
    times: Family<Asked, Histogram, fn() -> Histogram>,
}

impl Measures {
    pub(super) fn new(sides: &Sides, shadow: Option<&Arc<Shadow>>, runs: &Arc<dyn Runs>) -> Self {
        let requests = Family::default();
        let times = Family::new_with_constructor((|| Histogram::new(TIMES_S)) as fn() -> Histogram);
        let mut registry = Registry::with_prefix("reshelve");
        registry.register("http_requests", "Requests, by route and status", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "The time from a request's head to its answer, by route",
            times.clone(),
        );
        registry.register_collector(Box::new(MeasuredSides {
            sides: sides.clone(),
            shadow: shadow.map(Arc::clone),
        }));
        registry.register_collector(Box::new(MeasuredRuns { runs: Arc::clone(runs) }));
        Measures { registry: Arc::new(registry), requests, times }
    }

    /// A request was answered.
    pub(super) fn count(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Answered { route, status }).inc();
        self.times.get_or_create(&Asked { route }).observe(took.as_secs_f64());
    }

    /// All of it, in the text form of OpenMetrics.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }
}
