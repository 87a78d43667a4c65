//! An order with nested values becomes an event of another system, whatever the customer is called.

use super::{House, Target, begin, body, json, run_in, under};

const DOCUMENT: &str = r#"
name = "shop"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.order_number"], window = "7d" }
required = ["body.customer.email"]
[[flow.step]]
name = "event"
type = "request"
url = "URL/v4/events/{{ request.body.order_number }}"
query = { name = "{{ request.body.customer.name }}" }
headers = { "X-First" = "{{ request.body.products[0].id }}" }

[flow.step.json]
action = "order.placed"
label = "{{ request.body.customer.name }}"
greeting = "Hello {{ request.body.customer.name }}!"
client = { email = "{{ request.body.customer.email }}" }

[flow.step.json.params]
total = "{{ request.body.total }}"
first = "{{ request.body.products[0].name }}"
ids = "{{ request.body.products | map(attribute='id') | list }}"
products = "{{ request.body.products }}"
gift = "{{ request.body.gift }}"
"#;

#[test]
fn nested_values_and_a_hostile_name_arrive_as_they_are() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&DOCUMENT.replace("URL", &target.url()));
    house.serve();
    let names = [
        "O\"Neil \\ \"}, \"admin\": true, {\"x\": \"",
        "two\nlines\r\nand\ttabs",
        "{{ config.secret }} {% for x in y %} {# gone #} }}",
        "Zoë 👩‍🚀 \u{202e}desrever \u{0}\u{1b}[31m",
        "a&b=c d/../e?f#g%2F;'--",
    ];
    for (n, name) in names.iter().enumerate() {
        let products = json!([{"id": "p-1", "name": name, "price": 59.90}, {"id": "p-2", "tags": [[], {}]}]);
        let order = json!({
            "order_number": format!("11/1 {n}"), "total": 119.80, "gift": null,
            "customer": {"email": "a@example.org", "name": name}, "products": products,
        });
        let run = begin(&house, "orders", &order);
        run_in(&house, &run, "succeeded");
        let arrived = target.arrived().pop().unwrap();
        let expected = json!({
            "action": "order.placed", "label": name, "greeting": format!("Hello {name}!"),
            "client": {"email": "a@example.org"},
            "params": {"total": 119.80, "first": name, "ids": ["p-1", "p-2"], "products": products, "gift": null},
        });
        assert_eq!(body(&arrived), expected);
        let (path, query) = arrived.path.split_once('?').unwrap();
        assert_eq!(path, format!("/v4/events/11%2F1%20{n}"));
        let query: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(query, [("name".to_owned(), (*name).to_owned())]);
        assert_eq!(arrived.header("x-first"), Some("p-1"));
        // The same order again is told to be a duplicate, and sends nothing.
        assert_eq!(house.post("orders", &order.to_string()).status, 204);
    }
    assert_eq!(target.arrived().len(), names.len());
    // Nothing of a name reaches the terminal raw.
    let listed = house.run(&["requests", "ls"]) + &house.run(&["runs", "ls"]);
    assert!(!listed.contains('\u{1b}') && !listed.contains('\u{202e}'), "{listed:?}");
    assert_eq!(under(&target, "/v4/events/11%2F1%200").len(), 1);
}
