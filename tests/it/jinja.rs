//! Templates against the answers of Jinja 2: each difference is known, and has a reason.

use crate::common::vectors;
use pointsman::rules::template::render_text;
use serde_json::Value;
use std::collections::BTreeSet;

/// Lines of the vectors.
const LINES: usize = 524;

/// Where templates differ from Jinja 2.
const DIFFERENCES: &[(&str, &[usize])] = &[
    (
        "what is made of a missing value is missing, so that its field is left out and not sent empty",
        &[14, 19, 25, 34, 173],
    ),
    (
        "a missing value is missing and no error, under another missing one and in a sum too",
        &[29, 30, 31, 298, 357, 447, 494],
    ),
    ("a template stands alone: no blocks, no other templates", &[271, 374, 384, 403, 404, 409]),
    (
        "values have no methods and no Python inside: filters do the work",
        &[
            80, 204, 213, 215, 216, 364, 365, 366, 398, 416, 418, 420, 422, 423, 424, 428, 472, 473, 479,
            481, 490, 491,
        ],
    ),
    ("a key of an object is found before a method of Python's dictionaries would be", &[470, 471]),
    (
        "filters that make HTML, draw lots or fill pages are not there, and are told before the first run",
        &[
            149, 150, 151, 152, 156, 159, 160, 161, 174, 190, 191, 192, 193, 194, 195, 196, 197, 198, 211,
            237, 386, 387,
        ],
    ),
    (
        "a filter or test that does not exist is told before the first run, also where it is never reached",
        &[238, 240, 242, 244, 245, 247, 248, 429],
    ),
    ("names inside Jinja (self, cycler) are not there", &[492, 493]),
    ("an `_undefined_name` is a hook of Python code", &[32]),
    ("the filter of a recursive loop counts for its first level only", &[74, 405]),
    ("macros take the arguments that they name, no `varargs`", &[107]),
    ("`namespace` takes names, no dictionary", &[118]),
    ("`with` sees the names that it sets itself, from left to right", &[127]),
    ("a name set inside `autoescape` stays set after it", &[153]),
    ("a quote is escaped as `&quot;`, not as its number", &[158]),
    ("`indent` takes a width, no text", &[167]),
    ("`sort` takes `reverse` by its name only", &[212]),
    ("`groupby` takes the name of an attribute, no number", &[218]),
    ("line ends stay as they are written", &[278]),
    ("a number has no sign `+`", &[290]),
    ("`raw` may be written with `+`", &[350]),
    ("`int` and `float` have no default: what is no number fails the step", &[506]),
    ("`tojson` keeps the order of keys", &[522]),
];

#[test]
fn templates_differ_from_jinja_only_where_that_is_known() {
    let Some(file) = vectors("jinja.jsonl") else { return };
    let text = std::fs::read_to_string(file).unwrap();
    let mut differ = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let vector: Value = serde_json::from_str(line).unwrap();
        let got = render_text(vector["template"].as_str().unwrap(), vector["context"].as_object().unwrap());
        if got.as_deref().ok() != vector.get("out").and_then(Value::as_str) {
            differ.insert(number);
        }
    }
    assert_eq!(text.lines().count(), LINES, "other vectors: look at the differences again");
    let known: BTreeSet<usize> = DIFFERENCES.iter().flat_map(|(_, lines)| lines.iter().copied()).collect();
    assert_eq!(
        known.len(),
        DIFFERENCES.iter().map(|(_, lines)| lines.len()).sum::<usize>(),
        "a line is listed twice"
    );
    let new: Vec<_> = differ.difference(&known).collect();
    let gone: Vec<_> = known.difference(&differ).collect();
    assert!(new.is_empty() && gone.is_empty(), "new differences: {new:?}; no longer there: {gone:?}");
    println!("run: {LINES} templates, {} known differences", known.len());
}
