//! Where things are: pure functions of the size, used by drawing and by input alike.

use ratatui::layout::Rect;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Below 40×8: one sentence.
    Message,
    /// One pane at a time.
    Narrow,
    /// From 80×24: lists over previews.
    Compact,
    /// From 100×30: lists beside details.
    Normal,
    /// From 160 columns: a third pane.
    Wide,
}

/// A size as it is drawn: 0 counts as 80×24 until it is known.
#[must_use]
pub fn known(size: (u16, u16)) -> (u16, u16) {
    if size.0 == 0 || size.1 == 0 { (80, 24) } else { size }
}

/// The class of a size.
#[must_use]
pub fn class(width: u16, height: u16) -> Class {
    match (width, height) {
        (0..40, _) | (_, 0..8) => Class::Message,
        (40..80, _) | (_, 8..24) => Class::Narrow,
        (80..100, _) | (_, 24..30) => Class::Compact,
        (100..160, _) => Class::Normal,
        _ => Class::Wide,
    }
}

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// How much room there is.
    pub class: Class,
    /// Row 1.
    pub promise: Rect,
    /// Row 2; empty where it is narrow.
    pub tabs: Rect,
    /// Between.
    pub content: Rect,
    /// Under the content, while the link is down: what is known of it. Nothing is drawn over the lists
    /// for it.
    pub link: Rect,
    /// Above the footer, while something is typed: one row, two with an error.
    pub line: Rect,
    /// The last row.
    pub footer: Rect,
}

/// The parts of a screen of some size, with so many rows for what is told of the link and for the filter
/// line; what is typed goes first where there is no room for both.
#[must_use]
pub fn frame(area: Rect, link_rows: u16, typed_rows: u16) -> Frame {
    let class = class(area.width, area.height);
    let row = |y: u16, height: u16| Rect::new(area.x, area.y + y, area.width, height);
    let header = if class <= Class::Narrow { 1 } else { 2 };
    let height = area.height;
    if height < header + 2 {
        let none = Rect::new(area.x, area.y, area.width, 0);
        return Frame {
            class,
            promise: none,
            tabs: none,
            content: area,
            link: none,
            line: none,
            footer: none,
        };
    }
    let typed_rows = typed_rows.min(height - header - 2);
    // One row of content is left, and its rule.
    let link_rows = link_rows.min((height - header - 1 - typed_rows).saturating_sub(2));
    let content = height - header - 1 - typed_rows - link_rows;
    Frame {
        class,
        promise: row(0, 1),
        tabs: row(1, header - 1),
        content: row(header, content),
        link: row(header + content, link_rows),
        line: row(header + content + link_rows, typed_rows),
        footer: row(height - 1, 1),
    }
}

/// A pane: its rule and what is under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pane {
    /// The titled rule.
    pub rule: Rect,
    /// What is under it.
    pub body: Rect,
}

impl Pane {
    /// An area whose first row is the rule.
    #[must_use]
    pub fn of(area: Rect) -> Self {
        let rule = Rect { height: area.height.min(1), ..area };
        let body = Rect { y: area.y + rule.height, height: area.height - rule.height, ..area };
        Self { rule, body }
    }

    /// Whether it is not shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rule.is_empty() && self.body.is_empty()
    }
}

/// The top part of an area, and the rest.
#[must_use]
pub fn split_down(area: Rect, top: u16) -> (Rect, Rect) {
    let top = top.min(area.height);
    (Rect { height: top, ..area }, Rect { y: area.y + top, height: area.height - top, ..area })
}

/// The left part of an area, the column of the line, and the rest.
#[must_use]
pub fn split_across(area: Rect, left: u16) -> (Rect, u16, Rect) {
    let left = left.min(area.width);
    let line = area.x + left;
    let rest = area.width.saturating_sub(left + 1);
    (Rect { width: left, ..area }, line, Rect { x: area.x + (area.width - rest), width: rest, ..area })
}

/// Most panes that a screen has.
pub const PANES: usize = 4;

/// Live's panes, in the order of `tab`: requests, payload, runs, needs you.
#[must_use]
pub fn live(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    if frame.class == Class::Compact {
        let middle = 6.max(area.height * 2 / 7);
        let top = area.height.saturating_sub(middle) * 3 / 5;
        let (requests, rest) = split_down(area, top);
        let (middle, runs) = split_down(rest, middle);
        let (payload, _, needs) = split_across(middle, area.width * 39 / 80);
        return [requests, payload, runs, needs].map(Pane::of);
    }
    let top = area.height.div_ceil(2);
    let left = area.width * 61 / 100;
    let (upper, lower) = split_down(area, top);
    let (requests, _, payload) = split_across(upper, left);
    let (runs, _, needs) = split_across(lower, left);
    [requests, payload, runs, needs].map(Pane::of)
}

