"""Judges the judge: requests-oauthlib against `provider.py`, before our connector meets it.

Seven methods, three placements, GET and POST; then what has to be refused. Prints one JSON report.

    provider_check.py READY.json        (the line that the provider printed)
"""

import json
import os
import re
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from requests_oauthlib import OAuth1, OAuth1Session

METHODS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT")
PLACEMENTS = {"header": "AUTH_HEADER", "query": "QUERY", "body": "BODY"}


def consent(ready, session):
    page = requests.post(
        ready["authorization_url"], data={"oauth_token": session.auth.client.resource_owner_key}, timeout=10
    )
    return re.search(r'id="verifier">([^<]+)<', page.text).group(1)


def session_for(ready, method, placement, **more):
    return OAuth1Session(
        ready["client_key"],
        client_secret=ready["client_secret"],
        rsa_key=ready["rsa_private_key"] if method.startswith("RSA") else None,
        signature_method=method,
        signature_type=PLACEMENTS[placement],
        **more,
    )


def token_of(ready):
    """The three-legged way, once."""
    session = session_for(ready, "HMAC-SHA1", "header", callback_uri="oob")
    session.fetch_request_token(ready["temporary_credentials_url"])
    return session.fetch_access_token(ready["token_url"], verifier=consent(ready, session))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ready = json.load(file)
    token = token_of(ready)
    owner = {
        "resource_owner_key": token["oauth_token"],
        "resource_owner_secret": token["oauth_token_secret"],
    }
    echo = ready["root_url"] + "/echo"
    cases = []
    for method in METHODS:
        for placement in PLACEMENTS:
            session = session_for(ready, method, placement, **owner)
            calls = [("POST", session.post(echo, data={"b": "two+2 é", "a": "~*'()!"}, timeout=10))]
            if placement != "body":
                calls.append(("GET", session.get(echo, params={"q": "x y+z&é", "e": ""}, timeout=10)))
            for verb, response in calls:
                seen = response.json().get("placement")
                cases.append(
                    {
                        "method": method,
                        "placement": placement,
                        "verb": verb,
                        "status": response.status_code,
                        "seen": seen,
                    }
                )

    wrong_secret = requests.get(
        echo,
        auth=OAuth1(ready["client_key"], "wrong", token["oauth_token"], token["oauth_token_secret"]),
        timeout=10,
    )
    signed = requests.Request(
        "GET",
        echo,
        auth=OAuth1(
            ready["client_key"], ready["client_secret"], token["oauth_token"], token["oauth_token_secret"]
        ),
    ).prepare()
    with requests.Session() as plain:
        replays = [plain.send(signed, timeout=10).status_code for _ in range(2)]
    two_legged = requests.get(
        ready["root_url"] + "/two-legged/echo",
        auth=OAuth1(ready["client_key"], ready["client_secret"]),
        timeout=10,
    )
    # requests-oauthlib signs no JSON body; with force_include_body it sends oauthlib's oauth_body_hash.
    hashed = requests.post(
        echo,
        data=b'{"text":"hashed"}',
        headers={"Content-Type": "application/json"},
        auth=OAuth1(
            ready["client_key"],
            ready["client_secret"],
            token["oauth_token"],
            token["oauth_token_secret"],
            force_include_body=True,
        ),
        timeout=10,
    )
    print(
        json.dumps(
            {
                "cases": cases,
                "wrong_secret": wrong_secret.status_code,
                "replays": replays,
                "two_legged": two_legged.status_code,
                "body_hash": hashed.status_code,
                "body_hash_logged": requests.get(ready["root_url"] + "/log", timeout=10).json()[-1]["body_hash"],
            }
        )
    )


if __name__ == "__main__":
    main()
