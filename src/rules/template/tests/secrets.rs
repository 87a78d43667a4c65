//! Secret variables: sent as they are, kept and shown as `•••`.

use super::*;
use crate::model::credential::Secret;
use crate::rules::secrets::Secrets;

const TOKEN: &str = "s3cret-Token/1";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// The context with `token` as a secret; `base` stays open.
fn sealed(body: Value) -> Context {
    let mut context = context(body);
    context.config = Arc::new(map(json!({"base": "http://api.example/v1", "host": "api.example"})));
    context.secrets = Arc::new(Secrets::new(&[("token".into(), secret(TOKEN))]));
    context
}

fn both(keys: &str) -> (Outgoing, Outgoing, Vec<String>) {
    let (plan, context) = (plan(&step(keys)), sealed(json!({"v": 1})));
    let built = build(&plan, 2, &context).unwrap();
    let shown = shown(&plan, 2, &context, &built).into_owned();
    let texts = derived(&built, &shown);
    (built, shown, texts)
}

#[test]
fn what_is_sent_has_the_secret_and_what_is_shown_has_not_whatever_templates_make_of_it() {
    let (built, shown, mut texts) = both(
        "connection = \"api\"\nurl = \"/x/{{ config.token }}\"\nquery = { k = \"{{ config.token | upper }}\" }\n\
         headers = { X-T = \"t {{ config.token[:6] }}!\" }\n\
         json = { a = \"{{ config.token }}\", b = [\"{{ config.token | length }}\", \"{{ request.body.v }}\"], c = \"{{ config }}\" }",
    );
    assert_eq!(built.url, "http://api.example/v1/x/s3cret-Token%2F1?k=S3CRET-TOKEN%2F1");
    assert_eq!(shown.url, "http://api.example/v1/x/•••?k=•••");
    let header = |of: &Outgoing, name: &str| {
        of.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!((header(&built, "X-T"), header(&shown, "X-T")), ("t s3cret!".into(), "t •••!".into()));
    assert_eq!(header(&built, "Authorization"), format!("Bearer {TOKEN}"));
    let body: Value = serde_json::from_slice(shown.body.as_ref().unwrap()).unwrap();
    assert_eq!((&body["a"], &body["b"][1], &body["c"]["token"]), (&json!("•••"), &json!(1), &json!("•••")));
    let text = format!("{} {:?} {body}", shown.url, shown.headers);
    assert!(!text.contains("s3cret") && !text.contains("S3CRET"), "{text}");
    // What an answer may repeat of it.
    texts.sort();
    texts.dedup();
    assert_eq!(texts, ["S3CRET-TOKEN%2F1", "S3CRET-TOKEN/1", "s3cret", "s3cret-Token%2F1", TOKEN]);
}

#[test]
fn forms_texts_and_addresses_are_shown_without_it() {
    let (built, shown, _) =
        both("url = \"http://a.example\"\nform = { t = \"{{ config.token }}\", n = \"1\" }");
    assert_eq!(built.body.unwrap(), "t=s3cret-Token%2F1&n=1");
    assert_eq!(shown.body.unwrap(), "t=•••&n=1");
    let (built, shown, texts) =
        both("url = \"http://a.example\"\ntext = \"{{ config.token | lower }} is it\"");
    assert_eq!((built.body.unwrap().len(), shown.body.unwrap()), (20, Bytes::from("••• is it")));
    assert_eq!(texts, ["s3cret-token/1"]);
    // A whole address that is secret: it cannot be built masked, so its text is looked for.
    let keys = "url = \"{{ config.token }}/x\"\ntext = \"{{ config.token | upper }}!\"";
    let (plan, mut context) = (plan(&step(keys)), sealed(json!({})));
    context.secrets = Arc::new(Secrets::new(&[("token".into(), secret("https://hooks.example/T0/B0"))]));
    let built = build(&plan, 2, &context).unwrap();
    let seen = shown_of(&plan, &context, &built);
    assert_eq!((seen.url.as_str(), seen.body.as_deref()), ("•••/x", Some("•••!".as_bytes())));
    assert_eq!(target(&plan, 2, &context), None, "its host is shown in no plan");
    // One that is none is told without it, also where the message is cut.
    context.secrets = Arc::new(Secrets::new(&[("token".into(), secret(&"no-url".repeat(50)))]));
    let error = build(&plan, 2, &context).unwrap_err();
    assert_eq!(error.message, "\"•••/x\" is no absolute http:// or https:// URL");
}

fn shown_of(plan: &Plan, context: &Context, built: &Outgoing) -> Outgoing {
    shown(plan, 2, context, built).into_owned()
}

#[test]
fn what_cannot_be_built_without_it_is_not_shown_at_all() {
    let keys = "url = \"http://a.example/x\"\nquery = { n = \"{{ (config.token | int) + 1 }}\" }\n\
                headers = { X-T = \"{{ config.base | upper }}\" }\ntext = \"{{ request.body }}\"";
    let (plan, mut context) = (plan(&step(keys)), sealed(json!({"a": 1})));
    context.secrets = Arc::new(Secrets::new(&[("token".into(), secret("47110815"))]));
    let built = build(&plan, 2, &context).unwrap();
    assert_eq!(built.url, "http://a.example/x?n=47110816");
    let seen = shown_of(&plan, &context, &built);
    assert_eq!((seen.url.as_str(), seen.body.as_deref()), ("http://a.example/x?•••", Some("•••".as_bytes())));
    assert!(seen.headers.iter().all(|(_, value)| value == "•••"), "{:?}", seen.headers);
}

#[test]
fn without_secrets_nothing_is_built_twice() {
    let (plan, context) = (plan(&step("url = \"http://a.example\"")), context(json!({})));
    let built = build(&plan, 2, &context).unwrap();
    let shown = shown(&plan, 2, &context, &built);
    assert!(matches!(shown, std::borrow::Cow::Borrowed(_)));
    assert!(derived(&built, &shown).is_empty());
    // A credential of the document itself is one all the same.
    let plan = super::plan(&step("connection = \"api\"\nurl = \"/x\""));
    let built = build(&plan, 2, &context).unwrap();
    assert_eq!(derived(&built, &built), ["t"]);
}

#[test]
fn conditions_see_it_and_errors_do_not_tell_it() {
    let condition = "when = \"{{ config.token == request.body.v }}\"\nurl = \"http://a.example\"";
    let plan = plan(&step(condition));
    assert_eq!(step_when(&plan, 2, &sealed(json!({"v": TOKEN}))), Ok(true));
    assert_eq!(step_when(&plan, 2, &sealed(json!({"v": "•••"}))), Ok(false));
    let plan = super::plan(&step("url = \"http://a.example\"\ntext = \"{{ error('no ' ~ config.token) }}\""));
    assert_eq!(build(&plan, 2, &sealed(json!({}))).unwrap_err().message, "no •••");
}
