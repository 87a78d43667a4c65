//! What stands above a screen: dialogs, help, toasts.

pub mod audit;
pub mod backtest;
pub mod beside;
pub mod capture;
pub mod choices;
pub mod consoles;
pub mod dialog;
pub mod help;
pub mod jobs;
pub mod keys;
pub mod menu;
pub mod messages;
pub mod palette;
pub mod prompt;
pub mod record;
pub mod replayed;
pub mod save_view;
pub mod texts;
pub mod themes;
pub mod toast;
pub mod trial;
pub mod value;
pub mod values;
pub mod whatif;
pub mod write;

use super::app::{App, Overlay};
use super::paint::Paint;

/// Draws what stands above, the toasts last.
pub fn draw(app: &App, paint: &mut Paint<'_>) {
    match &app.overlay {
        Some(Overlay::Help(open)) => help::draw(app, paint, open),
        Some(Overlay::Keys { top }) => keys::draw(app, paint, *top),
        Some(Overlay::Value(whole)) => value::draw(app, paint, whole),
        Some(Overlay::Verb(shown)) => dialog::verb(app, paint, shown),
        Some(Overlay::Capture(table)) => capture::draw(app, paint, table),
        Some(Overlay::Beside(beside)) => beside::draw(app, paint, beside),
        Some(Overlay::WhatIf(open)) => whatif::draw(app, paint, open),
        Some(Overlay::Menu(open)) => menu::draw(app, paint, open),
        Some(Overlay::Jobs(open)) => jobs::draw(app, paint, open),
        Some(Overlay::Consoles(open)) => consoles::draw(app, paint, open),
        Some(Overlay::Replayed(open)) => replayed::draw(app, paint, open),
        Some(Overlay::Palette(open)) => palette::draw(app, paint, open),
        Some(Overlay::Trial(open)) => trial::draw(app, paint, open),
        Some(Overlay::BackTest(open)) => backtest::draw(app, paint, open),
        Some(Overlay::Texts(open)) => texts::draw(app, paint, open),
        Some(Overlay::Values(open)) => values::draw(app, paint, open),
        Some(Overlay::Write(open)) => write::draw(app, paint, open),
        Some(Overlay::SaveView(open)) => save_view::draw(app, paint, open),
        Some(Overlay::Themes(open)) => themes::draw(app, paint, open),
        Some(Overlay::Messages(open)) => messages::draw(app, paint, open),
        Some(Overlay::Audit(open)) => audit::draw(app, paint, open),
        Some(Overlay::Record(edit)) => record::draw(app, paint, edit),
        Some(Overlay::Prompt(open)) => prompt::draw(app.size, paint, open),
        Some(Overlay::Quit { sure, .. }) => dialog::quit(app, paint, *sure),
        None => {}
    }
    toast::draw(app, paint);
}
