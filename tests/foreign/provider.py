"""A small OAuth 1.0a provider on oauthlib's server endpoints, to judge our connector from outside.

It takes all seven signature methods, the three placements, `oob` and registered callbacks, two-legged
requests and `oauth_body_hash`, and refuses a nonce that it has seen before. Nothing of it is ours but
the plumbing: oauthlib checks every signature.

One thing of oauthlib is replaced by default: it percent-decodes `oauth_` values of the query and the
body twice, so it agrees with its own client and with nobody else. `--collection oauthlib` brings
oauthlib's own reading back.

    provider.py [--port N] [--collection rfc|oauthlib]

When ready it prints one JSON line with its addresses and the one client's credentials. Loopback only.

    POST /oauth/request_token     temporary credentials (RFC 5849 section 2.1)
    GET  /oauth/authorize         a page with a form; the same address takes the form by POST (2.2)
    POST /oauth/access_token      token credentials (2.3)
    any  /echo...                 a protected resource; answers with what it understood
    any  /two-legged/echo...      the same without a token
    GET  /log                     every signed request so far with the verdict
"""

import argparse
import base64
import hashlib
import html
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import (
    AccessTokenEndpoint,
    AuthorizationEndpoint,
    RequestTokenEndpoint,
    RequestValidator,
    ResourceEndpoint,
    SignatureOnlyEndpoint,
)
from oauthlib.oauth1.rfc5849 import (
    SIGNATURE_TYPE_AUTH_HEADER,
    SIGNATURE_TYPE_BODY,
    SIGNATURE_TYPE_QUERY,
    errors,
    signature,
)

FORM = "application/x-www-form-urlencoded"
MAX_BODY_BYTES = 1 << 20
MAX_LOG_ENTRIES = 2_000
RSA_BITS = 2048
# Characters that every correct signer must encode twice: a client that forgets shows at once.
CLIENT_SECRET = "client secret/+&=%~é"
REGISTERED_CALLBACKS = ("http://127.0.0.1:9/callback", "http://127.0.0.1:9/callback?tenant=7%2F3")


class Provider(RequestValidator):
    """What the provider remembers, in the form that oauthlib asks for."""

    enforce_ssl = False
    nonce_length = (1, 200)
    verifier_length = (4, 60)

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.client_key = "client" + secrets.token_hex(9)
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        self.rsa_private_key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        self.rsa_public_key = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
        self.temporary = {}  # token -> {secret, callback, verifier}
        self.tokens = {}  # token -> secret
        self.seen = set()  # (client, token, timestamp, nonce)

    # Names and secrets -----------------------------------------------------------------------
    dummy_client = "dummy-client"
    dummy_request_token = "dummy-temporary"
    dummy_access_token = "dummy-token"

    def check_client_key(self, client_key):
        return bool(client_key)

    def check_request_token(self, request_token):
        return bool(request_token)

    def check_access_token(self, request_token):
        return bool(request_token)

    def check_nonce(self, nonce):
        return 0 < len(nonce) <= self.nonce_length[1]

    def check_verifier(self, verifier):
        return bool(verifier)

    def check_realms(self, realms):
        return True

    def validate_client_key(self, client_key, request):
        return client_key == self.client_key

    def get_client_secret(self, client_key, request):
        return CLIENT_SECRET if client_key == self.client_key else "dummy-secret"

    def get_rsa_key(self, client_key, request):
        return self.rsa_public_key

    def get_request_token_secret(self, client_key, token, request):
        return self.temporary.get(token, {}).get("secret", "dummy-secret")

    def get_access_token_secret(self, client_key, token, request):
        return self.tokens.get(token, "dummy-secret")

    # What is valid ---------------------------------------------------------------------------
    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        use = (client_key, request_token or access_token, timestamp, nonce)
        with self.lock:
            fresh = use not in self.seen
            self.seen.add(use)
        return fresh

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == "oob" or redirect_uri in REGISTERED_CALLBACKS

    def validate_request_token(self, client_key, token, request):
        return token in self.temporary

    def validate_access_token(self, client_key, token, request):
        return token in self.tokens

    def validate_verifier(self, client_key, token, verifier, request):
        expected = self.temporary.get(token, {}).get("verifier")
        return expected is not None and secrets.compare_digest(expected, verifier)

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def verify_request_token(self, token, request):
        return token in self.temporary

    def verify_realms(self, token, realms, request):
        return True

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def get_redirect_uri(self, token, request):
        return self.temporary[token]["callback"]

    # What is kept ----------------------------------------------------------------------------
    def save_request_token(self, token, request):
        self.temporary[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"],
            "callback": request.redirect_uri,
            "verifier": None,
        }

    def save_verifier(self, token, verifier, request):
        self.temporary[token]["verifier"] = verifier["oauth_verifier"]

    def save_access_token(self, token, request):
        self.tokens[token["oauth_token"]] = token["oauth_token_secret"]

    def invalidate_request_token(self, client_key, request_token, request):
        self.temporary.pop(request_token, None)


