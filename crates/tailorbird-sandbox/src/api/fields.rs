//! Which members of an answer the caller asked for: `tweet.fields`, `user.fields`, `expansions` and kin.
//!
//! X renamed "tweet" to "post" in its newest specification while every client still sends the old names:
//! both are read, the classic ones are answered.

use super::params::Params;

/// `tweet.fields` / `post.fields`
const POST: &[&str] = &[
    "article",
    "attachments",
    "author_id",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "id",
    "in_reply_to_user_id",
    "lang",
    "media_metadata",
    "non_public_metrics",
    "note_tweet",
    "organic_metrics",
    "possibly_sensitive",
    "promoted_metrics",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
    "scopes",
    "source",
    "suggested_source_links",
    "text",
    "withheld",
];

/// Newer spellings of post fields.
const POST_RENAMED: &[(&str, &str)] = &[
    ("referenced_posts", "referenced_tweets"),
    ("edit_history_post_ids", "edit_history_tweet_ids"),
    ("note_post", "note_tweet"),
];

/// `user.fields`
const USER: &[&str] = &[
    "affiliation",
    "confirmed_email",
    "connection_status",
    "created_at",
    "description",
    "entities",
    "id",
    "is_identity_verified",
    "location",
    "most_recent_tweet_id",
    "name",
    "parody",
    "pinned_tweet_id",
    "profile_banner_url",
    "profile_image_url",
    "protected",
    "public_metrics",
    "receives_your_dm",
    "subscription",
    "subscription_type",
    "url",
    "username",
    "verified",
    "verified_followers_count",
    "verified_type",
    "withheld",
];

/// Newer spellings of user fields.
const USER_RENAMED: &[(&str, &str)] = &[
    ("most_recent_post_id", "most_recent_tweet_id"),
    ("pinned_post_id", "pinned_tweet_id"),
];

/// `media.fields`
const MEDIA: &[&str] = &[
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "non_public_metrics",
    "organic_metrics",
    "preview_image_url",
    "promoted_metrics",
    "public_metrics",
    "type",
    "url",
    "variants",
    "width",
];

/// `poll.fields`
const POLL: &[&str] = &[
    "duration_minutes",
    "end_datetime",
    "id",
    "options",
    "voting_status",
];

/// `place.fields`: accepted because clients send it along; no post of the sandbox has a place.
const PLACE: &[&str] = &[
    "contained_within",
    "country",
    "country_code",
    "full_name",
    "geo",
    "id",
    "name",
    "place_type",
];

/// `list.fields`
const LIST: &[&str] = &[
    "created_at",
    "description",
    "follower_count",
    "id",
    "member_count",
    "name",
    "owner_id",
    "private",
];

/// `dm_event.fields`
const DIRECT_MESSAGE: &[&str] = &[
    "attachments",
    "created_at",
    "dm_conversation_id",
    "entities",
    "event_type",
    "id",
    "participant_ids",
    "referenced_tweets",
    "sender_id",
    "text",
];

/// `expansions` of posts
const POST_EXPANSIONS: &[&str] = &[
    "article.cover_media",
    "article.media_entities",
    "attachments.media_keys",
    "attachments.media_source_tweet",
    "attachments.poll_ids",
    "author_id",
    "edit_history_tweet_ids",
    "entities.mentions.username",
    "entities.note.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
    "referenced_tweets.id",
    "referenced_tweets.id.attachments.media_keys",
    "referenced_tweets.id.author_id",
];

/// Newer spellings of post expansions.
const POST_EXPANSIONS_RENAMED: &[(&str, &str)] = &[
    ("attachments.media_source_post", "attachments.media_source_tweet"),
    ("edit_history_post_ids", "edit_history_tweet_ids"),
    ("referenced_posts.id", "referenced_tweets.id"),
    (
        "referenced_posts.id.attachments.media_keys",
        "referenced_tweets.id.attachments.media_keys",
    ),
    ("referenced_posts.id.author_id", "referenced_tweets.id.author_id"),
];

/// `expansions` of users
const USER_EXPANSIONS: &[&str] = &["affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"];

/// `expansions` of lists
const LIST_EXPANSIONS: &[&str] = &["owner_id"];

/// `expansions` of direct messages
const DIRECT_MESSAGE_EXPANSIONS: &[&str] = &[
    "attachments.media_keys",
    "participant_ids",
    "referenced_tweets.id",
    "sender_id",
];

/// What an endpoint answers with, which decides the expansions that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Posts.
    Posts,
    /// Users.
    Users,
    /// Lists.
    Lists,
    /// Events of direct messages.
    DirectMessages,
}

/// The choice of one request.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// `tweet.fields`
    pub(crate) post: Vec<&'static str>,
    /// `user.fields`
    pub(crate) user: Vec<&'static str>,
    /// `media.fields`
    pub(crate) media: Vec<&'static str>,
    /// `poll.fields`
    pub(crate) poll: Vec<&'static str>,
    /// `list.fields`
    pub(crate) list: Vec<&'static str>,
    /// `dm_event.fields`
    pub(crate) direct_message: Vec<&'static str>,
    /// `expansions`
    pub(crate) expansions: Vec<&'static str>,
}

impl Fields {
    /// Reads the parameters that exist for `kind`.
    pub(crate) fn read(params: &mut Params, kind: Kind) -> Self {
        let mut fields = Self::default();
        if kind != Kind::Lists {
            fields.post = params.choices(&["tweet.fields", "post.fields"], POST, POST_RENAMED);
        }
        fields.user = params.choices(&["user.fields"], USER, USER_RENAMED);
        match kind {
            Kind::Posts => {
                fields.media = params.choices(&["media.fields"], MEDIA, &[]);
                fields.poll = params.choices(&["poll.fields"], POLL, &[]);
                params.choices(&["place.fields"], PLACE, &[]);
                fields.expansions = params.choices(&["expansions"], POST_EXPANSIONS, POST_EXPANSIONS_RENAMED);
            }
            Kind::Users => {
                fields.expansions = params.choices(
                    &["expansions"],
                    USER_EXPANSIONS,
                    &[
                        ("most_recent_post_id", "most_recent_tweet_id"),
                        ("pinned_post_id", "pinned_tweet_id"),
                    ],
                );
            }
            Kind::Lists => {
                fields.list = params.choices(&["list.fields"], LIST, &[]);
                fields.expansions = params.choices(&["expansions"], LIST_EXPANSIONS, &[]);
            }
            Kind::DirectMessages => {
                fields.direct_message = params.choices(&["dm_event.fields"], DIRECT_MESSAGE, &[]);
                fields.media = params.choices(&["media.fields"], MEDIA, &[]);
                fields.expansions = params.choices(
                    &["expansions"],
                    DIRECT_MESSAGE_EXPANSIONS,
                    &[("referenced_posts.id", "referenced_tweets.id")],
                );
            }
        }
        fields
    }

    /// Whether an expansion was asked for.
    pub(crate) fn expands(&self, name: &str) -> bool {
        self.expansions.contains(&name)
    }
}
