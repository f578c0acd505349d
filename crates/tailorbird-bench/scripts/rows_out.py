"""What an engineer writes by hand in Python: read the rows that are new, post each signed, mark it in a commit of its
own. Arguments: database, address of the mock, then the four credentials."""

import sqlite3
import sys

from requests_oauthlib import OAuth1Session

path, root, key, secret, token, token_secret = sys.argv[1:]
database = sqlite3.connect(path)
database.execute("pragma journal_mode = wal")
database.execute("pragma synchronous = full")
session = OAuth1Session(key, secret, token, token_secret)
rows = database.execute("select id, customer from orders where sent is null order by id").fetchall()
for number, customer in rows:
    text = f"Order {number} of customer {customer} is on its way"
    answer = session.post(root + "/orders", json={"number": number, "text": text})
    if answer.status_code != 201:
        raise SystemExit(f"{answer.status_code}: {answer.text}")
    database.execute("update orders set sent = ? where id = ?", (answer.json()["data"]["id"], number))
    database.commit()
