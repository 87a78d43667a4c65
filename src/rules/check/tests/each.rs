//! `for_each`.

use super::*;

const PUSH: &str = "[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"https://h.example/{{ item.sku }}\"\njson = { p = \"{{ item }}\" }\noutputs = { id = \"body.id\" }\nwhen = \"{{ item.sku is defined }}\"\n";

fn with(keys: &str, later: &str) -> String {
    document("", &format!("{PUSH}{keys}\n{later}"))
}

fn set(value: &str) -> String {
    format!("[[flow.step]]\nname = \"n\"\ntype = \"set\"\noutputs = {{ n = {value:?} }}")
}

#[test]
fn a_request_step_may_send_once_an_item_and_later_steps_see_a_list() {
    let source = with(
        "for_each = \"{{ request.body.products }}\"",
        &set(
            "{{ steps.push[0].outputs.id }} {{ steps.push | length }} {% for one in steps.push %}{{ one.body.x }}{% endfor %}",
        ),
    );
    let steps = sound(&source).flows.remove(0).steps;
    assert_eq!(steps[0].kind.for_each(), Some("{{ request.body.products }}"));
    assert_eq!(steps[1].kind.for_each(), None);
}

#[test]
fn what_it_cannot_be_is_told_at_its_place() {
    let line = "15:";
    for (keys, wanted) in [
        (
            "for_each = \"request.body.products\"",
            "15:12: for_each \"request.body.products\" is not one expression, so it never gives a list: write for_each = \"{{ request.body.products }}\"",
        ),
        (
            "for_each = \"a {{ request.body.products }}\"",
            "15:12: for_each \"a {{ request.body.products }}\" is not one expression, so it never gives a list: write for_each = \"{{ request.body.products }}\"",
        ),
        (
            "for_each = \"{{ item }}\"",
            "15:16: item is an element of `for_each`: write for_each = \"{{ … }}\" in this step; only its own templates see it",
        ),
        ("for_each = [1]", "15:12: for_each is a list: write a text, for_each = \"…\""),
        (
            "for_each = \"{{ request.body.products }}\"\ncallback = true",
            "15:1: step \"push\" has for_each and callback: a callback finishes a step, not an item of it; leave one of them out",
        ),
    ] {
        let found = mistakes(&with(keys, ""));
        assert_eq!(found, [wanted], "{keys}");
        assert!(found[0].starts_with(line));
    }
    let list = "for_each = \"{{ request.body.products }}\"";
    for (value, wanted) in [
        (
            "{{ steps.push.outputs.id }}",
            "steps.push is a list, since the step has for_each: write steps.push[0].outputs, or a loop over it",
        ),
        (
            "{{ item }}",
            "item is an element of `for_each`: write for_each = \"{{ … }}\" in this step; only its own templates see it",
        ),
        ("{{ steps.push[0].zz }}", "a step has no \"zz\""),
        ("{{ steps.push[0].outputs.ids }}", "has no output \"ids\"; did you mean \"id\"?"),
    ] {
        let found = mistakes(&with(list, &set(value)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with(wanted), "{found:?}");
    }
}

#[test]
fn other_steps_have_no_items_and_say_what_does_instead() {
    for (kind, wanted) in [
        (
            "type = \"send\"\nurl = \"https://h.example/\"",
            "a send step hands one document over, and waits for one callback",
        ),
        ("type = \"set\"\noutputs = { a = 1 }", "write a loop ({% for … %}) inside its templates"),
        ("type = \"fail\"\nmessage = \"no\"", "a list of requests is sent by a request step"),
        ("type = \"delay\"\nfor = \"1s\"", "a list of requests is sent by a request step"),
    ] {
        let found = mistakes(&step(&format!("for_each = \"{{{{ request.body.a }}}}\"\n{kind}")));
        assert_eq!(found, [format!("10:1: for_each is possible in a request step alone: {wanted}")]);
    }
}

#[test]
fn a_secret_gets_into_no_list_that_is_kept() {
    let source = format!(
        "name = \"acme\"\n[[variable]]\nname = \"token\"\ntype = \"secret\"\n[[flow]]\nname = \"Sync\"\n[flow.trigger]\ntype = \"manual\"\n{PUSH}for_each = \"{{{{ [config.token] }}}}\"\n"
    );
    let found = mistakes(&source);
    assert!(found.iter().any(|told| told.contains("config.token is a secret")), "{found:?}");
}
