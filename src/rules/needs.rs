//! What a step that was not reached yet needs of the steps before it.

use super::plan::Plan;
use super::template;
use crate::model::path::Segment;

/// What its templates look at of earlier steps, each once, in the order of the document: `push.id` for
/// an output, `push.status` for another part of its answer, `push` for all of it.
#[must_use]
pub fn needs(plan: &Plan, step: usize) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    for (_, path) in template::uses(plan, step) {
        let ("steps", [Segment::Key(name), rest @ ..]) = (path.root(), path.rest()) else { continue };
        let part = match rest {
            [Segment::Key(outputs), Segment::Key(output), ..] if outputs == "outputs" => Some(output),
            [Segment::Key(part), ..] => Some(part),
            _ => None,
        };
        let need = part.map_or_else(|| name.clone(), |part| format!("{name}.{part}"));
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FlowId, IntegrationId};
    use crate::rules::check::{Known, check};

    #[test]
    fn a_step_needs_outputs_and_parts_of_answers_each_once() {
        let text = r#"
name = "shop"
[[flow]]
name = "O"
[flow.trigger]
type = "webhook"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "http://127.0.0.1/a"
outputs = { id = "body.id" }
[[flow.step]]
name = "notify"
type = "request"
method = "POST"
url = "http://127.0.0.1/{{ steps.push.outputs.id }}"
when = "{{ steps.push.status == 200 }}"
json = { a = "{{ steps.push.outputs.id }}", b = "{{ request.body.x }}" }
"#;
        let checked = check(text, &Known::default());
        let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
        let plan = Plan::compile(IntegrationId(1), FlowId(1), 1, &integration, 0).unwrap();
        assert!(needs(&plan, 0).is_empty());
        assert_eq!(needs(&plan, 1), ["push.status", "push.id"]);
        assert!(needs(&plan, 9).is_empty(), "there is no such step");
    }
}
