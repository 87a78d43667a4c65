//! The socket from outside of the crate: a store, a desk and a server in this process, and a client
//! that has nothing but the folder.

use pointsman::api::{Client, SOCKET};
use pointsman::desk::{Deps, Desk};
use pointsman::feed::{Feed, Stats};
use pointsman::model::ask::{Answer, Apply, Ask, Who};
use pointsman::model::settings::{Limits, Settings};
use pointsman::session::{Incoming, Link, remote};
use pointsman::store::clock::Clock;
use pointsman::store::{Options, Store};
use pointsman::vault::Vault;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);
const DOCUMENT: &str = "name = \"inbox\"\n[[flow]]\nname = \"In\"\n[flow.trigger]\ntype = \"webhook\"\nauth = { type = \"none\" }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_reaches_the_desk_through_the_folder_alone() {
    fn desk(folder: &Path) -> (Desk, Store) {
        let feed = Feed::default();
        let public_url = "http://127.0.0.1:7700".to_owned();
        let (limits, clock) = (Limits::default(), Clock::system());
        let options =
            Options { limits: limits.clone(), feed: feed.clone(), public_url: public_url.clone(), clock };
        let (store, _) = Store::open(folder, options).unwrap();
        let settings = Settings {
            data: folder.to_path_buf(),
            listen: "127.0.0.1:7700".parse().unwrap(),
            public_url,
            public_url_given: false,
            read_only: false,
            limits,
            allow_networks: None,
            inbound: pointsman::model::gate::Inbound::default(),
            connections: pointsman::model::settings::Globals::default(),
        };
        let deps = Deps {
            store: store.clone(),
            vault: Vault::open(folder).unwrap(),
            stats: Arc::new(Stats::default()),
            feed,
            settings: Arc::new(settings),
            hosts: pointsman::scheduler::Hosts::new(0),
        };
        (Desk::new(deps), store)
    }

    let folder = tempfile::tempdir().unwrap();
    let (desk, store) = desk(folder.path());
    assert!(Client::connect(folder.path()).is_none(), "nobody answers yet");
    let stop = CancellationToken::new();
    let served = {
        let (folder, stop) = (folder.path().to_path_buf(), stop.clone());
        tokio::spawn(async move { pointsman::api::serve(&folder, desk, stop).await })
    };
    let begun = Instant::now();
    let client = loop {
        if let Some(client) = Client::connect(folder.path()) {
            break client;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let who = Who::local("anna", "command line");
    let mut session = remote(client.clone(), who.clone());
    let apply = Apply { files: vec![("inbox.toml".into(), DOCUMENT.into())], ..Apply::default() };
    let Answer::Done(done) = client.ask(&who, &Ask::Apply(apply)).await.unwrap() else { panic!("not done") };
    assert!(!done.refused, "{done:?}");
    let mut live = false;
    let told = async {
        while let Some(incoming) = session.inbox.recv().await {
            match incoming {
                Incoming::Link(Link::Live) => live = true,
                Incoming::Changed(changes)
                    if changes.counters.as_ref().is_some_and(|counters| counters.integrations == 1) =>
                {
                    return;
                }
                _ => {}
            }
        }
        panic!("the session ended");
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the console is never told");
    assert!(live);
    let Answer::Endpoints { endpoints } = client.ask(&who, &Ask::Endpoints).await.unwrap() else {
        panic!("no endpoints")
    };
    assert_eq!(endpoints[0].flow, "In");
    let metrics = client.metrics().await.unwrap();
    assert!(metrics.contains("pointsman_store_ok 1"), "{metrics}");
    let readers = Who { read_only: true, ..who };
    let remove = Ask::Remove { name: "inbox".into(), reason: None, dry_run: false };
    let refusal = client.ask(&readers, &remove).await.unwrap_err();
    assert_eq!(refusal.message, "remove is not possible: this console is read-only (--read-only)");
    stop.cancel();
    tokio::time::timeout(PATIENCE, served).await.expect("it does not stop").unwrap().unwrap();
    assert!(!folder.path().join(SOCKET).exists());
    store.close().await;
}
