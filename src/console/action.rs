//! What a person can ask of the console: one closed set, named as people say it.

/// An intent; keys, footer and help all speak of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Shows a screen by its digit, from 1.
    Screen(u8),
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the oldest.
    Top,
    /// To the newest, without following.
    Bottom,
    /// Into what the row names.
    Open,
    /// One crumb left.
    Back,
    /// Leaves; at the root.
    Quit,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// The pane over the whole content, and back.
    Full,
    /// The next view of the pane.
    View,
    /// Folds, or the step before.
    Left,
    /// Opens a fold, or the next step.
    Right,
    /// The previous of its siblings: request, attempt.
    PreviousSibling,
    /// The next of its siblings.
    NextSibling,
    /// Opens the filter line; in a payload or a run the search line.
    Filter,
    /// To the next line that has what is looked for.
    NextMatch,
    /// To the one before.
    PreviousMatch,
    /// Filter off and on.
    FilterToggle,
    /// Jumps to the newest and follows.
    Follow,
    /// Marks the row.
    Mark,
    /// Marks all that the filter matches now.
    MarkAll,
    /// Takes the last change back; brings cleared marks back.
    Undo,
    /// Same run, same step, a new attempt.
    Retry,
    /// The step ends skipped.
    Skip,
    /// The run ends aborted.
    Abort,
    /// A new run from a stored request.
    Replay,
    /// Drops the dedup key of a request, or takes a badge away.
    Forget,
    /// A rejected request is judged again.
    Readmit,
    /// A callback's answer is given by hand.
    Complete,
    /// A callback is waited for longer.
    Extend,
    /// The draft goes live, or an earlier version comes back.
    Deploy,
    /// What the flow of the selected request is sent, path by path.
    Capture,
    /// Two requests beside each other.
    Difference,
    /// What a run would send; there, what another dedup rule would have done.
    Test,
    /// What the draft changes of stored requests.
    BackTest,
    /// The request as a file that can be sent and tried.
    SaveSample,
    /// What is selected, into the terminal's clipboard.
    Copy,
    /// What else can be copied of it.
    CopyAs,
    /// Lists with a filter, each by a key.
    Views,
    /// The path of a value is a column.
    Pin,
    /// The values of a path, and how often each is there.
    Values,
    /// Without the selected one of these values.
    Without,
    /// To what hangs together with it.
    Links,
    /// The flow of what is selected takes nothing more for a while, or goes on.
    Pause,
    /// The document of what is selected, as text.
    Edit,
    /// The body of a request, to replay it with another.
    EditBody,
    /// What is typed becomes the next version.
    Save,
    /// Makes again what was undone.
    Redo,
    /// An object after the one at the cursor.
    Add,
    /// The step comes before the one before it.
    MoveUp,
    /// The step comes after the one after it.
    MoveDown,
    /// The text in the person's own editor.
    Outside,
    /// The next theme.
    Theme,
    /// The mouse on and off.
    Mouse,
    /// Every action by its words.
    Palette,
    /// What the keys do.
    Help,
    /// `ctrl-c`: asks to quit.
    Interrupt,
    /// Back to the shell, until `fg`.
    Suspend,
    /// Draws everything again.
    Redraw,
    /// Asks for everything that is shown again.
    Reload,
}

impl Action {
    /// Its name in the configuration file.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Screen(1) => "live",
            Self::Screen(2) => "requests",
            Self::Screen(3) => "runs",
            Self::Screen(4) => "callbacks",
            Self::Screen(5) => "integrations",
            Self::Screen(_) => "overview",
            Self::Up => "up",
            Self::Down => "down",
            Self::PageUp => "page-up",
            Self::PageDown => "page-down",
            Self::Top => "top",
            Self::Bottom => "bottom",
            Self::Open => "open",
            Self::Back => "back",
            Self::Quit => "quit",
            Self::NextPane => "next-pane",
            Self::PreviousPane => "previous-pane",
            Self::Full => "full",
            Self::View => "view",
            Self::Left => "left",
            Self::Right => "right",
            Self::PreviousSibling => "previous-sibling",
            Self::NextSibling => "next-sibling",
            Self::Filter => "filter",
            Self::NextMatch => "next-match",
            Self::PreviousMatch => "previous-match",
            Self::FilterToggle => "filter-toggle",
            Self::Follow => "follow",
            Self::Mark => "mark",
            Self::MarkAll => "mark-all",
            Self::Undo => "undo",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Abort => "abort",
            Self::Replay => "replay",
            Self::Forget => "forget",
            Self::Readmit => "readmit",
            Self::Complete => "complete",
            Self::Extend => "extend",
            Self::Deploy => "deploy",
            Self::Capture => "capture",
            Self::Difference => "difference",
            Self::Test => "test",
            Self::BackTest => "back-test",
            Self::SaveSample => "save-sample",
            Self::Copy => "copy",
            Self::CopyAs => "copy-as",
            Self::Views => "views",
            Self::Pin => "pin",
            Self::Values => "values",
            Self::Without => "without",
            Self::Links => "links",
            Self::Pause => "pause",
            Self::Edit => "edit",
            Self::EditBody => "edit-body",
            Self::Save => "save",
            Self::Redo => "redo",
            Self::Add => "add",
            Self::MoveUp => "move-up",
            Self::MoveDown => "move-down",
            Self::Outside => "outside",
            Self::Theme => "theme",
            Self::Mouse => "mouse",
            Self::Palette => "palette",
            Self::Help => "help",
            Self::Interrupt => "interrupt",
            Self::Suspend => "suspend",
            Self::Redraw => "redraw",
            Self::Reload => "reload",
        }
    }

    /// Whether it changes something outside the console.
    #[must_use]
    pub fn is_verb(self) -> bool {
        matches!(
            self,
            Self::Retry
                | Self::Skip
                | Self::Abort
                | Self::Replay
                | Self::Forget
                | Self::Readmit
                | Self::Capture
                | Self::Pause
                | Self::Complete
                | Self::Extend
                | Self::Deploy
                | Self::SaveSample
                | Self::Save
        )
    }
}
