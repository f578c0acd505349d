"""oauthlib signs seeded odd requests, so that `tailorbird oauth1 sign` can be compared with it.

Reads {"seed", "count"} from standard input. Prints {"cases": [{"request", "signature", "plain"}]}, each
request as `oauth1 sign` reads it. `plain` marks requests that the weaker signers can compute, too.
"""

import random
import string
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header

from judge import report, settings

METHODS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT")
FORM = "application/x-www-form-urlencoded"
ROOTS = (
    "https://api.example.com",
    "https://API.Example.COM:443",
    "http://api.example.com:80",
    "http://127.0.0.1:8080",
    "https://[2001:DB8::1]:8443",
    "http://user:word@api.example.com",
)
PATHS = ("/1.1/statuses/update.json", "/a%20b/c%2Fd", "/~user/(x)/y!", "", "/")
LETTERS = string.ascii_letters + string.digits
ODD = LETTERS + " +&=/?#%~!*'()[]@:;,$-._\"<>\\^`{|}" + "éß€漢字😀\u00a0"


def word(chance, letters, most):
    return "".join(chance.choice(letters) for _ in range(chance.randint(0, most)))


def encoded(chance, text):
    """As different clients write it: `%20` or `+`, with or without the escapes that nobody needs."""
    escaped = quote(text, safe=chance.choice(("", "~", "!*'()")))
    return escaped.replace("%20", chance.choice(("%20", "+")))


def pairs(chance, plain):
    chosen = []
    for number in range(chance.randint(0, 4)):
        name = f"p{number}" if plain else word(chance, ODD, 6) or "empty"
        chosen.append((name, word(chance, ODD, 12)))
    if chosen and not plain and chance.random() < 0.3:
        chosen.append((chosen[0][0], word(chance, ODD, 4)))
    return chosen


def written(chance, chosen, plain):
    if plain:
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in chosen)
    items = [f"{encoded(chance, name)}={encoded(chance, value)}" for name, value in chosen]
    if chance.random() < 0.2:
        items.append("flag")
    if chance.random() < 0.1:
        items.append("")
    return "&".join(items)


def case(chance, method, key):
    plain = chance.random() < 0.3
    root = ROOTS[0] if plain else chance.choice(ROOTS)
    query = written(chance, pairs(chance, plain), plain)
    url = root + (PATHS[0] if plain else chance.choice(PATHS)) + (f"?{query}" if query else "")
    if not plain and chance.random() < 0.1:
        url += "#part"
    verb = chance.choice(("GET", "POST", "PUT", "DELETE"))
    body = written(chance, pairs(chance, plain), plain) if verb != "GET" and chance.random() < 0.6 else ""
    # One key in query and body is two parameters, which the weaker signers get wrong.
    plain = plain and not (query and body)

    client = Client(
        "key" + word(chance, ODD, 8),
        client_secret=word(chance, ODD, 12) or "secret",
        resource_owner_key=("token" + word(chance, ODD, 8)) if chance.random() < 0.8 else None,
        resource_owner_secret=word(chance, ODD, 12) or None,
        signature_method=method,
        rsa_key=key,
        nonce="nonce" + word(chance, LETTERS, 20),
        timestamp=str(chance.randint(1_000_000_000, 1_999_999_999)),
        callback_uri="https://client.example.com/back?a=b%20c" if chance.random() < 0.2 else None,
        verifier=word(chance, ODD, 8) or None if chance.random() < 0.2 else None,
    )
    content = {"Content-Type": FORM} if body else {}
    _, headers, _ = client.sign(url, verb, body or None, content)
    sent = {name: unquote(value) for name, value in parse_authorization_header(headers["Authorization"])}
    signature = sent.pop("oauth_signature")
    request = {
        "method": chance.choice((verb, verb.lower())) if not plain else verb,
        "url": url,
        "oauth": sent,
        "consumer_secret": client.client_secret,
        "token_secret": client.resource_owner_secret or "",
    }
    if body:
        charset = chance.choice(("", "; charset=utf-8"))
        request["body"] = {"content_type": FORM + charset, "raw": body}
    if method.startswith("RSA"):
        request["rsa_private_key"] = key
    return {"request": request, "signature": signature, "plain": plain}


def main():
    given = settings()
    chance = random.Random(given["seed"])
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )
    cases = []
    while len(cases) < given["count"]:
        # RSA is slow in oauthlib (it reads the key each time): one case in seven of each kind is enough.
        method = chance.choice(METHODS)
        try:
            cases.append(case(chance, method, key if method.startswith("RSA") else None))
        except ValueError:
            # oauthlib refuses some texts that others sign; there is nothing to compare.
            continue
    report(cases=cases)


if __name__ == "__main__":
    main()
