"""X's own Python SDK, unmodified, by HTTPS_PROXY and REQUESTS_CA_BUNDLE.

Its one OAuth1 object cannot make calls after its own flow: it signs with the temporary secret. That is
its fault and stays so here (`same_object`); a new object with the token credentials works.
"""

from urllib.parse import parse_qs, urlsplit

import requests
from xdk import Client
from xdk.oauth1_auth import OAuth1
from xdk.posts.models import CreateRequest

from judge import Sandbox, report, settings

TEXT = "xdk: “posted” by X's own SDK, 100% unmodified & signed ~"


def refusal(act):
    try:
        act()
    except requests.HTTPError as problem:
        return problem.response.status_code
    return None


def main():
    given = settings()
    sandbox = Sandbox(given)
    flow = OAuth1(given["client_key"], given["client_secret"], "oob")
    try:
        address = flow.start_oauth_flow()
        temporary = parse_qs(urlsplit(address).query)["oauth_token"][0]
        token = flow.get_access_token(sandbox.approve(temporary))
    except ValueError as problem:
        report(flow_refused=str(problem))
        return

    auth = OAuth1(
        given["client_key"],
        given["client_secret"],
        "oob",
        access_token=token.access_token,
        access_token_secret=token.access_token_secret,
    )
    client = Client(auth=auth)
    created = client.posts.create(CreateRequest(text=TEXT))
    me = client.users.get_me()
    post_id = created.data["id"] if isinstance(created.data, dict) else created.data.id
    account = me.data if isinstance(me.data, dict) else me.data.model_dump()
    report(
        flow_refused=None,
        authorize_host=urlsplit(address).netloc,
        me={"id": str(account["id"]), "username": account["username"]},
        posts=[{"id": str(post_id), "text": TEXT}],
        same_object=refusal(
            lambda: Client(auth=flow).posts.create(CreateRequest(text="never posted: temporary secret"))
        ),
    )


if __name__ == "__main__":
    main()
