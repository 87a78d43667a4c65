use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Row(String);

impl Item for Row {
    fn id(&self) -> &str {
        &self.0
    }
    fn at(&self) -> Ms {
        0
    }
}

fn rows(from: u64, to: u64) -> Vec<Row> {
    (from..to).map(|n| Row(format!("{n:08}"))).collect()
}

/// Answers what a list wants, as a store with the rows `0..newest` would.
fn serve(list: &mut List<Row>, newest: u64, data: bool) -> Option<Wanted> {
    let wanted = list.wants(data)?;
    let (wanted, epoch) = list.asked.map(|(_, epoch)| (wanted, epoch)).unwrap();
    let number = |id: &str| id.parse::<u64>().unwrap();
    let page = u64::from(PAGE);
    let (found, next) = match wanted {
        Wanted::Newest => {
            let from = newest.saturating_sub(page);
            (rows(from, newest), (from > 0).then(|| format!("{from:08}")))
        }
        Wanted::Older => {
            let to = number(list.older.as_deref().unwrap());
            let from = to.saturating_sub(page);
            (rows(from, to), (from > 0).then(|| format!("{from:08}")))
        }
        Wanted::Oldest => {
            let to = newest.min(page);
            (rows(0, to), (to < newest).then(|| format!("{:08}", to - 1)))
        }
        Wanted::Newer => {
            let from = number(list.newer_from().unwrap()) + 1;
            let to = newest.min(from + page);
            (rows(from, to), (to < newest).then(|| format!("{:08}", to - 1)))
        }
    };
    assert!(list.install(wanted, epoch, found, next));
    Some(wanted)
}

fn loaded(newest: u64) -> List<Row> {
    let mut list = List::default();
    list.resize(10);
    serve(&mut list, newest, false);
    list
}

#[test]
fn it_opens_following_the_newest() {
    let list = loaded(1_000);
    assert!(list.follow);
    assert_eq!(list.selected.as_deref(), Some("00000999"));
    assert_eq!(list.visible().last().map(Item::id), Some("00000999"));
    assert_eq!(list.visible().count(), 10);
}

#[test]
fn following_takes_new_rows_in_and_the_window_stays_bounded() {
    let mut list = loaded(1_000);
    for newest in (1_010..3_000).step_by(10) {
        list.arrived(10, None);
        assert_eq!(serve(&mut list, newest, true), Some(Wanted::Newer));
        assert!(list.rows.len() <= WINDOW);
        assert_eq!(list.selected, Some(format!("{:08}", newest - 1)));
    }
}

#[test]
fn a_burst_reads_the_newest_page_instead_of_running_after_it() {
    let mut list = loaded(1_000);
    list.arrived(u64::from(PAGE) + 1, None);
    assert_eq!(serve(&mut list, 5_000, true), Some(Wanted::Newest));
    assert!(list.racing);
    assert_eq!(list.rows.len(), PAGE as usize);
}

#[test]
fn stopped_nothing_moves_and_the_count_grows() {
    let mut list = loaded(1_000);
    list.step(-3, 7);
    let before: Vec<String> = list.visible().map(|row| row.0.clone()).collect();
    assert_eq!(list.selected.as_deref(), Some("00000996"));
    list.arrived(12, None);
    assert_eq!(list.wants(true), None);
    assert_eq!(list.below, 12);
    let after: Vec<String> = list.visible().map(|row| row.0.clone()).collect();
    assert_eq!(before[..after.len()], after[..]);
    assert_eq!(list.selected.as_deref(), Some("00000996"));
    assert_eq!(list.stopped, Some(7));
}

#[test]
fn down_past_the_last_row_takes_one_in() {
    let mut list = loaded(1_000);
    list.step(-1, 0);
    list.arrived(5, None);
    list.step(1, 0);
    assert_eq!(list.selected.as_deref(), Some("00000999"));
    list.step(1, 0);
    assert_eq!(serve(&mut list, 1_005, false), Some(Wanted::Newer));
    assert_eq!(list.selected.as_deref(), Some("00001000"));
    assert_eq!(list.below, 4);
    list.step(1, 0);
    assert_eq!(list.selected.as_deref(), Some("00001001"));
    assert_eq!(list.below, 3);
}

#[test]
fn f_follows_again_and_end_goes_to_the_newest_without() {
    let mut list = loaded(1_000);
    list.step(-5, 0);
    list.arrived(9, None);
    list.to_newest(true, 0);
    serve(&mut list, 1_009, false);
    assert!(list.follow);
    assert_eq!(list.selected.as_deref(), Some("00001008"));
    list.step(-5, 0);
    list.to_newest(false, 0);
    assert_eq!(list.wants(false), None);
    assert!(!list.follow);
    assert_eq!(list.selected.as_deref(), Some("00001008"));
}

