// oauth-1.0a signs the plain HMAC cases that oauthlib signed: a third opinion.
//
// Reads {"requests": […]} from standard input, each as `tailorbird oauth1 sign` reads it; prints
// {"signatures": […]} in the same order.
'use strict';

const crypto = require('node:crypto');
const OAuth = require('oauth-1.0a');
const { report, settings } = require('./judge.cjs');

const DIGESTS = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256', 'HMAC-SHA512': 'sha512' };

function signature(request) {
  const method = request.oauth.oauth_signature_method;
  const oauth = new OAuth({
    consumer: { key: request.oauth.oauth_consumer_key, secret: request.consumer_secret },
    signature_method: method,
    hash_function: (base, key) => crypto.createHmac(DIGESTS[method], key).update(base).digest('base64'),
  });
  const data = Object.fromEntries(new URLSearchParams(request.body?.raw ?? ''));
  return oauth.getSignature(
    { url: request.url, method: request.method, data },
    request.token_secret,
    request.oauth,
  );
}

async function main() {
  const { requests } = await settings();
  report({ signatures: requests.map(signature) });
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
