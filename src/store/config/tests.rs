use super::*;
use crate::model::document::{Auth, Flow, Trigger, Variable, VariableKind, Webhook};
use crate::store::schema;
use serde_json::json;
use std::sync::Arc;

fn flow(name: &str, path: Option<&str>) -> Flow {
    Flow {
        id: name.to_lowercase().replace(' ', "-"),
        id_written: false,
        name: name.to_owned(),
        was: None,
        description: String::new(),
        trigger: Trigger::Webhook(Webhook {
            path: path.map(str::to_owned),
            methods: vec!["POST".into()],
            auth: Auth::None,
            dedup: None,
            required: Vec::new(),
            when: None,
            split: None,
            reply: crate::model::document::Reply::Accept,
            max_body: 1,
            gates: Box::default(),
        }),
        steps: Vec::new(),
    }
}

fn document(name: &str, flows: Vec<Flow>, text: &str) -> Save {
    let integration = Integration {
        name: name.to_owned(),
        title: name.to_uppercase(),
        icon: None,
        description: String::new(),
        variables: Vec::new(),
        connections: Vec::new(),
        flows,
        alerts: Vec::new(),
    };
    Save { integration, source: format!("name = \"{name}\"\n# {text}\n"), base: None }
}

fn required(mut save: Save, variable: &str) -> Save {
    save.integration.variables.push(Variable {
        name: variable.to_owned(),
        kind: VariableKind::Number,
        heading: String::new(),
        help: String::new(),
        default: None,
        required: true,
    });
    save
}

struct House {
    conn: Connection,
    given: u32,
    _folder: tempfile::TempDir,
}

fn act(now: Ms) -> Act<'static> {
    Act { author: "ann", reason: None, now }
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let conn = schema::open_writer(&folder.path().join(schema::FILE)).unwrap();
        Self { conn, given: 0, _folder: folder }
    }

    fn try_save(&mut self, documents: &[Save], deploy: bool) -> Result<Vec<Saved>, ConfigError> {
        let given = &mut self.given;
        let mut endpoint = || {
            *given += 1;
            format!("endpoint-{given}")
        };
        let act = Act { author: "ann", reason: Some("why"), now: 1_000 };
        save(&self.conn, documents, act, deploy, &mut endpoint)
    }

    fn save(&mut self, documents: &[Save], deploy: bool) -> Vec<Saved> {
        self.try_save(documents, deploy).unwrap()
    }

    /// Name, endpoint, alias and whether it is removed, of each flow.
    fn flows(&self) -> Vec<(String, String, Option<String>, bool)> {
        let mut read = self
            .conn
            .prepare("SELECT name, endpoint, path, removed IS NOT NULL FROM flow ORDER BY id")
            .unwrap();
        let rows =
            read.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Every row of the configuration, to see that nothing was written.
    fn all(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for table in ["integration", "version", "flow", "value"] {
            let mut read = self.conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let columns = read.column_count();
            let mut rows = read.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    let _ = write!(text, "{:?} ", row.get_ref(column).unwrap());
                }
            }
        }
        text
    }
}

fn row(
    name: &str,
    endpoint: u32,
    path: Option<&str>,
    removed: bool,
) -> (String, String, Option<String>, bool) {
    (name.to_owned(), format!("endpoint-{endpoint}"), path.map(str::to_owned), removed)
}

#[test]
fn the_same_text_again_makes_no_version_and_another_one_does() {
    let mut house = House::new();
    let first = document("acme", vec![flow("Orders", None)], "one");
    let saved = house.save(std::slice::from_ref(&first), true);
    assert_eq!((saved[0].version, saved[0].changed, saved[0].deployed), (1, true, true));
    let again = house.save(std::slice::from_ref(&first), true);
    assert_eq!((again[0].version, again[0].changed, again[0].deployed), (1, false, true));
    let draft = document("acme", vec![flow("Orders", None)], "two");
    let saved = house.save(std::slice::from_ref(&draft), false);
    assert_eq!((saved[0].version, saved[0].changed, saved[0].deployed), (2, true, false));
    // The draft's text with a deploy: no version, but it goes live.
    let saved = house.save(&[draft], true);
    assert_eq!((saved[0].version, saved[0].changed, saved[0].deployed), (2, true, true));
    // An older text is another version: history only grows.
    assert_eq!(house.save(&[first], true)[0].version, 3);
    let kept: (String, String, String) = house
        .conn
        .query_row("SELECT source, author, reason FROM version WHERE number = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(kept, ("name = \"acme\"\n# one\n".into(), "ann".into(), "why".into()));
}

#[test]
fn endpoints_stay_through_edits_renames_and_reordering() {
    let mut house = House::new();
    house.save(&[document("acme", vec![flow("A", Some("a")), flow("B", None)], "1")], true);
    let mut renamed = flow("C", Some("c"));
    renamed.was = Some("A".into());
    house.save(&[document("acme", vec![flow("B", Some("a")), renamed], "2")], true);
    assert_eq!(house.flows(), [row("C", 1, Some("c"), false), row("B", 2, Some("a"), false)]);
}

