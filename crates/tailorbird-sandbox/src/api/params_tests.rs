use super::Params;
use serde_json::json;

#[test]
fn every_fault_is_named_in_one_answer() {
    let mut params = Params::parse("max_results=1&tweet.fields=id,size&colour=red&until_id=abc");
    params.count("max_results", 5..=100, 10);
    params.choices(&["tweet.fields", "post.fields"], &["id", "text"], &[]);
    params.id("until_id");
    let problem = params.finish().unwrap_err();
    let messages: Vec<&str> = problem.body()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "The `max_results` query parameter value [1] is not between 5 and 100",
            "The `tweet.fields` query parameter value [size] is not one of [id,text]",
            "The `until_id` query parameter value [abc] is not valid",
            "The query parameter [colour] is not one of [max_results,post.fields,tweet.fields,until_id]",
        ]
    );
    assert_eq!(
        problem.body()["errors"][0]["parameters"],
        json!({"max_results": ["1"]})
    );
    assert_eq!(
        problem.body()["type"],
        "https://api.twitter.com/2/problems/invalid-request"
    );
}

#[test]
fn signature_parameters_are_nobodys_business_here() {
    let params = Params::parse("oauth_token=1&oauth_signature=a%2Bb");
    assert!(params.finish().is_ok());
}

#[test]
fn lists_are_bounded_and_lose_repetitions() {
    let mut params = Params::parse("ids=3,1,3,%202");
    assert_eq!(params.ids("ids", 3), [3, 1, 2]);
    assert!(
        params.finish().is_err(),
        "four values are more than three, repeated or not"
    );

    let mut params = Params::parse("ids=");
    assert!(params.ids("ids", 3).is_empty());
    assert!(params.finish().is_err());
}

#[test]
fn a_parameter_given_twice_is_a_fault() {
    let mut params = Params::parse("id=1&id=2");
    params.id("id");
    let problem = params.finish().unwrap_err();
    assert_eq!(
        problem.body()["errors"][0]["message"],
        "Duplicate parameters are not allowed: the `id` query parameter"
    );
}

#[test]
fn newer_spellings_mean_the_classic_ones() {
    let mut params = Params::parse("post.fields=referenced_posts,text&tweet.fields=text");
    let chosen = params.choices(
        &["tweet.fields", "post.fields"],
        &["referenced_tweets", "text"],
        &[("referenced_posts", "referenced_tweets")],
    );
    assert_eq!(chosen, ["text", "referenced_tweets"]);
    assert!(params.finish().is_ok());
}
