//! Targets and passes, without a runner.

use super::*;
use crate::rules::breaker::{MOST, PAUSE, ROW};

const NOW: Ms = 1_795_008_715_120;

fn target(port: u16) -> Arc<Target> {
    Arc::new(Target { host: "a.example".to_owned(), port, secret: false })
}

fn all(hosts: &Hosts, target: &Arc<Target>) -> Vec<Pass> {
    std::iter::from_fn(|| hosts.enter(target, Comer::Waiting, NOW).ok()).collect()
}

/// Answers until the target takes no more at once.
fn widen(hosts: &Hosts, target: &Arc<Target>) -> usize {
    let mut most = 0;
    loop {
        let passes = all(hosts, target);
        if passes.len() <= most {
            return most;
        }
        most = passes.len();
        for pass in passes {
            pass.end(Heard::Answer, NOW, 0.0);
        }
    }
}

#[test]
fn one_target_takes_half_of_the_slots_and_never_more_than_its_most() {
    for (slots, most) in [(1, 1), (2, 1), (3, 2), (64, 32), (512, 256), (4_096, 256)] {
        assert_eq!(widen(&Hosts::new(slots), &target(1)), most, "{slots} slots");
    }
    assert_eq!(MOST, 256);
}

#[test]
fn slow_ones_share_and_leave_room_for_another() {
    let hosts = Hosts::new(512);
    let slow: Vec<_> = (1..=9).map(target).collect();
    assert!(slow.iter().all(|one| widen(&hosts, one) > 200));
    // They fill up one after the other, and give nothing back.
    let held: Vec<_> = slow.iter().map(|one| all(&hosts, one)).collect();
    assert!(held.iter().all(|passes| !passes.is_empty()));
    assert!(hosts.enter(&target(99), Comer::Newborn, NOW).is_ok());
    let busy: usize = held.iter().map(Vec::len).sum();
    assert!(busy < 512, "{busy}");
}

#[test]
fn a_dead_target_gets_ten_passes_and_then_one_at_a_time() {
    let hosts = Hosts::new(512);
    let (dead, live) = (target(1), target(2));
    let passes = all(&hosts, &dead);
    assert_eq!(passes.len(), ROW as usize);
    assert_eq!(hosts.enter(&dead, Comer::Fresh, NOW).err(), Some(Refused::Full));
    let told: Vec<bool> = passes.into_iter().map(|pass| pass.end(Heard::Failure, NOW, 0.0)).collect();
    assert_eq!(told.iter().filter(|told| **told).count(), 1);
    assert_eq!(hosts.enter(&dead, Comer::Fresh, NOW).err(), Some(Refused::Open));
    hosts.lined(&dead, NOW);
    assert_eq!(hosts.enter(&dead, Comer::Fresh, NOW).err(), Some(Refused::Open), "it waits there, too");
    hosts.lines(|_| false);
    assert!(hosts.enter(&live, Comer::Newborn, NOW).is_ok());
    let view = hosts.breaker(&dead).unwrap();
    assert_eq!((view.target.as_str(), view.failures, view.next), ("a.example:1", ROW, Some(NOW + PAUSE)));
    assert_eq!(hosts.next_try(NOW), Some(NOW + PAUSE));
    let later = NOW + PAUSE;
    let tries = hosts.enter(&dead, Comer::Waiting, later).unwrap();
    assert!(hosts.enter(&dead, Comer::Waiting, later).is_err());
    assert_eq!(hosts.breaker(&dead).unwrap().next, None);
    let all = hosts.breakers();
    assert_eq!((all.closed, all.waiting, all.probing, all.openings), (1, 0, 1, 1));
    assert!(tries.end(Heard::Answer, later, 0.0));
    assert_eq!(hosts.breaker(&dead), None);
    let events = hosts.events_after(0);
    assert_eq!(events.iter().map(|event| event.opened).collect::<Vec<_>>(), [true, false]);
    assert_eq!((events[1].breaker.since, events[1].breaker.failures, events[1].at), (NOW, ROW, later));
    assert_eq!(hosts.events_after(events[0].seq), events[1..]);
}

