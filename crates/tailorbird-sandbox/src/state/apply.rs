//! How each event changes the state. Pure: no clock, no randomness, no failure; events about things that are
//! not there (which only a hand-edited file can hold) change nothing.

use std::collections::HashMap;

use super::{CredentialState, Event, Post, Revocation, State};

/// Temporary credentials kept, used and old ones included. Above it the oldest are forgotten, and a client
/// that still has one hears "unknown" where it would have heard "used" or "expired".
const TEMPORARY_KEPT: usize = 10_000;

impl State {
    /// Applies one event.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::AccountCreated(account) => {
                self.seen_id(account.id);
                self.account_by_username
                    .insert(account.username.to_lowercase(), account.id);
                self.accounts.insert(account.id, account);
            }
            Event::ProfileChanged { account, change } => {
                if let Some(account) = self.accounts.get_mut(&account) {
                    replace(&mut account.name, change.name);
                    replace(&mut account.description, change.description);
                    replace(&mut account.location, change.location);
                    replace(&mut account.website, change.website);
                }
            }
            Event::AccountSettingsChanged { account, settings } => {
                if let Some(account) = self.accounts.get_mut(&account) {
                    account.settings = settings;
                }
            }
            Event::Followed { follower, followed } => self.follow(follower, followed),
            Event::Unfollowed { follower, followed } => {
                if let Some(account) = self.accounts.get_mut(&follower) {
                    account.following.retain(|id| *id != followed);
                }
                if let Some(account) = self.accounts.get_mut(&followed) {
                    account.followers.retain(|id| *id != follower);
                }
            }
            Event::PostAccepted(post) => self.accept(post),
            Event::DuplicateRefused { .. } => {
                self.refused_duplicates = self.refused_duplicates.saturating_add(1);
            }
            Event::PostDeleted { id, at } => {
                if let Some(post) = self.posts.get_mut(&id) {
                    if post.deleted_at.is_none() {
                        step(&mut self.repost_counts, post.repost_of, u64::saturating_sub);
                        step(&mut self.quote_counts, post.quote_of, u64::saturating_sub);
                    }
                    post.deleted_at = Some(at);
                    if let Some(texts) = self.recent_texts.get_mut(&post.author)
                        && texts.get(&post.original_text) == Some(&id)
                    {
                        texts.remove(&post.original_text);
                    }
                }
            }
            Event::PostHidden { id, hidden } => {
                if let Some(post) = self.posts.get_mut(&id) {
                    post.hidden = hidden;
                }
            }
            Event::Liked { account, post } => {
                if self.likes.entry(account).or_default().insert(post) {
                    let count = self.like_counts.entry(post).or_default();
                    *count = count.saturating_add(1);
                }
            }
            Event::Unliked { account, post } => {
                if self.likes.entry(account).or_default().remove(&post) {
                    let count = self.like_counts.entry(post).or_default();
                    *count = count.saturating_sub(1);
                }
            }
            Event::DuplicateRule { refuse } => self.duplicates_allowed = !refuse,
            Event::ClockAdvanced { seconds } => {
                self.clock_offset_s = self.clock_offset_s.saturating_add(seconds);
            }
            Event::ApplicationCreated(_)
            | Event::ApplicationChanged { .. }
            | Event::KeysRegenerated { .. }
            | Event::ApplicationDeleted { .. }
            | Event::TemporaryCredentialsIssued(_)
            | Event::ConsentGiven { .. }
            | Event::ConsentDenied { .. }
            | Event::VerifierRefused { .. }
            | Event::TokenIssued { .. }
            | Event::TokenRevoked { .. } => self.apply_access(event),
            Event::MessageSent(_)
            | Event::MessageDeleted { .. }
            | Event::MediaStarted(_)
            | Event::MediaAppended { .. }
            | Event::MediaFinalized { .. }
            | Event::MediaDescribed { .. }
            | Event::ListCreated(_)
            | Event::ListChanged { .. }
            | Event::ListDeleted { .. }
            | Event::ListMemberAdded { .. }
            | Event::ListMemberRemoved { .. } => self.apply_content(event),
        }
    }

    /// Applications, temporary credentials, tokens.
    fn apply_access(&mut self, event: Event) {
        match event {
            Event::ApplicationCreated(application) => {
                self.seen_id(application.id);
                self.application_by_key
                    .insert(application.client_key.clone(), application.id);
                self.applications.insert(application.id, application);
            }
            Event::ApplicationChanged { id, change } => {
                if let Some(application) = self.applications.get_mut(&id) {
                    replace(&mut application.name, change.name);
                    replace(&mut application.description, change.description);
                    replace(&mut application.website, change.website);
                    replace(&mut application.level, change.level);
                    replace(&mut application.callbacks, change.callbacks);
                }
            }
            Event::KeysRegenerated {
                id,
                client_key,
                client_secret,
            } => {
                if let Some(application) = self.applications.get_mut(&id) {
                    let old = std::mem::replace(&mut application.client_key, client_key.clone());
                    application.client_secret = client_secret;
                    application.own_token = None;
                    self.application_by_key.remove(&old);
                    self.application_by_key.insert(client_key, id);
                    self.void_all_of(&old, Revocation::KeysRegenerated);
                }
            }
            Event::ApplicationDeleted { id } => {
                if let Some(application) = self.applications.remove(&id) {
                    self.application_by_key.remove(&application.client_key);
                    self.void_all_of(&application.client_key, Revocation::ApplicationDeleted);
                }
            }
            Event::TemporaryCredentialsIssued(credentials) => {
                self.temporary_order.push_back(credentials.token.clone());
                self.temporary.insert(credentials.token.clone(), credentials);
                while self.temporary_order.len() > TEMPORARY_KEPT {
                    if let Some(oldest) = self.temporary_order.pop_front() {
                        self.temporary.remove(&oldest);
                    }
                }
            }
            Event::ConsentGiven {
                token,
                account,
                verifier,
                level,
            } => {
                if let Some(credentials) = self.temporary.get_mut(&token) {
                    credentials.state = CredentialState::Approved {
                        account,
                        verifier,
                        level,
                    };
                }
            }
            Event::ConsentDenied { token } => {
                if let Some(credentials) = self.temporary.get_mut(&token) {
                    credentials.state = CredentialState::Denied;
                }
            }
            Event::VerifierRefused { token } => {
                if let Some(credentials) = self.temporary.get_mut(&token) {
                    credentials.wrong_verifiers = credentials.wrong_verifiers.saturating_add(1);
                }
            }
            Event::TokenIssued {
                temporary,
                credentials,
            } => {
                if let Some(used) = temporary.as_ref().and_then(|token| self.temporary.get_mut(token)) {
                    used.state = CredentialState::Used;
                } else if let Some(application) = self
                    .application_by_key
                    .get(&credentials.client_key)
                    .and_then(|id| self.applications.get_mut(id))
                {
                    application.own_token = Some(credentials.token.clone());
                }
                self.tokens.insert(credentials.token.clone(), credentials);
            }
            Event::TokenRevoked { token, why } => {
                if let Some(credentials) = self.tokens.get_mut(&token) {
                    credentials.revoked.get_or_insert(why);
                    if let Some(application) = self
                        .application_by_key
                        .get(&credentials.client_key)
                        .and_then(|id| self.applications.get_mut(id))
                        && application.own_token.as_ref() == Some(&token)
                    {
                        application.own_token = None;
                    }
                }
            }
            _ => {}
        }
    }

    /// Direct messages, media, lists.
    fn apply_content(&mut self, event: Event) {
        match event {
            Event::MessageSent(message) => {
                self.seen_id(message.id);
                for participant in &message.participants {
                    self.messages_of
                        .entry(*participant)
                        .or_default()
                        .insert(message.id);
                }
                self.messages.insert(message.id, message);
            }
            Event::MessageDeleted { id } => {
                if let Some(message) = self.messages.remove(&id) {
                    for participant in &message.participants {
                        self.messages_of.entry(*participant).or_default().remove(&id);
                    }
                }
            }
            Event::MediaStarted(media) => {
                self.seen_id(media.id);
                self.media.insert(media.id, media);
            }
            Event::MediaAppended {
                id,
                segment,
                bytes,
                content,
            } => {
                if let Some(media) = self.media.get_mut(&id) {
                    media.segments.insert(segment, bytes);
                    if let Some(content) = content {
                        media.contents.insert(segment, content);
                    }
                }
            }
            Event::MediaFinalized { id, at } => {
                if let Some(media) = self.media.get_mut(&id) {
                    media.finalized_at = Some(at);
                }
            }
            Event::MediaDescribed { id, alt_text } => {
                if let Some(media) = self.media.get_mut(&id) {
                    media.alt_text = alt_text;
                }
            }
            Event::ListCreated(list) => {
                self.seen_id(list.id);
                self.lists.insert(list.id, list);
            }
            Event::ListChanged { id, change } => {
                if let Some(list) = self.lists.get_mut(&id) {
                    replace(&mut list.name, change.name);
                    replace(&mut list.description, change.description);
                    replace(&mut list.private, change.private);
                }
            }
            Event::ListDeleted { id } => {
                self.lists.remove(&id);
            }
            Event::ListMemberAdded { id, account } => {
                if let Some(list) = self.lists.get_mut(&id) {
                    list.members.insert(account);
                }
            }
            Event::ListMemberRemoved { id, account } => {
                if let Some(list) = self.lists.get_mut(&id) {
                    list.members.remove(&account);
                }
            }
            _ => {}
        }
    }

    fn accept(&mut self, post: Post) {
        self.seen_id(post.id);
        if post.application.is_some() {
            self.accepted = self.accepted.saturating_add(1);
        }
        self.posts_by_author
            .entry(post.author)
            .or_default()
            .insert(post.id);
        for mentioned in &post.mentions {
            self.posts_mentioning
                .entry(*mentioned)
                .or_default()
                .insert(post.id);
        }
        if let Some(answered) = post.reply_to {
            self.replies.entry(answered).or_default().insert(post.id);
        }
        step(&mut self.repost_counts, post.repost_of, u64::saturating_add);
        step(&mut self.quote_counts, post.quote_of, u64::saturating_add);
        self.recent_texts
            .entry(post.author)
            .or_default()
            .insert(post.original_text.clone(), post.id);
        self.posts.insert(post.id, post);
    }

    fn follow(&mut self, from: u64, to: u64) {
        if from == to || !self.accounts.contains_key(&to) {
            return;
        }
        let Some(account) = self.accounts.get_mut(&from) else {
            return;
        };
        if account.following.contains(&to) {
            return;
        }
        account.following.push(to);
        if let Some(account) = self.accounts.get_mut(&to) {
            account.followers.push(from);
        }
    }

    /// Regenerating keys and deleting an application kill everything that was given to the old key. Walking
    /// all tokens is fine here: both happen by a person's click.
    fn void_all_of(&mut self, client_key: &str, why: Revocation) {
        for token in self
            .tokens
            .values_mut()
            .filter(|token| token.client_key == client_key)
        {
            token.revoked.get_or_insert(why);
        }
        for credentials in self
            .temporary
            .values_mut()
            .filter(|one| one.client_key == client_key)
        {
            credentials.state = CredentialState::Denied;
        }
    }

    fn seen_id(&mut self, id: u64) {
        self.last_id = self.last_id.max(id);
    }
}

fn replace<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

/// Counts one more or one less for a post, where there is one.
fn step(counts: &mut HashMap<u64, u64>, post: Option<u64>, by: fn(u64, u64) -> u64) {
    if let Some(post) = post {
        let count = counts.entry(post).or_default();
        *count = by(*count, 1);
    }
}
