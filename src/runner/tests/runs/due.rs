//! Runs that are due at once.

use super::*;

#[tokio::test]
async fn runs_whose_delays_end_together_go_on_in_place() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", "{}"))).await;
    let mut rig = Rig::new(Clock::system());
    let pause = "[[flow.step]]\nname = \"pause\"\ntype = \"delay\"\nfor = \"1s\"\n";
    rig.deploy(&format!("{pause}{}", put("push", &target, ""))).await;
    rig.start();
    let mut runs = Vec::new();
    // More than one look reads.
    for _ in 0..130 {
        runs.push(rig.accept("{}", false).await);
    }
    let mut in_place = 0;
    for run in &runs {
        rig.until(*run, RunState::Succeeded).await;
        // Its claim, the end of its delay, its answer; one that was queued has a claim more.
        in_place += usize::from(rig.store.load(*run).await.unwrap().unwrap().run.seq == 3);
    }
    assert_eq!(target.seen().len(), runs.len());
    assert!(in_place >= 10, "as many as a target that is not known takes at once: {in_place}");
    // A page of runs ends with the one that fills it.
    let big = format!("\"{}\"", "x".repeat(3 << 20));
    let big = [rig.accept(&big, false).await, rig.accept(&big, false).await, rig.accept("{}", false).await];
    assert_eq!(rig.store.load_page(big.to_vec()).await.unwrap().len(), 2, "4 MiB of bodies");
    for run in big {
        rig.until(run, RunState::Succeeded).await;
    }
    rig.stop().await;
}
