//! The counters as Prometheus reads them (text format 0.0.4).

use crate::model::change::Counters;
use crate::model::run::RunState;
use std::fmt::Write as _;

/// Prints the counters, a metric with its help and type each.
#[must_use]
pub fn prometheus(counters: &Counters) -> String {
    let mut text = String::with_capacity(4_096);
    let mut metric = |name: &str, kind: &str, help: &str, values: &[(&str, &str, f64)]| {
        let _ = writeln!(text, "# HELP pointsman_{name} {help}\n# TYPE pointsman_{name} {kind}");
        for (label, word, value) in values {
            let _ = if label.is_empty() {
                writeln!(text, "pointsman_{name} {value}")
            } else {
                writeln!(text, "pointsman_{name}{{{label}=\"{word}\"}} {value}")
            };
        }
    };
    metric(
        "requests_total",
        "counter",
        "Requests by verdict since the store was made.",
        &[
            ("verdict", "accepted", counters.accepted as f64),
            ("verdict", "duplicate", counters.duplicates as f64),
            ("verdict", "filtered", counters.filtered as f64),
            ("verdict", "rejected", counters.rejected as f64),
        ],
    );
    metric(
        "promised_total",
        "counter",
        "Answers that promised a stored run since the start.",
        &[("", "", counters.promised as f64)],
    );
    metric(
        "stored_total",
        "counter",
        "Accepted requests of senders committed since the start.",
        &[("", "", counters.stored as f64)],
    );
    let runs: Vec<(&str, &str, f64)> = RunState::ALL
        .iter()
        .zip(counters.runs)
        .filter(|(state, _)| !state.ended())
        .map(|(state, count)| ("state", state.word(), count as f64))
        .collect();
    metric("runs", "gauge", "Runs that are open or errored, by state.", &runs);
    metric("queue", "gauge", "Work that is due and unclaimed.", &[("", "", counters.queue as f64)]);
    metric(
        "queue_limit",
        "gauge",
        "The most that the queue may hold.",
        &[("", "", counters.queue_limit as f64)],
    );
    metric(
        "queue_oldest_seconds",
        "gauge",
        "How long the oldest of the queue waits.",
        &[("", "", counters.oldest.map_or(0.0, |oldest| (counters.at - oldest).max(0) as f64 / 1e3))],
    );
    metric(
        "callbacks",
        "gauge",
        "Callbacks that wait, and those whose deadline passed while their step is errored.",
        &[
            ("state", "pending", counters.callbacks_pending as f64),
            ("state", "overdue", counters.callbacks_overdue as f64),
        ],
    );
    metric(
        "commit_p99_seconds",
        "gauge",
        "99th percentile of the last hundred commits.",
        &[("", "", counters.commit_p99_us as f64 / 1e6)],
    );
    let breakers = &counters.breakers;
    metric(
        "breakers",
        "gauge",
        "Targets that were sent to of late, by the state of their breaker.",
        &[
            ("state", "closed", breakers.closed as f64),
            ("state", "open", breakers.waiting as f64),
            ("state", "probing", breakers.probing as f64),
        ],
    );
    metric(
        "breaker_openings_total",
        "counter",
        "How often a breaker opened since the start.",
        &[("", "", breakers.openings as f64)],
    );
    metric("wal_bytes", "gauge", "Size of the write-ahead log.", &[("", "", counters.wal_bytes as f64)]);
    metric("dedup_bytes", "gauge", "Size of the dedup table.", &[("", "", counters.dedup_bytes as f64)]);
    metric(
        "dedup_budget_bytes",
        "gauge",
        "What the dedup table may take.",
        &[("", "", counters.dedup_budget as f64)],
    );
    metric(
        "clock_behind_seconds",
        "gauge",
        "How far the wall clock is behind engine time.",
        &[("", "", counters.clock_behind as f64 / 1e3)],
    );
    metric(
        "store_ok",
        "gauge",
        "1 where the store takes writes.",
        &[("", "", f64::from(u8::from(counters.store_trouble.is_none())))],
    );
    metric(
        "probe_ok",
        "gauge",
        "1 where the last probe of our own /healthz was answered.",
        &[("", "", f64::from(u8::from(matches!(counters.probe, Some(None)))))],
    );
    metric(
        "stopping",
        "gauge",
        "1 while the process stops.",
        &[("", "", f64::from(u8::from(counters.stopping)))],
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::target::Breakers;

    #[test]
    fn every_figure_has_help_type_and_a_value_in_base_units() {
        let mut counters = Counters {
            at: 10_000,
            oldest: Some(7_500),
            duplicates: 12,
            commit_p99_us: 4_200,
            probe: Some(None),
            breakers: Breakers { closed: 7, waiting: 2, probing: 1, openings: 5, ..Breakers::default() },
            ..Counters::default()
        };
        counters.runs[RunState::Errored as usize] = 3;
        let text = prometheus(&counters);
        for line in [
            "pointsman_requests_total{verdict=\"duplicate\"} 12",
            "pointsman_runs{state=\"errored\"} 3",
            "pointsman_queue_oldest_seconds 2.5",
            "pointsman_commit_p99_seconds 0.0042",
            "pointsman_probe_ok 1",
            "pointsman_store_ok 1",
            "pointsman_breakers{state=\"open\"} 2",
            "pointsman_breakers{state=\"probing\"} 1",
            "pointsman_breakers{state=\"closed\"} 7",
            "pointsman_breaker_openings_total 5",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
        }
        assert!(!text.contains("state=\"succeeded\""), "only open states are exact");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split([' ', '{']).next().unwrap();
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }
}