def header_pairs(authorization):
    """The parameters of an `Authorization: OAuth` header, decoded once (RFC 5849 section 3.5.1)."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "oauth":
        return []
    pairs = []
    for item in rest.split(","):
        name, found, value = item.strip().partition("=")
        if found:
            pairs.append((unquote(name), unquote(value.strip().strip('"'))))
    return pairs


class RfcCollection:
    """Reads each parameter source once, as RFC 5849 section 3.4.1.3.1 says."""

    def _get_signature_type_and_params(self, request):
        form = (request.headers.get("Content-Type") or "").startswith(FORM)
        sources = (
            (SIGNATURE_TYPE_AUTH_HEADER, header_pairs(request.headers.get("Authorization") or "")),
            (SIGNATURE_TYPE_BODY, parse_qsl(request.body or "", True) if form else []),
            (SIGNATURE_TYPE_QUERY, parse_qsl(request.uri_query or "", True)),
        )
        carrying = [
            (kind, [pair for pair in pairs if pair[0].startswith("oauth_")])
            for kind, pairs in sources
            if any(name.startswith("oauth_") for name, _ in pairs)
        ]
        if len(carrying) != 1:
            found = ", ".join(kind for kind, _ in carrying) or "nowhere"
            raise errors.InvalidRequestError(description=f"oauth_ parameters were found in: {found}")
        # Only the header's realm is left out of the signature; a query parameter of that name is signed.
        request.signed_pairs = [
            pair
            for kind, pairs in sources
            for pair in pairs
            if pair[0] != "oauth_signature" and (kind != SIGNATURE_TYPE_AUTH_HEADER or pair[0] != "realm")
        ]
        everything = [pair for _, pairs in sources for pair in pairs]
        return carrying[0][0], everything, carrying[0][1]

    def _create_request(self, uri, http_method, body, headers):
        request = super()._create_request(uri, http_method, body, headers)
        request.params = request.signed_pairs
        return request


def endpoints(provider, collection):
    mixin = (RfcCollection,) if collection == "rfc" else ()

    def build(base):
        return type(base.__name__, (*mixin, base), {})(provider)

    return {
        "temporary": build(RequestTokenEndpoint),
        "authorize": build(AuthorizationEndpoint),
        "token": build(AccessTokenEndpoint),
        "resource": build(ResourceEndpoint),
        "two_legged": build(SignatureOnlyEndpoint),
    }


def placement(path, headers, body):
    """Where the request carries its protocol parameters."""
    if "oauth_signature" in (headers.get("Authorization") or ""):
        return "header"
    if any(name == "oauth_signature" for name, _ in parse_qsl(urlsplit(path).query, True)):
        return "query"
    if (headers.get("Content-Type") or "").startswith(FORM) and b"oauth_signature" in body:
        return "body"
    return None


def body_hash_problem(headers, body, oauth_params):
    """Why `oauth_body_hash` is wrong, or None. The method's digest and SHA-1 are both taken."""
    given = oauth_params.get("oauth_body_hash")
    if given is None:
        return None
    if (headers.get("Content-Type") or "").startswith(FORM):
        return "oauth_body_hash with a form body, which the draft forbids"
    method = oauth_params.get("oauth_signature_method", "")
    digests = {"sha1"} | {name for name in ("sha256", "sha512") if method.endswith(name.upper())}
    accepted = {base64.b64encode(hashlib.new(name, body).digest()).decode() for name in digests}
    return None if given in accepted else "oauth_body_hash does not fit the body"