/// Requests' panes: list, payload, and from 160 columns the run.
#[must_use]
pub fn requests(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    let none = Pane::default();
    match frame.class {
        Class::Compact => {
            let (list, payload) = split_down(area, area.height * 3 / 7);
            [Pane::of(list), Pane::of(payload), none, none]
        }
        Class::Wide => {
            let (list, _, rest) = split_across(area, area.width * 40 / 100);
            let (payload, _, run) = split_across(rest, rest.width / 2);
            [Pane::of(list), Pane::of(payload), Pane::of(run), none]
        }
        _ => {
            let (list, _, payload) = split_across(area, area.width * 48 / 100);
            [Pane::of(list), Pane::of(payload), none, none]
        }
    }
}

/// Runs' panes: list or groups, and the run under or beside it; from 160 columns its steps, and its
/// attempt as a third.
#[must_use]
pub fn runs(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    let none = Pane::default();
    if frame.class == Class::Compact {
        let (list, run) = split_down(area, area.height * 3 / 7);
        return [Pane::of(list), Pane::of(run), none, none];
    }
    if frame.class == Class::Wide {
        let (list, _, rest) = split_across(area, area.width * 40 / 100);
        let (steps, _, attempt) = split_across(rest, rest.width / 2);
        return [Pane::of(list), Pane::of(steps), Pane::of(attempt), none];
    }
    let (list, _, run) = split_across(area, area.width * 52 / 100);
    [Pane::of(list), Pane::of(run), none, none]
}

/// Cells down of the pane under the board: its rule, and what is known of one callback.
const CALLBACK: u16 = 7;

/// The board of callbacks, and under it what is known of the selected one.
#[must_use]
pub fn callbacks(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    let none = Pane::default();
    let (list, detail) = split_down(area, area.height.saturating_sub(CALLBACK));
    [Pane::of(list), Pane::of(detail), none, none]
}

/// The tree of integrations, and beside it what is known of one, its versions, and what differs. On
/// a narrow screen the tree has all the room, and then what is beside it.
#[must_use]
pub fn integrations(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    let beside = |area: Rect| {
        let versions = (area.height / 4).clamp(3, 8);
        let (facts, rest) = split_down(area, (area.height - versions) / 2);
        let (versions, diff) = split_down(rest, versions);
        (Pane::of(facts), Pane::of(versions), Pane::of(diff))
    };
    if frame.class == Class::Compact {
        if focus == 0 {
            return only(area, 0);
        }
        let (facts, versions, diff) = beside(area);
        return [Pane::default(), facts, versions, diff];
    }
    let (tree, _, rest) = split_across(area, (area.width * 38 / 100).max(46));
    let (facts, versions, diff) = beside(rest);
    [Pane::of(tree), facts, versions, diff]
}

/// Overview's panes: requests over steps, and under them runs beside queue and store; these two stand
/// over each other where there is no room beside.
#[must_use]
pub fn overview(frame: &Frame, focus: usize, full: bool) -> [Pane; PANES] {
    let area = frame.content;
    if full || frame.class <= Class::Narrow {
        return only(area, focus);
    }
    let (top, bottom) = match area.height {
        40.. => (11, 9),
        27.. => (8, 6),
        _ => (5, 4),
    };
    let (requests, rest) = split_down(area, top);
    if frame.class == Class::Compact {
        let (steps, rest) = split_down(rest, rest.height.saturating_sub(2 * bottom));
        let (runs, store) = split_down(rest, bottom);
        return [requests, steps, runs, store].map(Pane::of);
    }
    let (steps, rest) = split_down(rest, rest.height.saturating_sub(bottom));
    let (runs, _, store) = split_across(rest, area.width * 58 / 100);
    [requests, steps, runs, store].map(Pane::of)
}

/// The parts of one run: steps, timeline, attempt.
#[must_use]
pub fn run(area: Rect) -> (Pane, Pane, Pane) {
    let boxes = if area.width < 100 { 2 } else { 6 };
    let steps = boxes.min(area.height / 2);
    let (top, rest) = split_down(area, steps);
    let (timeline, attempt) = if area.width < 100 {
        split_down(rest, rest.height / 2)
    } else {
        let (left, _, right) = split_across(rest, area.width * 47 / 120);
        (left, right)
    };
    (Pane::of(top), Pane::of(timeline), Pane::of(attempt))
}

