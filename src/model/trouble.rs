//! What is wrong with a store that takes nothing: what, since when, and what to do.

use super::Ms;
use serde::{Deserialize, Serialize};

/// A store that takes nothing: every sender is answered 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreTrouble {
    /// Of what kind it is.
    pub kind: TroubleKind,
    /// In a few words: `the disk is full`.
    pub why: String,
    /// Since when, in ms since 1970.
    pub since: Ms,
    /// The folder that the store is in.
    pub folder: String,
}

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// The disk is full, or has less free space than it is to keep.
    Full,
    /// The file cannot be written.
    ReadOnly,
    /// Its dedup ledger is being read.
    Starting,
    /// The last commit failed for another reason.
    Failing,
}

impl TroubleKind {
    /// As the first row says it: `FULL`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::ReadOnly => "read-only",
            Self::Starting => "starting",
            Self::Failing => "FAILING",
        }
    }
}

impl StoreTrouble {
    /// What happened: `The disk is full`.
    #[must_use]
    pub fn what(&self) -> String {
        match self.kind {
            TroubleKind::Full => "The disk is full".to_owned(),
            TroubleKind::ReadOnly => "The store cannot be written".to_owned(),
            TroubleKind::Starting => "The store is starting".to_owned(),
            TroubleKind::Failing => {
                let mut letters = self.why.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
        }
    }

    /// What to do, with a name for the folder: `Free space in /data; it goes on by itself.`
    #[must_use]
    pub fn remedy(&self, folder: &str) -> String {
        match self.kind {
            TroubleKind::Full => format!("Free space in {folder}; it goes on by itself."),
            TroubleKind::ReadOnly => format!("Make {folder} writable; it goes on by itself."),
            TroubleKind::Starting => "Its dedup ledger is being read; it goes on by itself.".to_owned(),
            TroubleKind::Failing => {
                format!("It is tried again every 5 s; pointsman doctor looks into {folder}.")
            }
        }
    }

    /// All of it, in two sentences.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "{}: new requests are answered 503 and not accepted. {}",
            self.what(),
            self.remedy(&self.folder)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_happened_and_what_to_do() {
        let mut trouble = StoreTrouble {
            kind: TroubleKind::Full,
            why: "the disk is low on free space".to_owned(),
            since: 7,
            folder: "/var/lib/pointsman".to_owned(),
        };
        assert_eq!(
            trouble.sentence(),
            "The disk is full: new requests are answered 503 and not accepted. Free space in \
             /var/lib/pointsman; it goes on by itself."
        );
        trouble.kind = TroubleKind::Failing;
        trouble.why = "another program holds a lock on the store's file".to_owned();
        assert!(
            trouble.sentence().starts_with("Another program holds a lock on the store's file: new requests")
        );
        let text = serde_json::to_string(&trouble).unwrap();
        assert_eq!(serde_json::from_str::<StoreTrouble>(&text).unwrap(), trouble);
    }
}
