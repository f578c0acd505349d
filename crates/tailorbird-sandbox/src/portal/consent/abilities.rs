//! What a level allows, in the words of the consent page.

use crate::state::Level;

const READ: [&str; 3] = [
    "Read posts, timelines, mentions and search results",
    "See your profile, your settings, your followers and your lists",
    "See how your posts are doing",
];
const WRITE: [&str; 2] = [
    "Publish and delete posts for you",
    "Upload media, change your lists and your profile",
];
const MESSAGES: [&str; 1] = ["Read, send and delete your direct messages"];
const NEVER: [&str; 1] = ["See or change your password"];

/// What an application with this level will be able to do.
pub(super) fn can(level: Level) -> Vec<&'static str> {
    let mut lines = READ.to_vec();
    if level.writes() {
        lines.extend(WRITE);
    }
    if level.direct_messages() {
        lines.extend(MESSAGES);
    }
    lines
}

/// What it will not be able to do.
pub(super) fn cannot(level: Level) -> Vec<&'static str> {
    let mut lines = Vec::new();
    if !level.writes() {
        lines.extend(WRITE);
    }
    if !level.direct_messages() {
        lines.extend(MESSAGES);
    }
    lines.extend(NEVER);
    lines
}
