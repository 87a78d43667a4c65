//! Answers to questions about traffic.

use super::hand::{NOW, id};
use pointsman::model::study::{
    CaptureView, Change, FieldsView, FoundField, Judged, Rule, Studied, Study, WhatIfChange, WhatIfView,
};
use pointsman::model::time::rfc3339;
use pointsman::model::view::FieldView;
use serde_json::{Value, json};

/// What a desk would find.
pub fn studied(study: &Study) -> Studied {
    let field = |path: &str, sample: Value, present, good| FoundField {
        path: path.to_owned(),
        types: vec![if sample.is_null() { "null" } else { "string" }.to_owned()],
        sample,
        present,
        distinct: present,
        unique: if good { 100 } else { 50 },
        good,
        not: None,
    };
    let found = FieldsView {
        requests: 2,
        copies: 0,
        copies_known: false,
        fields: vec![
            field("body.order_number", json!("10438"), 2, true),
            field("headers[\"x-request-id\"]", json!("b1a7-2c40-77e9"), 2, true),
            field("body.customer_email", json!("example@example.com"), 2, false),
            field("body.note", json!(null), 1, false),
        ],
        left_out: 0,
    };
    match study {
        Study::Capture { .. } | Study::Captured { .. } => Studied::Capture(CaptureView {
            integration: "shop-orders".to_owned(),
            flow: "Orders".to_owned(),
            url: "http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ".to_owned(),
            deployed: true,
            until: Some(rfc3339(NOW + 72_000)),
            after: id(599),
            found: match study {
                Study::Captured { .. } => found,
                _ => FieldsView::default(),
            },
        }),
        Study::Fields(_) => Studied::Fields(found),
        Study::WhatIf(rule) => Studied::WhatIf(what_if(rule)),
        Study::Drift { .. } => Studied::Drift { drifts: Vec::new() },
        Study::DriftOk { .. } => Studied::Done { lines: vec!["Took the badge away.".to_owned()] },
    }
}

/// 37 copies more, and one that would have been let through.
fn what_if(rule: &Rule) -> WhatIfView {
    let change = |n: u64| WhatIfChange {
        request: id(500 + n),
        time: rfc3339(NOW - 600_000 + 1_000 * i64::try_from(n).unwrap()),
        change: if n == 3 { Change::LetThrough } else { Change::Merged },
        duplicate_of: Some(id(400 + n)),
        fields: rule
            .fields
            .iter()
            .map(|path| FieldView { path: path.clone(), missing: false, value: json!(format!("A-{n}")) })
            .collect(),
    };
    WhatIfView {
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        fields: rule.fields.clone(),
        window: "7d".to_owned(),
        from: "last".to_owned(),
        since: rfc3339(NOW - rule.since),
        requests: 1_000,
        no_dedup_key: 2,
        before: Judged { accepted: 999, duplicate: 1 },
        after: Judged { accepted: 963, duplicate: 37 },
        merged: 37,
        let_through: 1,
        changes: (0..38).map(change).collect(),
        stopped: None,
    }
}
