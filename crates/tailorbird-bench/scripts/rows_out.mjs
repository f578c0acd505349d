// What an engineer writes by hand in Node: read the rows that are new, post each signed, mark it in a commit of its
// own. Arguments: database, address of the mock, how many in flight, then the four credentials.
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";

const [path, root, inFlight, key, secret, token, tokenSecret] = process.argv.slice(2);
const OAuth = createRequire(process.env.BENCH_NODE_MODULES + "/")("oauth-1.0a");

const db = new DatabaseSync(path);
db.exec("pragma journal_mode = wal; pragma synchronous = full");
const mark = db.prepare("update orders set sent = ? where id = ?");
const oauth = new OAuth({
  consumer: { key, secret },
  signature_method: "HMAC-SHA1",
  hash_function: (base, key) => createHmac("sha1", key).update(base).digest("base64"),
});
const url = root + "/orders";
const rows = db.prepare("select id, customer from orders where sent is null order by id").all();
let next = 0;

async function work() {
  while (next < rows.length) {
    const { id, customer } = rows[next++];
    const { Authorization } = oauth.toHeader(
      oauth.authorize({ url, method: "POST" }, { key: token, secret: tokenSecret }),
    );
    const answer = await fetch(url, {
      method: "POST",
      headers: { Authorization, "Content-Type": "application/json" },
      body: JSON.stringify({ number: id, text: `Order ${id} of customer ${customer} is on its way` }),
    });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
    mark.run((await answer.json()).data.id, id);
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, work));
