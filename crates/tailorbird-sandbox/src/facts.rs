//! What the sandbox itself knows, for a program that checks its own work against it.

use std::collections::BTreeSet;

use crate::Running;

/// What the sandbox ever accepted, and what it holds for the main account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Ids of all posts that API callers ever made, deleted ones too.
    pub accepted: Vec<u64>,
    /// How many posts were refused as duplicates.
    pub refused_duplicates: u64,
    /// Ids of the posts that mention the main account and still exist.
    pub mentions: BTreeSet<u64>,
    /// Ids of the main account's own posts that still exist.
    pub own_posts: BTreeSet<u64>,
}

impl Running {
    /// What the sandbox knows now, read from its state and not over its API.
    pub fn facts(&self) -> Facts {
        self.shared.store.read(|state| {
            let main = state
                .account_by_username
                .get(self.account().0)
                .copied()
                .unwrap_or_default();
            let living = |ids: Option<&BTreeSet<u64>>| {
                let exists = |id: &u64| state.posts.get(id).is_some_and(|post| post.deleted_at.is_none());
                ids.into_iter().flatten().copied().filter(exists).collect()
            };
            Facts {
                accepted: state
                    .posts
                    .values()
                    .filter(|post| post.application.is_some())
                    .map(|post| post.id)
                    .collect(),
                refused_duplicates: state.refused_duplicates,
                mentions: living(state.posts_mentioning.get(&main)),
                own_posts: living(state.posts_by_author.get(&main)),
            }
        })
    }
}
