//! The integrations: the tree, and beside it what is known of the selected one, its versions, and
//! what differs between two.

use crate::console::app::{App, Place};
use crate::console::format::count;
use crate::console::layout::Pane;
use crate::console::paint::Paint;
use crate::console::tree::Part;

/// Draws a pane of the screen by its position.
pub fn draw(app: &App, paint: &mut Paint<'_>, at: usize, pane: Pane) {
    match at {
        0 => tree(app, paint, pane),
        1 => facts(app, paint, pane),
        2 => versions(app, paint, pane),
        _ => diff(app, paint, pane),
    }
}

fn tree(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Tree;
    let tree = &app.tree;
    let title = format!("Integrations · {}", count(tree.integrations.len() as u64));
    let right = if app.full { "{+} back" } else { "{i} new" };
    paint.rule(pane.rule, &title, &app.say(right), focused);
    if tree.integrations.is_empty() {
        let text = if tree.known {
            "No integration yet. {i} makes one, step by step; pointsman apply FILE deploys a document."
        } else {
            super::waiting(app)
        };
        return super::says(paint, pane.body, &app.say(text));
    }
    tree.lines.draw(paint, pane.body, focused);
}

fn facts(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Facts;
    let title = app.tree.current().map_or_else(String::new, |node| match &node.part {
        Part::Whole => node.integration.clone(),
        Part::Flow(flow) => format!("{} / {flow}", node.integration),
        Part::Trigger(flow) => format!("{} / {flow} · trigger", node.integration),
        Part::Step(flow, at) => {
            let name =
                app.tree.flow().and_then(|flow| flow.steps.get(*at)).map_or("", |(name, _)| name.as_str());
            format!("{} / {flow} · {} {name}", node.integration, at + 1)
        }
        Part::Values => format!("{} · values", node.integration),
    });
    let right =
        if app.tree.flow().is_some_and(|flow| flow.url.is_some()) { "{y} copies the URL" } else { "" };
    paint.rule(pane.rule, &title, &app.say(right), focused);
    app.tree.facts.draw(paint, pane.body, focused);
}

fn versions(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Versions;
    let versions = &app.tree.versions;
    let title = format!("Versions · {}", count(versions.versions.len() as u64));
    paint.rule(pane.rule, &title, "space marks two", focused);
    versions.list.draw(paint, pane.body, focused);
}

fn diff(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Diff;
    let (title, right) = app.diff_title();
    paint.rule(pane.rule, &title, &right, focused);
    app.tree.versions.lines.draw(paint, pane.body, focused);
}
