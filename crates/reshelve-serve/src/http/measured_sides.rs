//! What is counted of the two sides, as Prometheus reads it.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::comparison::Fate;
use crate::shadow::Shadow;
use crate::sides::{By, RouteName, Side, Sides};

const SIDES: [Side; 2] = [Side::Legacy, Side::Normalized];

/// Reads the counts where they are kept. Of one place there are none.
pub(super) struct MeasuredSides {
    pub(super) sides: Sides,
    pub(super) shadow: Option<Arc<Shadow>>,
}

impl fmt::Debug for MeasuredSides {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MeasuredSides")
    }
}

impl Collector for MeasuredSides {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(persistence) = self.sides.persistence() else { return Ok(()) };
        let mut count = |name, help, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
        };
        let why = "Answers of the other side because the chosen one could not be read";
        count("fallbacks", why, self.sides.fallbacks())?;
        let name = "side_pauses";
        let help = "How often a side was left alone for a while because it took long to fail";
        let mut pauses = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for side in SIDES {
            let counter = ConstCounter::new(self.sides.pauses(side));
            counter.encode(pauses.encode_family(&[("side", side.as_str())])?)?;
        }
        let help = "Whether a side is left alone now";
        let mut paused = encoder.encode_descriptor("side_paused", help, None, MetricType::Gauge)?;
        for side in SIDES {
            let gauge = ConstGauge::new(i64::from(self.sides.paused_s(side).is_some()));
            gauge.encode(paused.encode_family(&[("side", side.as_str())])?)?;
        }
        let name = "persistence_turns";
        let help = "How often the switch was turned, by a request or by a signal";
        let mut turns = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for by in By::ALL {
            let counter = ConstCounter::new(self.sides.turns(by));
            counter.encode(turns.encode_family(&[("by", by.as_str())])?)?;
        }
        if let Some(shadow) = &self.shadow {
            let help = "Answers that were shadowed, by route and by what came of it";
            let mut all =
                encoder.encode_descriptor("shadow_reads", help, None, MetricType::Counter)?;
            for route in RouteName::ALL {
                for fate in Fate::ALL {
                    let labels = [("route", route.as_str()), ("outcome", fate.as_str())];
                    let counter = ConstCounter::new(shadow.counts.of(route, fate));
                    counter.encode(all.encode_family(&labels)?)?;
                }
            }
        }
        let mut show = |name, help, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        let is_normalized = i64::from(persistence.side == Side::Normalized);
        show("persistence_normalized", "Whether the normalised side answers", is_normalized)?;
        let share = i64::from(persistence.normalized_share);
        show("persistence_normalized_share", "Of a hundred jobs, those that it answers", share)
    }
}