/// The parts of one run whose attempt has a pane of its own: so many steps, a line each as far as
/// there is room for half of them, and the timeline.
#[must_use]
pub fn steps(area: Rect, steps: u16) -> (Pane, Pane) {
    let (top, rest) = split_down(area, (steps.max(1) + 1).min(area.height / 2));
    (Pane::of(top), Pane::of(rest))
}

fn only(area: Rect, focus: usize) -> [Pane; PANES] {
    let mut panes = [Pane::default(); PANES];
    if let Some(pane) = panes.get_mut(focus) {
        *pane = Pane::of(area);
    }
    panes
}

/// A box in the middle: never wider than the screen less 4, the whole screen where it is narrow.
#[must_use]
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    if class(area.width, area.height) <= Class::Narrow {
        return area;
    }
    let width = width.min(area.width.saturating_sub(4)).max(1);
    let height = height.min(area.height.saturating_sub(2)).max(1);
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_change_at_their_bounds() {
        assert_eq!(class(39, 60), Class::Message);
        assert_eq!(class(200, 7), Class::Message);
        assert_eq!(class(40, 8), Class::Narrow);
        assert_eq!(class(79, 60), Class::Narrow);
        assert_eq!(class(200, 23), Class::Narrow);
        assert_eq!(class(80, 24), Class::Compact);
        assert_eq!(class(99, 60), Class::Compact);
        assert_eq!(class(120, 29), Class::Compact);
        assert_eq!(class(100, 30), Class::Normal);
        assert_eq!(class(159, 60), Class::Normal);
        assert_eq!(class(160, 48), Class::Wide);
        assert_eq!(known((0, 0)), (80, 24));
    }

    #[test]
    fn every_pane_is_inside_at_every_size_and_none_overlap() {
        for width in 1..=220 {
            for height in 1..=64 {
                let area = Rect::new(0, 0, width, height);
                for line in 0..3 {
                    let frame = frame(area, 0, line);
                    for part in [frame.promise, frame.tabs, frame.content, frame.line, frame.footer] {
                        assert_eq!(part.intersection(area), part, "{width}x{height}");
                    }
                    for (focus, full) in [(0, false), (3, false), (1, true)] {
                        for panes in [live, requests, runs, callbacks, integrations, overview]
                            .map(|of| of(&frame, focus, full))
                        {
                            let mut cells = 0u32;
                            for pane in panes {
                                for part in [pane.rule, pane.body] {
                                    assert_eq!(part.intersection(frame.content).area(), part.area());
                                    cells += part.area();
                                }
                            }
                            assert!(cells <= frame.content.area());
                        }
                    }
                    let (boxes, timeline, attempt) = run(frame.content);
                    let (list, under) = steps(frame.content, line * 40);
                    assert!(list.body.bottom() <= under.rule.y);
                    for pane in [boxes, timeline, attempt, list, under] {
                        assert!(pane.body.bottom() <= frame.content.bottom());
                    }
                    assert_eq!(centred(area, 76, 20).intersection(area), centred(area, 76, 20));
                }
            }
        }
    }

    #[test]
    fn from_160_columns_runs_have_three_panes() {
        let of = |width| runs(&frame(Rect::new(0, 0, width, 50), 0, 0), 0, false);
        assert!(of(159)[2].is_empty() && !of(159)[1].is_empty());
        let [list, steps, attempt, none] = of(160);
        assert_eq!((list.rule.width, steps.rule.x, attempt.rule.x), (64, 65, 113));
        assert_eq!((attempt.rule.right(), attempt.rule.y, none), (160, steps.rule.y, Pane::default()));
    }

    #[test]
    fn live_at_80x24_is_as_designed() {
        let frame = frame(Rect::new(0, 0, 80, 24), 0, 0);
        assert_eq!(frame.content.height, 21);
        let [requests, payload, runs, needs] = live(&frame, 0, false);
        assert_eq!((requests.rule.y, requests.body.height), (2, 8));
        assert_eq!((payload.rule.y, payload.body.height, payload.rule.width), (11, 5, 39));
        assert_eq!((needs.rule.x, needs.rule.width), (40, 40));
        assert_eq!((runs.rule.y, runs.body.height), (17, 5));
    }
}