def base_string(request):
    """The base string that the signature was checked against."""
    return signature.signature_base_string(
        request.http_method,
        signature.base_string_uri(request.uri),
        signature.normalize_parameters(request.params),
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider = None
    parts = None
    log = []

    def log_message(self, format, *args):
        """Keeps standard error for what matters."""

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            raise ValueError("the body is over the limit")
        return self.rfile.read(length)

    def answer(self, status, body, content_type="application/json", headers=()):
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def remember(self, kind, body, status, why, request=None):
        fields = getattr(request, "oauth_params", {}) or {}
        entry = {
            "kind": kind,
            "method": self.command,
            "path": self.path,
            "placement": placement(self.path, self.headers, body),
            "signature_method": fields.get("oauth_signature_method"),
            "oauth_token": fields.get("oauth_token"),
            "body_hash": "oauth_body_hash" in fields,
            "status": status,
            "why": why,
            "base_string": base_string(request) if request is not None else None,
        }
        del self.log[: max(0, len(self.log) + 1 - MAX_LOG_ENTRIES)]
        self.log.append(entry)

    def handle_any(self):
        # The URI is put together from the Host header and the request line as received: what the
        # client signed is what it sent, byte by byte.
        uri = f"http://{self.headers.get('Host')}{self.path}"
        body = self.read_body()
        route = urlsplit(self.path).path
        try:
            if route == "/log":
                self.answer(200, self.log)
            elif route == "/oauth/request_token":
                self.issue("temporary", "create_request_token_response", uri, body)
            elif route == "/oauth/access_token":
                self.issue("token", "create_access_token_response", uri, body)
            elif route == "/oauth/authorize":
                self.authorize(body)
            elif route.startswith("/two-legged/echo"):
                self.protected("two_legged", "validate_request", uri, body)
            elif route.startswith("/echo"):
                self.protected("resource", "validate_protected_resource_request", uri, body)
            else:
                self.answer(404, {"error": "not_found", "description": f"no {self.command} {route} here"})
        except (errors.OAuth1Error, ValueError) as problem:
            self.remember("refused", body, 400, str(problem))
            self.answer(400, {"error": "invalid_request", "description": str(problem)})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any

    def text_of(self, body):
        return body.decode("utf-8", "surrogateescape")

    def issue(self, part, call, uri, body):
        endpoint = self.parts[part]
        headers, text, status = getattr(endpoint, call)(
            uri, self.command, self.text_of(body), dict(self.headers.items())
        )
        self.remember(part, body, status, text if status != 200 else None)
        refused = "error=unauthorized&description=the+signature%2C+a+token+or+the+verifier+is+not+valid"
        self.answer(status, text or refused, headers.get("Content-Type", FORM))

    def authorize(self, body):
        if self.command == "GET":
            token = parse_qs(urlsplit(self.path).query).get("oauth_token", [""])[0]
            if token not in self.provider.temporary:
                self.answer(400, "<p>This link is not valid any more.</p>", "text/html; charset=utf-8")
                return
            page = (
                '<!doctype html><title>Allow access</title><form method="post">'
                f'<input type="hidden" name="oauth_token" value="{html.escape(token)}">'
                "<button>Allow</button></form>"
            )
            self.answer(200, page, "text/html; charset=utf-8")
            return
        token = parse_qs(self.text_of(body)).get("oauth_token", [""])[0]
        headers, text, status = self.parts["authorize"].create_authorization_response(
            f"http://{self.headers.get('Host')}/oauth/authorize?oauth_token={token}"
        )
        if status == 302:
            self.answer(302, "", "text/plain", [("Location", headers["Location"])])
        else:
            verifier = parse_qs(text)["oauth_verifier"][0]
            self.answer(200, f'<p>Your code: <code id="verifier">{verifier}</code></p>', "text/html")

    def protected(self, part, call, uri, body):
        headers = dict(self.headers.items())
        valid, request = getattr(self.parts[part], call)(uri, self.command, self.text_of(body), headers)
        why = None if valid else "the signature, the token or the nonce is not valid"
        if valid:
            why = body_hash_problem(self.headers, body, request.oauth_params)
        self.remember(part, body, 401 if why else 200, why, request)
        if why:
            self.answer(401, {"error": "unauthorized", "description": why})
            return
        form = (self.headers.get("Content-Type") or "").startswith(FORM)
        self.answer(
            200,
            {
                "method": self.command,
                "path": urlsplit(self.path).path,
                "placement": placement(self.path, self.headers, body),
                "algorithm": request.oauth_params["oauth_signature_method"],
                "realm": dict(header_pairs(self.headers.get("Authorization") or "")).get("realm"),
                "query": own_pairs(urlsplit(self.path).query),
                "form": own_pairs(self.text_of(body)) if form else [],
                "body": None if form else self.text_of(body),
            },
        )


def own_pairs(text):
    """The caller's own parameters: everything but the protocol's."""
    return [pair for pair in parse_qsl(text, True) if not pair[0].startswith("oauth_")]


def main():
    options = argparse.ArgumentParser(description="OAuth 1.0a provider for tests, loopback only")
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--collection", choices=("rfc", "oauthlib"), default="rfc")
    chosen = options.parse_args()

    provider = Provider()
    Handler.provider = provider
    Handler.parts = endpoints(provider, chosen.collection)
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Handler)
    server.daemon_threads = True
    root = f"http://127.0.0.1:{server.server_address[1]}"
    ready = {
        "root_url": root,
        "temporary_credentials_url": f"{root}/oauth/request_token",
        "authorization_url": f"{root}/oauth/authorize",
        "token_url": f"{root}/oauth/access_token",
        "callbacks": REGISTERED_CALLBACKS,
        "client_key": provider.client_key,
        "client_secret": CLIENT_SECRET,
        "rsa_private_key": provider.rsa_private_key,
    }
    print(json.dumps(ready), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