#[test]
fn upwards_pages_come_one_at_a_time_and_downwards_again() {
    let mut list = loaded(5_000);
    for _ in 0..400 {
        list.step(-10, 0);
        serve(&mut list, 5_000, false);
        assert!(list.rows.len() <= WINDOW);
        assert!(list.position().is_some());
    }
    let low = list.selected.clone().unwrap();
    assert!(low.as_str() < "00001100", "{low}");
    for _ in 0..600 {
        list.step(10, 0);
        serve(&mut list, 5_000, false);
        assert!(list.rows.len() <= WINDOW);
    }
    assert_eq!(list.selected.as_deref(), Some("00004999"));
}

#[test]
fn an_answer_to_an_older_filter_is_dropped() {
    let mut list = loaded(1_000);
    list.try_filter("state:errored");
    let wanted = list.wants(false).unwrap();
    let epoch = list.epoch;
    list.try_filter("state:errored flow:a");
    assert!(!list.install(wanted, epoch, rows(0, 3), None));
    let wanted = list.wants(false).unwrap();
    assert!(list.install(wanted, list.epoch, rows(0, 2), None));
    assert_eq!(list.filter, "state:errored flow:a");
    assert_eq!(list.rows.len(), 2);
}

#[test]
fn a_refused_filter_leaves_the_last_valid_one() {
    let mut list = loaded(1_000);
    list.try_filter("verdict:");
    list.wants(false);
    list.refuse_filter();
    assert_eq!(list.filter_in_force(), "");
    assert_eq!(list.rows.len(), PAGE as usize);
    assert_eq!(list.wants(false), None);
}

#[test]
fn rows_that_changed_are_read_anew_where_the_list_follows() {
    let mut list = loaded(1_000);
    assert_eq!((list.follow, list.wants(true)), (true, None));
    list.changed();
    assert_eq!(list.wants(true), Some(Wanted::Newest));
    let mut list = loaded(1_000);
    list.step(-5, 0);
    list.changed();
    assert_eq!((list.follow, list.wants(true)), (false, None), "what is read stays in its place");
}

#[test]
fn marks_are_bounded() {
    let mut list = loaded(1_000);
    list.marks = (0..MARKS).map(|n| format!("x{n}")).collect();
    list.toggle_mark(0);
    assert_eq!(list.marks.len(), MARKS);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_loses_the_selection_or_the_bounds(
        steps in prop::collection::vec((0u8..12, 0u64..300), 1..120),
        height in 1usize..40,
    ) {
        let mut list: List<Row> = List::default();
        list.resize(height);
        let mut newest = 500;
        for (step, amount) in steps {
            match step {
                0 => list.step(-1, 0),
                1 => list.step(1, 0),
                2 => list.step(-isize::try_from(amount).unwrap(), 0),
                3 => list.step(isize::try_from(amount).unwrap(), 0),
                4 => {
                    newest += amount;
                    let last = (amount > 0).then(|| format!("{:08}", newest - 1));
                    list.arrived(amount, last.as_deref());
                }
                9 => list.moved([format!("{:08}", newest.saturating_sub(amount))].iter()),
                10 => list.lost(),
                11 => list.join(Row(format!("{:08}", newest.saturating_sub(amount)))),
                5 => list.to_newest(amount % 2 == 0, 0),
                6 => list.to_top(0),
                7 => list.toggle_mark(0),
                _ => { serve(&mut list, newest, amount % 2 == 0); }
            }
            prop_assert!(list.rows.len() <= WINDOW);
            prop_assert!(list.rows.iter().map(Item::id).is_sorted());
            if let Some(at) = list.position() {
                prop_assert!(at >= list.top && at < list.top + list.page(), "row {at} top {}", list.top);
            }
            prop_assert!(list.visible().count() <= height);
            prop_assert!(list.held.len() <= WINDOW && list.held.iter().map(Item::id).is_sorted());
            prop_assert!(list.held.front().is_none_or(|held| list.rows.back().is_none_or(|row| row.0 < held.0)));
        }
    }
}

#[test]
fn the_first_is_the_first_of_the_store_and_the_way_back_is_read_page_by_page() {
    let mut list = loaded(5_000);
    list.to_top(1);
    assert_eq!(serve(&mut list, 5_000, false), Some(Wanted::Oldest));
    assert_eq!(list.selected.as_deref(), Some("00000000"));
    assert!(!list.is_whole() && !list.follow);
    for _ in 0..4_999 {
        list.step(1, 2);
        while serve(&mut list, 5_000, false).is_some() {}
    }
    assert_eq!(list.selected.as_deref(), Some("00004999"));
    assert!(list.rows.len() <= WINDOW);
}