#[test]
fn who_waits_goes_before_who_comes() {
    let hosts = Hosts::new(512);
    let target = target(1);
    let mut held = all(&hosts, &target);
    drop(held.pop());
    assert!(hosts.enter(&target, Comer::Newborn, NOW).is_err(), "somebody was refused a moment ago");
    assert!(hosts.enter(&target, Comer::Newborn, NOW + WANTED).is_ok());
    hosts.lined(&target, NOW);
    assert!(hosts.enter(&target, Comer::Fresh, NOW + 2 * WANTED).is_err());
    assert!(hosts.enter(&target, Comer::Waiting, NOW + 2 * WANTED).is_ok());
    hosts.lines(|tag| tag != target.tag());
    assert!(hosts.enter(&target, Comer::Fresh, NOW + 2 * WANTED).is_ok());
}

#[tokio::test]
async fn who_was_refused_is_woken_when_an_exchange_ends() {
    let hosts = Hosts::new(512);
    let target = target(1);
    let mut held = all(&hosts, &target);
    held.pop().unwrap().end(Heard::Answer, NOW, 0.0);
    let soon = std::time::Duration::from_secs(10);
    tokio::time::timeout(soon, hosts.freed()).await.unwrap();
    tokio::time::timeout(soon, hosts.line_freed()).await.unwrap();
}

#[test]
fn so_many_targets_are_known_and_no_more() {
    let hosts = Hosts::new(512);
    let one = |n: usize| Arc::new(Target { host: format!("h{n}.example"), port: 443, secret: false });
    let busy = hosts.enter(&one(0), Comer::Newborn, NOW).unwrap();
    let dead = one(1);
    for _ in 0..ROW {
        hosts.enter(&dead, Comer::Waiting, NOW).unwrap().end(Heard::Failure, NOW, 0.0);
    }
    for n in 2..3 * HOSTS {
        let pass = hosts.enter(&one(n), Comer::Newborn, NOW + 1).unwrap();
        pass.end(Heard::Failure, NOW + 1, 0.0);
        assert!(hosts.len() <= HOSTS);
    }
    assert!(hosts.breaker(&dead).is_some(), "an open one is kept before others");
    assert!(hosts.table().hosts.contains_key(&one(0)), "one with an exchange under way is kept");
    drop(busy);
    // What is as if it were not known goes all at once.
    let much_later = NOW + 3_600_000;
    for n in 0..HOSTS {
        let pass = hosts.enter(&one(10 * HOSTS + n), Comer::Newborn, much_later).unwrap();
        pass.end(Heard::Answer, much_later, 0.0);
    }
    assert!(hosts.len() <= HOSTS);
}

#[test]
fn a_secret_target_is_shown_to_nobody() {
    let hosts = Hosts::new(512);
    let target = Arc::new(Target { host: "s3cret.example".to_owned(), port: 8443, secret: true });
    for _ in 0..ROW {
        hosts.enter(&target, Comer::Waiting, NOW).unwrap().end(Heard::Failure, NOW, 0.0);
    }
    let shown = format!("{:?} {:?}", hosts.breakers(), hosts.events_after(0));
    assert!(!shown.contains("s3cret") && !shown.contains("8443"), "{shown}");
}

#[test]
fn a_target_whose_line_an_earlier_process_left_is_tried_by_one_first() {
    let hosts = Hosts::new(512);
    let (left, other) = (target(1), target(2));
    hosts.inherit([left.tag()]);
    assert!(hosts.enter(&left, Comer::Newborn, NOW).is_err(), "others wait already");
    let tries = hosts.enter(&left, Comer::Waiting, NOW).unwrap();
    assert_eq!(hosts.enter(&left, Comer::Waiting, NOW).err(), Some(Refused::Open));
    assert!(hosts.enter(&other, Comer::Newborn, NOW).is_ok());
    assert!(!tries.end(Heard::Failure, NOW, 0.0), "it was open before");
    assert!(
        hosts.enter(&left, Comer::Waiting, NOW).is_err(),
        "it is dead still: after a pause one tries again"
    );
    let tries = hosts.enter(&left, Comer::Waiting, NOW + PAUSE).unwrap();
    assert!(tries.end(Heard::Answer, NOW + PAUSE, 0.0));
    hosts.lines(|_| false);
    assert!(hosts.enter(&left, Comer::Newborn, NOW + PAUSE).is_ok());
}
