//! Jobs as a desk would tell them.

use super::hand::{NOW, id};
use pointsman::model::ask::{Answer, Ask};
use pointsman::model::job::JobView;
use pointsman::model::time::{MINUTE, rfc3339};
use serde_json::json;

/// The nth job, of a state; what others wrote says this.
pub fn job(n: u64, state: &str, said: &str) -> JobView {
    serde_json::from_value(json!({
        "id": id(n), "time": rfc3339(NOW - MINUTE), "who": "anna", "door": "console", "verb": "retry", "object": "run",
        "options": "abort", "filter": "group:g1", "reason": said, "rate": "20/s", "stop_after": 10, "state": state,
        "total": 1_209, "done": 702, "refused": 3, "left": 504,
        "reasons": [{"why": said, "count": 3}],
        "outcomes": {"succeeded": 688, "waiting": 9, "errored": 5, "causes": [{"why": said, "count": 5}]},
        "ended": null, "stopped_by": null,
    }))
    .unwrap()
}

/// What a desk would answer.
pub fn answer(ask: &Ask, said: &str) -> Answer {
    let states = ["running", "halted", "stopped", "done"];
    match ask {
        Ask::Job { id: of } => Answer::Job(Box::new(JobView { id: of.clone(), ..job(1, "running", said) })),
        _ => Answer::Jobs {
            jobs: states.iter().zip(1..).map(|(state, n)| job(n, state, said)).collect(),
            next: None,
        },
    }
}