#[test]
fn a_first_page_that_found_nothing_yet_goes_on() {
    let mut list = loaded(5_000);
    list.to_top(1);
    assert_eq!(list.wants(false), Some(Wanted::Oldest));
    assert!(list.install(Wanted::Oldest, list.epoch, Vec::new(), Some("00000900".to_owned())));
    assert_eq!(list.wants(false), Some(Wanted::Newer));
    assert_eq!(list.newer_from(), Some("00000900"));
    assert!(list.install(Wanted::Newer, list.epoch, rows(950, 960), None));
    assert_eq!(list.selected.as_deref(), Some("00000950"));
}

#[test]
fn a_row_that_moves_again_did_not_arrive_again() {
    let mut list = loaded(1_000);
    list.step(-1, 1);
    let ids: Vec<String> = rows(990, 1_003).into_iter().map(|row| row.0).collect();
    for _ in 0..5 {
        list.moved(ids.iter());
    }
    assert_eq!(list.below, 3);
    list.moved([&"00001003".to_owned()].into_iter());
    assert_eq!(list.below, 4);
}

#[test]
fn what_was_read_below_the_view_before_anybody_told_of_it_is_counted_once() {
    let mut list = loaded(1_000);
    // Three come while it follows; the person stops before their page is there.
    let ids = |from, to| rows(from, to).into_iter().map(|row| row.0).collect::<Vec<_>>();
    list.moved(ids(1_000, 1_003).iter());
    assert_eq!(list.wants(true), Some(Wanted::Newer));
    list.step(-1, 7);
    assert_eq!(list.below, 3, "they are not on the screen");
    let page = rows(1_000, 1_005);
    assert!(list.install(Wanted::Newer, list.epoch, page, None));
    assert_eq!((list.below, list.rows.len()), (5, PAGE as usize), "two more came in their page");
    // What is told of afterwards is no other row.
    list.moved(ids(1_001, 1_005).iter());
    list.arrived(2, Some("00001004"));
    assert_eq!(list.below, 5);
    list.moved(ids(990, 1_006).iter());
    assert_eq!(list.below, 6);
    list.step(1, 8);
    list.step(1, 8);
    assert_eq!((list.below, list.selected.as_deref()), (5, Some("00001000")));
    list.to_newest(true, 9);
    assert_eq!(serve(&mut list, 1_006, false), Some(Wanted::Newest));
    assert_eq!((list.below, list.selected.as_deref()), (0, Some("00001005")));
}

#[test]
fn rows_that_come_between_a_question_and_its_answer_are_counted() {
    let mut list = loaded(1_000);
    list.step(-1, 1);
    list.moved(rows(1_000, 1_004).iter().map(|row| &row.0));
    list.to_newest(false, 2);
    let wanted = list.wants(false).unwrap();
    list.moved(rows(1_004, 1_006).iter().map(|row| &row.0));
    assert_eq!(list.below, 6);
    assert!(list.install(wanted, list.epoch, rows(804, 1_004), Some("00000804".to_owned())));
    assert_eq!(list.below, 2);
    list.lost();
    assert_eq!(serve(&mut list, 1_009, false), Some(Wanted::Newer));
    assert_eq!(list.below, 5, "what nobody told of is read");
}

#[test]
fn far_from_the_newest_an_old_row_that_moves_is_not_new() {
    let mut list = loaded(5_000);
    list.to_top(1);
    serve(&mut list, 5_000, false);
    list.moved(rows(2_000, 2_005).iter().map(|row| &row.0));
    assert_eq!(list.below, 0);
    list.moved(rows(4_998, 5_002).iter().map(|row| &row.0));
    assert_eq!(list.below, 2);
}

#[test]
fn a_row_that_changes_and_matches_takes_its_place_and_nothing_moves_under_the_cursor() {
    let mut list = loaded(1_000);
    list.try_filter("rare");
    let some = |ids: &[u64]| ids.iter().map(|n| Row(format!("{n:08}"))).collect::<Vec<_>>();
    part(&mut list, some(&[700, 800, 900]), Some("00000500"), Some(40));
    list.step(-1, 1);
    assert_eq!((list.selected.as_deref(), list.top), (Some("00000800"), 0));
    list.moved(some(&[400, 600, 750, 800, 950, 9_999]).iter().map(|row| &row.0));
    assert!(list.has_changed());
    let asked = list.changed_ones(256);
    assert_eq!(asked, ["00009999", "00000950", "00000750", "00000600", "00000400"], "what is held is known");
    assert!(list.changed_ones(256).is_empty() && !list.has_changed());
    // The next part is under way: 400 lies in it, and was perhaps read before it changed.
    assert_eq!(list.wants(false), Some(Wanted::Older));
    for row in some(&[400, 600, 750, 800, 950]) {
        list.join(row);
    }
    let held = |list: &List<Row>| list.rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
    assert_eq!(held(&list), ["00000600", "00000700", "00000750", "00000800", "00000900"]);
    assert_eq!((list.selected.as_deref(), list.below), (Some("00000800"), 1), "950 is below");
    let epoch = list.epoch;
    assert!(list.install(Wanted::Older, epoch, Vec::new(), Some("00000300".to_owned())));
    assert_eq!(held(&list)[0], "00000400");
    // Not looked at yet: its page brings it.
    list.join(Row("00000200".to_owned()));
    assert_eq!(held(&list)[0], "00000400");
    list.join(Row("00000950".to_owned()));
    assert_eq!((list.below, list.held.len()), (1, 1), "once");
    // Without a filter nothing is asked: all rows match.
    list.toggle_filter();
    list.moved(some(&[5]).iter().map(|row| &row.0));
    assert!(list.changed_ones(256).is_empty());
}

