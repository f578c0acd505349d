"""tweepy, unmodified, by HTTPS_PROXY and REQUESTS_CA_BUNDLE: it believes that it talks to X.

The PIN flow; v2: post, own account, mentions over all pages; v1.1: verify_credentials, a status, media
upload and a status with it; then what has to be refused.
"""

import io
from urllib.parse import parse_qs, urlsplit

import tweepy

from judge import Sandbox, picture, report, settings

V2_TEXT = "tweepy v2: 50% off ~ all ‘tea’ & café + more! (really*) #tea"
V1_TEXT = "tweepy v1.1: it's 7 o'clock, & the price is €3+VAT ~ (ok!)"
MEDIA_TEXT = "tweepy v1.1: a status with a picture"


def refusal(act):
    """The HTTP status of a call that has to fail, or None where it went through."""
    try:
        act()
    except tweepy.HTTPException as problem:
        return problem.response.status_code
    except tweepy.TweepyException as problem:
        # tweepy wraps the failures of the token exchange without a response of its own.
        return str(problem)
    return None


def main():
    given = settings()
    sandbox = Sandbox(given)
    key, secret = given["client_key"], given["client_secret"]

    handler = tweepy.OAuth1UserHandler(key, secret, callback="oob")
    address = handler.get_authorization_url()
    temporary = parse_qs(urlsplit(address).query)["oauth_token"][0]
    pin = sandbox.approve(temporary)
    token, token_secret = handler.get_access_token(pin)

    second = tweepy.OAuth1UserHandler(key, secret, callback="oob")
    second.request_token = {"oauth_token": temporary, "oauth_token_secret": handler.request_token["oauth_token_secret"]}
    pin_again = refusal(lambda: second.get_access_token(pin))

    client = tweepy.Client(
        consumer_key=key, consumer_secret=secret, access_token=token, access_token_secret=token_secret
    )
    post = client.create_tweet(text=V2_TEXT)
    me = client.get_me(user_auth=True, user_fields=["description", "public_metrics"])
    pages = tweepy.Paginator(
        client.get_users_mentions, me.data.id, max_results=100, user_auth=True, tweet_fields=["created_at"]
    )
    mentions = [page.meta["result_count"] for page in pages]

    api = tweepy.API(handler)
    account = api.verify_credentials()
    status = api.update_status(V1_TEXT)
    media = api.media_upload("picture.png", file=io.BytesIO(picture()))
    with_media = api.update_status(MEDIA_TEXT, media_ids=[media.media_id_string])
    timeline = api.mentions_timeline(count=20)

    wrong = tweepy.Client(
        consumer_key=key, consumer_secret=secret, access_token=token, access_token_secret=token_secret[:-1] + "!"
    )
    report(
        authorize_host=urlsplit(address).netloc,
        pin=pin,
        pin_again=pin_again,
        token_account=token.split("-")[0],
        me={"id": str(me.data.id), "username": me.data.username},
        verified={"id": account.id_str, "username": account.screen_name},
        mention_pages=mentions,
        mentions_v1=len(timeline),
        posts=[
            {"id": str(post.data["id"]), "text": V2_TEXT},
            {"id": status.id_str, "text": V1_TEXT},
            {"id": with_media.id_str, "text": MEDIA_TEXT},
        ],
        media_id=media.media_id_string,
        wrong_secret=refusal(lambda: wrong.create_tweet(text="never posted: wrong secret")),
        deleted=client.delete_tweet(post.data["id"]).data["deleted"],
    )


if __name__ == "__main__":
    main()
