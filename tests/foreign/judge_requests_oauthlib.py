"""requests-oauthlib, unmodified, on plain http against the sandbox's own address.

The three-legged way with a PIN and with a registered callback; GET, JSON and form POST, upload; the
protocol parameters in header, query and body; then what has to be refused.
"""

import os
import re

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from requests_oauthlib import OAuth1Session

from judge import TIMEOUT_SECONDS, Sandbox, picture, report, settings

JSON_TEXT = "requests-oauthlib JSON: ≤ 5 kg, “quoted” & 100%"
FORM_TEXT = "requests-oauthlib form: a+b=c&d ~ (e)* it's 100% ünïcode"
PLACED_TEXT = "requests-oauthlib with parameters in the {}"


def three_legged(given, sandbox, callback):
    session = OAuth1Session(given["client_key"], given["client_secret"], callback_uri=callback)
    temporary = session.fetch_request_token(f"{given['api']}/oauth/request_token")
    verifier = sandbox.approve(temporary["oauth_token"])
    token = session.fetch_access_token(f"{given['api']}/oauth/access_token", verifier=verifier)
    return session, temporary, token


def status_of(act):
    try:
        return act().status_code
    except requests.RequestException as problem:
        return str(problem)
    except ValueError as problem:
        # requests-oauthlib's TokenRequestDenied is a ValueError with the status in its words.
        return int(re.search(r"\b(4\d\d)\b", str(problem)).group(1))


def main():
    given = settings()
    given["api"] = given["api"].rstrip("/")
    api = given["api"]
    sandbox = Sandbox(given)

    session, temporary, token = three_legged(given, sandbox, "oob")
    _, by_callback, callback_token = three_legged(given, sandbox, given["callback"])
    unregistered = OAuth1Session(
        given["client_key"], given["client_secret"], callback_uri="http://127.0.0.1:9/not-registered"
    )

    me = session.get(f"{api}/2/users/me", timeout=TIMEOUT_SECONDS)
    json_post = session.post(f"{api}/2/tweets", json={"text": JSON_TEXT}, timeout=TIMEOUT_SECONDS)
    form_post = session.post(
        f"{api}/1.1/statuses/update.json", data={"status": FORM_TEXT}, timeout=TIMEOUT_SECONDS
    )
    search = session.get(
        f"{api}/2/tweets/search/recent",
        params={"query": "tea -is:retweet", "max_results": 10, "tweet.fields": "created_at,public_metrics"},
        timeout=TIMEOUT_SECONDS,
    )
    upload = session.post(
        f"{api}/1.1/media/upload.json",
        files={"media": ("picture.png", picture(), "image/png")},
        timeout=TIMEOUT_SECONDS,
    )

    placed = {}
    for name, kind in (("query", "QUERY"), ("body", "BODY")):
        other = OAuth1Session(
            given["client_key"],
            given["client_secret"],
            token["oauth_token"],
            token["oauth_token_secret"],
            signature_type=kind,
        )
        response = other.post(
            f"{api}/1.1/statuses/update.json", data={"status": PLACED_TEXT.format(name)}, timeout=TIMEOUT_SECONDS
        )
        placed[name] = {"status": response.status_code, "body": response.json()}

    def session_with(key=None, secret=None, token_secret=None):
        return OAuth1Session(
            key or given["client_key"],
            secret or given["client_secret"],
            token["oauth_token"],
            token_secret or token["oauth_token_secret"],
        )

    def attempt(**wrong):
        return lambda: session_with(**wrong).post(
            f"{api}/2/tweets", json={"text": "never posted: refused"}, timeout=TIMEOUT_SECONDS
        )

    report(
        callback_confirmed=[temporary["oauth_callback_confirmed"], by_callback["oauth_callback_confirmed"]],
        screen_names=[token["screen_name"], callback_token["screen_name"]],
        me={"status": me.status_code, "level": me.headers.get("x-access-level"), "body": me.json()},
        limits=[
            me.headers.get(f"x-rate-limit-{part}") is not None for part in ("limit", "remaining", "reset")
        ],
        posts=[
            {"id": json_post.json()["data"]["id"], "text": JSON_TEXT},
            {"id": form_post.json()["id_str"], "text": FORM_TEXT},
            *({"id": placed[name]["body"].get("id_str"), "text": PLACED_TEXT.format(name)} for name in placed),
        ],
        statuses=[json_post.status_code, form_post.status_code, placed["query"]["status"], placed["body"]["status"]],
        search=search.status_code,
        upload={"status": upload.status_code, "body": upload.json()},
        refused={
            "unregistered_callback": status_of(
                lambda: unregistered.fetch_request_token(f"{api}/oauth/request_token")
            ),
            "wrong_client_secret": status_of(attempt(secret="wrong")),
            "wrong_client_key": status_of(attempt(key="wrong")),
            "wrong_token_secret": status_of(attempt(token_secret="wrong")),
            "temporary_secret": status_of(attempt(token_secret=temporary["oauth_token_secret"])),
            "unsigned": requests.post(
                f"{api}/2/tweets", json={"text": "never posted: unsigned"}, timeout=TIMEOUT_SECONDS
            ).status_code,
        },
    )


if __name__ == "__main__":
    main()