/// A page that ended because its time was up: these rows, where it goes on, how far it came.
fn part(list: &mut List<Row>, rows: Vec<Row>, next: Option<&str>, percent: Option<u8>) -> Wanted {
    let wanted = list.wants(false).expect("another part is wanted");
    let epoch = list.asked.unwrap().1;
    assert!(list.install(wanted, epoch, rows, next.map(str::to_owned)));
    list.came(wanted, percent, Some("00009999".to_owned()));
    wanted
}

#[test]
fn a_search_goes_on_by_itself_until_a_person_stops_it_and_keeps_what_it_found() {
    let mut list = loaded(1_000);
    list.try_filter("word");
    assert_eq!(part(&mut list, Vec::new(), Some("00000900"), Some(10)), Wanted::Newest);
    assert_eq!((list.filter.as_str(), list.hunting()), ("word", Some(10)));
    assert_eq!(part(&mut list, rows(850, 851), Some("00000800"), Some(20)), Wanted::Older);
    assert_eq!((list.hunting(), list.selected.as_deref()), (Some(20), Some("00000850")));
    // The next part is under way when it is stopped: its answer is not waited for.
    assert_eq!(list.wants(false), Some(Wanted::Older));
    let epoch = list.asked.unwrap().1;
    assert!(list.stop_hunt() && !list.stop_hunt(), "once");
    assert!(!list.install(Wanted::Older, epoch, rows(750, 751), None), "an answer to an older question");
    assert_eq!((list.hunting(), list.hunt_stopped(), list.rows.len()), (None, Some(20), 1));
    assert_eq!(list.wants(false), None, "it stays stopped");
    // What arrives is taken in, from behind what was looked at.
    list.arrived(3, None);
    assert_eq!(list.wants(true), Some(Wanted::Newer));
    assert_eq!(list.newer_from(), Some("00009999"));
    let epoch = list.asked.unwrap().1;
    assert!(list.install(Wanted::Newer, epoch, Vec::new(), None));
    list.came(Wanted::Newer, None, Some("00010002".to_owned()));
    assert_eq!((list.newer_from(), list.hunt_stopped()), (Some("00010002"), Some(20)));
    // Up past the first row goes on where it was stopped, to the end.
    list.step(-1, 0);
    assert_eq!((list.hunting(), list.older.as_deref()), (Some(20), Some("00000800")));
    assert_eq!(part(&mut list, rows(3, 4), None, None), Wanted::Older);
    assert_eq!((list.hunting(), list.hunt_stopped(), list.rows.len()), (None, None, 2));
    assert!(list.wants(false).is_none() && !list.stop_hunt());
}

#[test]
fn what_arrives_does_not_begin_a_search_anew_and_another_filter_does() {
    let mut list = loaded(1_000);
    list.try_filter("rare");
    part(&mut list, Vec::new(), Some("00000900"), Some(10));
    list.arrived(u64::from(PAGE) + 1, None);
    assert_eq!(list.wants(true), Some(Wanted::Newer), "not the newest page again, however many came");
    let epoch = list.asked.unwrap().1;
    list.install(Wanted::Newer, epoch, Vec::new(), Some("00010100".to_owned()));
    list.came(Wanted::Newer, Some(50), Some("00010300".to_owned()));
    assert_eq!((list.hunting(), list.newer_from()), (Some(10), Some("00010100")), "as far as it was read");
    list.try_filter("other");
    assert_eq!((list.hunting(), list.wants(false)), (None, Some(Wanted::Newest)));
    // A full page is no search.
    let epoch = list.asked.unwrap().1;
    list.install(Wanted::Newest, epoch, rows(800, 1_000), Some("00000800".to_owned()));
    list.came(Wanted::Newest, None, None);
    assert!(list.hunting().is_none() && !list.is_sparse());
}
