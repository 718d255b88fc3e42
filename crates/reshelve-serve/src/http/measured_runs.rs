//! What is measured of runs, as Prometheus reads it: the newest ones, so that their labels are few.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::runs::{Run, Runs};
use crate::sides::now_ms;

/// How many runs are measured.
const MEASURED_MAX: usize = 20;
/// The states that a run can be in, each a series of 0 or 1.
const STATES: [&str; 12] = [
    "planned",
    "running",
    "pausing",
    "paused",
    "interrupted",
    "failed",
    "killed",
    "cancelled",
    "partial",
    "done",
    "rolling-back",
    "rolled-back",
];

/// Reads the run folders when somebody asks.
pub(super) struct MeasuredRuns {
    pub(super) runs: Arc<dyn Runs>,
}

impl fmt::Debug for MeasuredRuns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MeasuredRuns")
    }
}

/// A figure of a run, if it has it.
type Figure = fn(&Run) -> Option<f64>;

impl Collector for MeasuredRuns {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // A folder that cannot be read is told on the pages; the other measures are given all the
        // same.
        let runs = self.runs.newest(0, MEASURED_MAX).map(|list| list.runs).unwrap_or_default();
        if runs.is_empty() {
            return Ok(());
        }
        states(&mut encoder, &runs)?;
        documents(&mut encoder, &runs)?;
        bytes(&mut encoder, &runs)?;
        const FIGURES: [(&str, &str, Unit, Figure); 5] = [
            ("run_elapsed", "Time spent, in all processes of the run", Unit::Seconds, |run| {
                Some(seconds(run.elapsed_ms))
            }),
            ("run_left", "Time left, if it can be told", Unit::Seconds, |run| {
                run.left_ms.map(seconds)
            }),
            ("run_progress_age", "Time since the last checkpoint", Unit::Seconds, |run| {
                let at = run.progressed_at_ms?;
                Some(seconds(u64::try_from(now_ms().saturating_sub(at)).unwrap_or(0)))
            }),
            (
                "run_last_progress_timestamp",
                "When the last checkpoint was written, since 1970",
                Unit::Seconds,
                |run| Some(seconds(u64::try_from(run.progressed_at_ms?).ok()?)),
            ),
            (
                "run_replication_lag",
                "How far replication is behind, while a run waits for that",
                Unit::Seconds,
                |run| run.waiting.as_ref()?.lag_s.map(|lag| seconds(lag.saturating_mul(1000))),
            ),
        ];
        for (name, help, unit, figure) in FIGURES {
            gauges(&mut encoder, (name, help, Some(&unit)), &runs, figure)?;
        }
        let rate = "Documents in a second, lately; of a rollback, documents taken back";
        gauges(&mut encoder, ("run_documents_per_second", rate, None), &runs, |run| {
            Some(if run.is_at_work { run.rate.docs_per_s } else { 0.0 })
        })?;
        let at_work = "Whether a process is at work on the run, or waits";
        gauges(&mut encoder, ("run_at_work", at_work, None), &runs, |run| {
            Some(f64::from(u8::from(run.is_at_work)))
        })
    }
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    runs: &[Run],
    figure: Figure,
) -> fmt::Result {
    let mut all = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for run in runs {
        if let Some(value) = figure(run) {
            ConstGauge::new(value).encode(all.encode_family(&[("run", &run.id[..])])?)?;
        }
    }
    Ok(())
}

fn states(encoder: &mut DescriptorEncoder<'_>, runs: &[Run]) -> fmt::Result {
    let help = "Whether the run is in this state";
    let mut all = encoder.encode_descriptor("run_state", help, None, MetricType::Gauge)?;
    for run in runs {
        for state in STATES {
            let gauge = ConstGauge::new(i64::from(run.state == state));
            gauge.encode(all.encode_family(&[("run", &run.id[..]), ("state", state)])?)?;
        }
    }
    Ok(())
}

fn documents(encoder: &mut DescriptorEncoder<'_>, runs: &[Run]) -> fmt::Result {
    let help = "Documents up to the last checkpoint, by what became of them";
    let mut all = encoder.encode_descriptor("run_documents", help, None, MetricType::Counter)?;
    for run in runs {
        let documents = run.documents;
        for (outcome, count) in [
            ("read", documents.read),
            ("mapped", documents.mapped),
            ("written", documents.written),
            ("unchanged", documents.unchanged),
            ("skipped", documents.skipped),
            ("rejected", documents.rejected),
        ] {
            let labels = [("run", &run.id[..]), ("outcome", outcome)];
            ConstCounter::new(count).encode(all.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn bytes(encoder: &mut DescriptorEncoder<'_>, runs: &[Run]) -> fmt::Result {
    let help = "Bytes of documents up to the last checkpoint";
    let unit = Some(&Unit::Bytes);
    let mut all = encoder.encode_descriptor("run", help, unit, MetricType::Counter)?;
    for run in runs {
        for (direction, count) in [("read", run.bytes_read), ("written", run.bytes_written)] {
            let labels = [("run", &run.id[..]), ("direction", direction)];
            ConstCounter::new(count).encode(all.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// Milliseconds as seconds.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "for people and graphs")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
