//! The person records the session, or ends that: `record` in the palette.

use super::app::{App, Overlay, Tone};
use super::asks::Effect;
use super::edit::Edit;
use super::format::{size, took};
use super::input::edit_key;
use super::key::Key;
use super::tape::Ended;
use crossterm::event::KeyCode;
use jiff::Timestamp;

impl App {
    /// Asks for a file to record into; where something is recorded, ends that.
    pub fn record(&mut self) {
        if self.recording.is_some() {
            self.asks.effect(Effect::EndRecording);
            return;
        }
        let at =
            Timestamp::from_millisecond(self.now).unwrap_or_default().to_zoned(self.options.zone.clone());
        let name = format!("pointsman-{}.cast", at.strftime("%Y%m%d-%H%M%S"));
        self.overlay = Some(Overlay::Record(Box::new(Edit::with(&name))));
    }

    /// A key while the file is asked for.
    pub fn record_key(&mut self, key: Key) {
        let Some(Overlay::Record(edit)) = &mut self.overlay else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Enter, _) if edit.text().trim().is_empty() => {
                self.toast(Tone::Info, "record is not possible: no file is named");
            }
            (KeyCode::Enter, _) => {
                let path = edit.text().trim().to_owned();
                self.overlay = None;
                self.asks.effect(Effect::Record(path));
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                edit_key(edit, key);
            }
        }
    }

    /// A recording began.
    pub fn recorded(&mut self, file: String) {
        self.toast(Tone::Good, format!("Recording into {file}: what is drawn, no keys. :record ends it."));
        self.recording = Some(file);
    }

    /// It ended.
    pub fn recording_ended(&mut self, ended: Ended) {
        self.recording = None;
        let lasted = took(i64::try_from(ended.lasted.as_millis()).unwrap_or(i64::MAX));
        let Ended { file, bytes, trouble, .. } = ended;
        match trouble {
            None => self.toast(Tone::Good, format!("Recorded {lasted}, {}, into {file}.", size(bytes))),
            Some(why) => self.toast(
                Tone::Bad,
                format!("The recording into {file} ended after {lasted}: {why}. What was written until then plays."),
            ),
        }
    }
}
