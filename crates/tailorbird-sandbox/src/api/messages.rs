//! Sending direct messages, the same for both API versions.

use super::call::{Call, NotStored};
use super::uploads;
use crate::state::{Account, DirectMessage, Event, State};

/// Longest direct message, in characters.
pub(crate) const MAX_MESSAGE_CHARS: usize = 10_000;

/// Whom a message goes to.
#[derive(Debug)]
pub(crate) enum Recipients {
    /// One other account.
    Person(u64),
    /// A new group of these and the sender.
    Group(Vec<u64>),
    /// A conversation by its id.
    Conversation(String),
}

/// Why a message was not sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Neither text nor media.
    Empty,
    /// Over [`MAX_MESSAGE_CHARS`].
    TooLong,
    /// A recipient who does not exist.
    NoSuchAccount(u64),
    /// A conversation that does not exist, or not for the caller.
    NoSuchConversation,
    /// To oneself.
    ToOneself,
    /// The recipient takes messages only from accounts it follows.
    NotLetIn,
    /// A media id that cannot be used.
    Media(u64),
}

/// The id of the conversation of two accounts.
pub(crate) fn between(one: u64, other: u64) -> String {
    format!("{}-{}", one.min(other), one.max(other))
}

/// Who takes part in a conversation, if `account` does: two accounts always can, a group by its last message.
pub(crate) fn participants(state: &State, conversation: &str, account: u64) -> Option<Vec<u64>> {
    if let Some((one, other)) = conversation.split_once('-') {
        let pair = [one.parse::<u64>().ok()?, other.parse::<u64>().ok()?];
        let known = pair.iter().all(|id| state.accounts.contains_key(id));
        return (known && pair.contains(&account) && between(pair[0], pair[1]) == conversation)
            .then(|| pair.to_vec());
    }
    let ids = state.messages_of.get(&account)?;
    ids.iter()
        .rev()
        .filter_map(|id| state.messages.get(id))
        .find(|message| message.conversation == conversation)
        .map(|message| message.participants.clone())
}

/// Whether `sender` may write to `recipient`: who is followed, who was written to before, or who lets all in.
pub(crate) fn may_send(state: &State, sender: u64, recipient: &Account) -> bool {
    if recipient.id == sender {
        return false;
    }
    let wrote_before = || {
        let conversation = between(sender, recipient.id);
        state
            .messages_of
            .get(&recipient.id)
            .into_iter()
            .flatten()
            .filter_map(|id| state.messages.get(id))
            .any(|message| message.sender == recipient.id && message.conversation == conversation)
    };
    recipient.settings.allow_dms_from == "all" || recipient.following.contains(&sender) || wrote_before()
}

/// Sends a message; the answer is given when it is stored.
///
/// # Errors
/// [`NotStored`]; the inner error is the refusal.
pub(crate) async fn send(
    call: &Call,
    to: Recipients,
    text: String,
    media: Vec<u64>,
) -> Result<Result<DirectMessage, Refusal>, NotStored> {
    let (sender, now) = (call.account(), call.now());
    let application = Some(call.caller.application_id);
    call.write(|state| {
        let id = state.next_id(now);
        let (conversation, participants) = match address(state, sender, id, to) {
            Ok(found) => found,
            Err(refusal) => return (Vec::new(), Err(refusal)),
        };
        if text.trim().is_empty() && media.is_empty() {
            return (Vec::new(), Err(Refusal::Empty));
        }
        if text.chars().count() > MAX_MESSAGE_CHARS {
            return (Vec::new(), Err(Refusal::TooLong));
        }
        if let Some(bad) = media.iter().find(|id| !uploads::usable(state, sender, **id, now)) {
            return (Vec::new(), Err(Refusal::Media(*bad)));
        }
        let message = DirectMessage {
            id,
            conversation,
            sender,
            participants,
            text,
            media,
            created_at: now,
            application,
        };
        (vec![Event::MessageSent(message.clone())], Ok(message))
    })
    .await
}

fn address(state: &State, sender: u64, id: u64, to: Recipients) -> Result<(String, Vec<u64>), Refusal> {
    let (conversation, participants) = match to {
        Recipients::Person(other) => (between(sender, other), vec![sender, other]),
        Recipients::Group(others) => {
            let mut all = vec![sender];
            for other in others {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
            (id.to_string(), all)
        }
        Recipients::Conversation(conversation) => {
            let all = participants(state, &conversation, sender).ok_or(Refusal::NoSuchConversation)?;
            (conversation, all)
        }
    };
    let others: Vec<u64> = participants
        .iter()
        .copied()
        .filter(|other| *other != sender)
        .collect();
    if others.is_empty() {
        return Err(Refusal::ToOneself);
    }
    for other in others {
        let account = state.accounts.get(&other).ok_or(Refusal::NoSuchAccount(other))?;
        let stands =
            !conversation.contains('-') && state.messages.values().any(|m| m.conversation == conversation);
        if !stands && !may_send(state, sender, account) {
            return Err(Refusal::NotLetIn);
        }
    }
    Ok((conversation, participants))
}

/// Keys of the messages `account` may read, newest first, of one conversation or of all.
pub(crate) fn readable(state: &State, account: u64) -> impl DoubleEndedIterator<Item = u64> + use<'_> {
    state
        .messages_of
        .get(&account)
        .into_iter()
        .flat_map(|ids| ids.iter().rev().copied())
}