#[test]
fn a_draft_changes_nothing_that_is_live_until_it_is_deployed() {
    let mut house = House::new();
    house.save(&[document("acme", vec![flow("A", Some("a")), flow("Old", Some("old"))], "1")], true);
    let mut renamed = flow("Z", Some("z"));
    renamed.was = Some("A".into());
    let draft = document("acme", vec![renamed, flow("New", Some("n"))], "2");
    house.save(std::slice::from_ref(&draft), false);
    assert_eq!(
        house.flows(),
        [row("A", 1, Some("a"), false), row("Old", 2, Some("old"), false), row("New", 3, None, false)]
    );
    // A later draft without `was` still knows the flow by the name that the first draft gave it.
    let later = document("acme", vec![flow("Z", Some("z")), flow("New", Some("n"))], "3");
    house.save(std::slice::from_ref(&later), false);
    let saved = deploy(&house.conn, &later.integration, act(5)).unwrap();
    assert_eq!((saved.version, saved.changed, saved.deployed), (3, true, true));
    assert_eq!(
        house.flows(),
        [row("Z", 1, Some("z"), false), row("Old", 2, Some("old"), true), row("New", 3, Some("n"), false)]
    );
    let again = deploy(&house.conn, &later.integration, act(6)).unwrap();
    assert!(!again.changed && again.deployed);
    // A dropped flow that comes back has its endpoint back.
    let back = document("acme", vec![flow("Z", Some("z")), flow("New", Some("n")), flow("Old", None)], "4");
    house.save(&[back], true);
    assert_eq!(house.flows()[1], row("Old", 2, None, false));
}

#[test]
fn an_alias_has_one_owner_and_a_refusal_writes_nothing() {
    let mut house = House::new();
    house.save(&[document("acme", vec![flow("A", Some("in"))], "1")], true);
    house.save(&[document("spoken", vec![flow("S", Some("draft"))], "1")], false);
    let before = house.all();
    for path in ["in", "draft", "endpoint-1"] {
        let documents = [
            document("first", vec![flow("F", Some("free"))], "1"),
            document("other", vec![flow("B", Some(path))], "1"),
        ];
        let error = house.try_save(&documents, true).unwrap_err().to_string();
        assert!(error.contains(path), "{error}");
        assert_eq!(house.all(), before, "all or none: {path}");
    }
    let error = house.try_save(&[document("other", vec![flow("B", Some("in"))], "1")], true).unwrap_err();
    assert!(error.to_string().contains("acme / A"), "it names the owner: {error}");
    let twins = [
        document("a", vec![flow("F", Some("same"))], "1"),
        document("b", vec![flow("F", Some("same"))], "1"),
    ];
    assert!(house.try_save(&twins, true).unwrap_err().to_string().contains("a / F"));
    let twice = [document("a", vec![], "1"), document("a", vec![], "2")];
    assert!(house.try_save(&twice, true).is_err());
    assert_eq!(house.all(), before);
}

#[test]
fn aliases_can_be_swapped_within_a_document_and_between_two() {
    let mut house = House::new();
    let a = document("a", vec![flow("A", Some("x")), flow("B", Some("y"))], "1");
    house.save(&[a, document("b", vec![flow("C", Some("z"))], "1")], true);
    house.save(&[document("a", vec![flow("A", Some("y")), flow("B", Some("x"))], "2")], true);
    let (a, b) = (
        document("a", vec![flow("A", Some("z")), flow("B", Some("x"))], "3"),
        document("b", vec![flow("C", Some("y"))], "3"),
    );
    house.save(&[a, b], true);
    let paths: Vec<Option<String>> = house.flows().into_iter().map(|flow| flow.2).collect();
    assert_eq!(paths, [Some("z".into()), Some("x".into()), Some("y".into())]);
}

#[test]
fn a_required_variable_without_a_value_keeps_all_as_drafts() {
    let mut house = House::new();
    let documents =
        [required(document("acme", vec![flow("A", None)], "1"), "limit"), document("other", vec![], "1")];
    let saved = house.save(&documents, true);
    assert_eq!(saved[0].unset, ["limit"]);
    assert!(!saved[0].deployed && !saved[1].deployed && saved[1].unset.is_empty());
    let refused = deploy(&house.conn, &documents[0].integration, act(2)).unwrap();
    assert!(!refused.deployed && !refused.changed && refused.unset == ["limit"]);

    let ben = Act { author: "ben", reason: None, now: 2 };
    // A value that the type does not take is none.
    set_values(&house.conn, "acme", &[("limit".into(), json!("ten").into())], ben).unwrap();
    assert_eq!(deploy(&house.conn, &documents[0].integration, act(2)).unwrap().unset, ["limit"]);
    set_values(&house.conn, "acme", &[("limit".into(), json!(10).into())], ben).unwrap();
    assert!(deploy(&house.conn, &documents[0].integration, act(2)).unwrap().deployed);
    assert_eq!(set_values_of(&house.conn, 1).unwrap()["limit"], json!(10).into());
    set_values(&house.conn, "acme", &[("limit".into(), Value::Null.into())], ben).unwrap();
    assert!(set_values_of(&house.conn, 1).unwrap().is_empty());
    assert!(set_values(&house.conn, "nobody", &[], act(9)).is_err());
}

#[test]
fn a_removed_name_can_be_given_again_to_something_new() {
    let mut house = House::new();
    let text = document("acme", vec![flow("A", Some("in"))], "1");
    house.save(std::slice::from_ref(&text), true);
    remove(&house.conn, "acme", &Arc::default(), act(9)).unwrap();
    assert!(remove(&house.conn, "acme", &Arc::default(), act(9)).is_err());
    assert_eq!(house.flows(), [row("A", 1, Some("in"), true)]);
    let saved = house.save(&[text], true);
    assert_eq!((saved[0].version, saved[0].changed), (1, true));
    assert_eq!(house.flows(), [row("A", 1, Some("in"), true), row("A", 2, Some("in"), false)]);
}

#[test]
fn another_name_is_written_into_the_text() {
    let mut house = House::new();
    let mut copy = document("acme", vec![flow("A", None)], "1");
    copy.integration.name = "acme-two".into();
    house.save(&[copy], false);
    let source: String = house.conn.query_row("SELECT source FROM version", [], |row| row.get(0)).unwrap();
    assert_eq!(source, "name = \"acme-two\"\n# 1\n");
}
