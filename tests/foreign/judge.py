"""What the Python judges share: their settings, the sandbox's door for scripts, and the report.

A judge reads one JSON object from standard input (`admin`, `api`, `client_key`, `client_secret`) and
prints one JSON object. It asserts nothing: the Rust test compares its report with what the sandbox says.
"""

import json
import struct
import sys
import zlib

import requests

TIMEOUT_SECONDS = 30


def settings():
    return json.load(sys.stdin)


def report(**facts):
    print(json.dumps(facts))


class Sandbox:
    """`/_sandbox/`: what a person would do on the consent page, for scripts."""

    def __init__(self, given):
        self.admin = given["admin"].rstrip("/")
        self.session = requests.Session()
        # The script door is loopback and plain http, whatever HTTPS_PROXY says.
        self.session.trust_env = False

    def approve(self, oauth_token):
        response = self.session.post(
            f"{self.admin}/approve", json={"oauth_token": oauth_token}, timeout=TIMEOUT_SECONDS
        )
        response.raise_for_status()
        return response.json()["verifier"]


def picture():
    """A PNG of 16 by 16 points, made here so that no binary file lies in the repository."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    size = 16
    rows = b"".join(b"\x00" + bytes((0x2E, 0x7D, 0x32)) * size for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
