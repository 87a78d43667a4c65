//! What the store is given by whoever opens it: what opens secrets, and the operator's connections.

use crate::model::credential::Opener;
use crate::model::document::Connection;
use std::sync::Arc;

/// What the store has not itself.
#[derive(Clone, Default)]
pub struct Equipment {
    /// Opens values of secret variables; without one they have no value.
    pub opener: Option<Arc<dyn Opener>>,
    /// The operator's connections, named `global/NAME`.
    pub connections: Arc<[Connection]>,
}

impl std::fmt::Debug for Equipment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.connections.iter().map(|connection| &connection.name);
        f.debug_struct("Equipment").field("connections", &names.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
