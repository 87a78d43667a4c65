//! Files beside the loop: what was chosen is kept, themes are read again. A disk that does not answer
//! holds up this thread, and never the one that draws.

use super::kept::Kept;
use super::picks::{self, Change};
use super::tape::{self, Ended};
use super::themes::Themes;
use serde_json::Value;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// Orders that may wait; more are refused.
const QUEUE: usize = 64;
/// How long the end waits for what is still to be written.
const END: Duration = Duration::from_secs(2);

/// Where things are.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Where choices are kept; nowhere where there is none.
    pub kept: Option<PathBuf>,
    /// Where a person's own themes are, the first that counts first.
    pub themes: Vec<PathBuf>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Keep this value under this name.
    Keep(String, Value),
    /// Keep this change of pins, views and filters in this file.
    Pick(PathBuf, Change),
    /// Read the themes again.
    Themes,
    /// Make a file to record into.
    Open(String),
}

/// What came of it.
#[derive(Debug)]
pub enum News {
    /// The themes as they are now.
    Themes(Themes),
    /// A new file to record into; else why there is none.
    Opened(Result<(File, PathBuf), String>),
    /// A recording ended.
    Recorded(Ended),
    /// Something went wrong, in a sentence.
    Trouble(String),
}

/// The thread, and both ends of what is said with it.
#[derive(Debug)]
pub struct Aside {
    orders: Option<SyncSender<Order>>,
    told: mpsc::UnboundedSender<News>,
    news: mpsc::UnboundedReceiver<News>,
    ended: Receiver<()>,
}

impl Aside {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(places: Places) -> io::Result<Self> {
        let (orders, todo) = sync_channel(QUEUE);
        // An order has one piece of news at most, and orders are bounded.
        let (told, news) = mpsc::unbounded_channel();
        let (end, ended) = sync_channel::<()>(0);
        let teller = told.clone();
        thread::Builder::new().name("files".to_owned()).spawn(move || {
            let _until_here = end;
            for order in todo {
                let news = match order {
                    Order::Keep(name, value) => keep(&places, &name, value),
                    Order::Pick(file, change) => pick(&file, &change),
                    Order::Themes => Some(News::Themes(Themes::read(&places.themes))),
                    Order::Open(path) => {
                        Some(News::Opened(tape::open(&path).map_err(|error| tape::refused(&path, &error))))
                    }
                };
                if let Some(news) = news {
                    // Nobody hears it once the console is gone.
                    let _ = told.send(news);
                }
            }
        })?;
        Ok(Self { orders: Some(orders), told: teller, news, ended })
    }

    /// Orders something; whether there was room for it.
    pub fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// Where others tell what the loop shall hear.
    pub fn teller(&self) -> mpsc::UnboundedSender<News> {
        self.told.clone()
    }

    /// What came of an order.
    pub async fn news(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Aside {
    /// What was ordered is done, where the disk answers in time.
    fn drop(&mut self) {
        self.orders = None;
        // Past its time the process ends, and takes the thread with it.
        let _ = self.ended.recv_timeout(END);
    }
}

fn keep(places: &Places, name: &str, value: Value) -> Option<News> {
    let file = places.kept.as_ref()?;
    let error = Kept::write(file, name, value).err()?;
    Some(News::Trouble(format!("{name} is not kept: {} cannot be written: {error}", file.display())))
}

fn pick(file: &Path, change: &Change) -> Option<News> {
    let error = picks::file::change(file, change).err()?;
    Some(News::Trouble(format!("it is not kept for the next time: {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn what_was_ordered_is_done_by_the_end_and_trouble_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("console.json");
        let places = Places { kept: Some(file.clone()), themes: vec![folder.path().join("themes")] };
        let mut aside = Aside::start(places.clone()).unwrap();
        for n in 0..10 {
            assert!(aside.order(Order::Keep("theme".to_owned(), json!(n))));
        }
        assert!(aside.order(Order::Themes));
        assert!(matches!(aside.news().await, News::Themes(themes) if themes == Themes::default()));
        drop(aside);
        assert_eq!(Kept::read(&file).get::<u64>("theme"), Some(9));
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let mut aside = Aside::start(places).unwrap();
        aside.order(Order::Keep("theme".to_owned(), json!(1)));
        let News::Trouble(told) = aside.news().await else { panic!("no trouble") };
        assert!(
            told.starts_with("theme is not kept: ") && told.contains("console.json cannot be written"),
            "{told}"
        );
    }

    #[test]
    fn past_its_bound_an_order_is_refused() {
        let (orders, todo) = sync_channel(QUEUE);
        let (end, ended) = sync_channel(0);
        let (told, news) = mpsc::unbounded_channel();
        let aside = Aside { orders: Some(orders), told, news, ended };
        for _ in 0..QUEUE {
            assert!(aside.order(Order::Themes));
        }
        assert!(!aside.order(Order::Themes));
        drop((todo, end));
    }
}
