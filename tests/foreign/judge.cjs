// What the Node judges share: their settings, the sandbox's door for scripts, and the report. A judge
// asserts nothing: the Rust test compares its report with what the sandbox says.
'use strict';

const zlib = require('node:zlib');

async function settings() {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  return JSON.parse(text);
}

function report(facts) {
  console.log(JSON.stringify(facts));
}

// What a person would do on the consent page.
async function approve(given, oauthToken) {
  const response = await fetch(`${given.admin.replace(/\/$/, '')}/approve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ oauth_token: oauthToken }),
  });
  if (!response.ok) throw new Error(`approve answered ${response.status}`);
  return (await response.json()).verifier;
}

// A PNG of 16 by 16 points, made here so that no binary file lies in the repository.
function picture() {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
    const frame = Buffer.alloc(8 + body.length);
    frame.writeUInt32BE(data.length, 0);
    body.copy(frame, 4);
    frame.writeUInt32BE(crc32(body), 4 + body.length);
    return frame;
  };
  const size = 16;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), ...Array(size).fill(Buffer.from([0x2e, 0x7d, 0x32]))]);
  const pixels = zlib.deflateSync(Buffer.concat(Array(size).fill(row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

// PNG's checksum, for a Node older than the one that has it in zlib.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

module.exports = { approve, picture, report, settings };
