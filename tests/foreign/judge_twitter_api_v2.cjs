// twitter-api-v2, unmodified: its addresses are constants, so the connection goes to the sandbox's TLS
// port by an https.Agent and NODE_EXTRA_CA_CERTS; it believes that it talks to api.x.com.
//
// The PIN flow; v2: post, own account, media upload in chunks, a post with it; v1.1: a status; then what
// has to be refused. Reads settings as JSON from standard input, prints one JSON report.
'use strict';

const https = require('node:https');
const { TwitterApi } = require('twitter-api-v2');
const { approve, picture, report, settings } = require('./judge.cjs');

const V2_TEXT = "twitter-api-v2: 5 > 3 & it's “fine” ~ 100% (ok!) +1";
const V1_TEXT = "twitter-api-v2 on v1.1: a+b=c & d*e ~ it's 100% ünïcode";
const MEDIA_TEXT = 'twitter-api-v2: a post with a picture';

async function main() {
  const given = await settings();
  const address = new URL(given.tls);
  const httpAgent = new https.Agent({ host: address.hostname, port: Number(address.port) });
  const client = (tokens) => new TwitterApi(tokens, { httpAgent });
  const keys = { appKey: given.client_key, appSecret: given.client_secret };

  let link;
  try {
    link = await client(keys).generateAuthLink('oob', { linkMode: 'authorize' });
  } catch (problem) {
    report({ flow_refused: problem.code ?? String(problem) });
    return;
  }
  const pin = await approve(given, link.oauth_token);
  const login = await client({
    ...keys,
    accessToken: link.oauth_token,
    accessSecret: link.oauth_token_secret,
  }).login(pin);

  const signedIn = client({ ...keys, accessToken: login.accessToken, accessSecret: login.accessSecret });
  const me = await signedIn.v2.me();
  const post = await signedIn.v2.tweet(V2_TEXT);
  const status = await signedIn.v1.tweet(V1_TEXT);
  const mediaId = await signedIn.v2.uploadMedia(picture(), { media_type: 'image/png' });
  const withMedia = await signedIn.v2.tweet(MEDIA_TEXT, { media: { media_ids: [mediaId] } });
  const mentions = await signedIn.v2.userMentionTimeline(me.data.id, { max_results: 100 });
  await mentions.fetchLast(1000);

  const refusal = async (act) => {
    try {
      await act();
      return null;
    } catch (problem) {
      return problem.code ?? String(problem);
    }
  };
  const wrong = client({ ...keys, accessToken: login.accessToken, accessSecret: `${login.accessSecret}!` });
  report({
    flow_refused: null,
    authorize_host: new URL(link.url).host,
    me: { id: me.data.id, username: me.data.username },
    login: { id: login.userId, username: login.screenName },
    mentions: mentions.tweets.length,
    media_id: mediaId,
    posts: [
      { id: post.data.id, text: V2_TEXT },
      { id: status.id_str, text: V1_TEXT },
      { id: withMedia.data.id, text: MEDIA_TEXT },
    ],
    wrong_secret: await refusal(() => wrong.v2.tweet('never posted: wrong secret')),
  });
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
