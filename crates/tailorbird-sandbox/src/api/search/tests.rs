use super::{QueryError, Subject, parse};

fn post() -> Subject {
    let mut post =
        Subject::of_text("Back in stock: the oak desk, #Launch #AcmeDesks for $ACM holders. Ask @acme_help!");
    post.author = ("acme_shop".to_owned(), 17);
    post.mentions = vec!["acme_help".to_owned()];
    post.replies_to = Some(("bob".to_owned(), 18));
    post.reply_to = Some(900);
    post.conversation = 800;
    post.links = vec!["https://shop.example/desks?x=1".to_owned()];
    post.language = "en".to_owned();
    post
}

#[track_caller]
fn check(query: &str, expected: bool) {
    assert_eq!(parse(query).unwrap().matches(&post()), expected, "{query}");
}

#[test]
fn words_phrases_tags_and_names() {
    check("stock", true);
    check("STOCK desk", true);
    check("sto", false);
    check("stock chair", false);
    check("\"in stock\"", true);
    check("\"stock in\"", false);
    check("#launch", true);
    check("#laun", false);
    check("$acm", true);
    check("@Acme_Help", true);
    check("@acme", false);
}

#[test]
fn and_binds_tighter_than_or_and_minus_binds_tightest() {
    check("chair OR desk", true);
    check("chair table OR desk", true);
    check("chair (table OR desk)", false);
    check("desk -chair", true);
    check("desk -oak", false);
    check("desk -(oak chair)", true);
    check("desk -\"oak desk\"", false);
    check("or desk", false);
}

#[test]
fn operators() {
    check("from:acme_shop", true);
    check("from:@ACME_shop", true);
    check("from:17", true);
    check("from:bob", false);
    check("to:bob", true);
    check("conversation_id:800 is:reply", true);
    check("in_reply_to_tweet_id:900", true);
    check("quotes_of_tweet_id:900", false);
    check("desk lang:en", true);
    check("desk lang:de", false);
    check("url:\"shop.example\"", true);
    check("desk has:links has:hashtags has:cashtags has:mentions", true);
    check("desk has:media", false);
    check("desk is:retweet", false);
    check("desk -is:retweet -is:quote -is:verified", true);
}

#[test]
fn refusals_say_what_is_valid_and_where() {
    let refused = |query: &str| parse(query).unwrap_err().to_string();
    assert_eq!(
        refused("desk form:acme"),
        "Reference to invalid operator 'form'. Valid operators are: from:, to:, conversation_id:, in_reply_to_tweet_id:, quotes_of_tweet_id:, lang:, url:, has:, is: (at position 6)"
    );
    assert_eq!(
        refused("desk has:pictures"),
        "Invalid use of operator 'has': 'pictures' is not one of [links, media, images, mentions, hashtags, cashtags] (at position 6)"
    );
    assert_eq!(
        refused("\"open"),
        "the closing quotation mark is missing (at position 1)"
    );
    assert_eq!(refused("(desk"), "')' is missing (at position 6)");
    assert_eq!(refused("desk)"), "unexpected ')' (at position 5)");
    assert_eq!(
        refused("desk OR"),
        "a word, phrase or operator is missing (at position 8)"
    );
    assert_eq!(parse("-desk"), Err(QueryError::NothingPositive));
    assert_eq!(parse("is:reply"), Err(QueryError::NothingPositive));
    assert_eq!(parse("desk OR -chair"), Err(QueryError::NothingPositive));
    assert_eq!(parse(&"a ".repeat(300)), Err(QueryError::TooLong(600)));
    assert!(refused(&"(".repeat(40)).contains("nested too deeply"));
}

#[test]
fn a_colon_in_a_time_or_an_address_makes_no_operator() {
    check("10:30", false);
    check("https://shop.example", false);
}
