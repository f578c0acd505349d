// A person at the server's pages: headless Chromium, with the keyboard, in light and dark, wide and narrow.
//
// It also is the provider: it answers each write, refuses some and drops some, so that there is something to decide.
// It prints {"provider": …}, reads one line {"link", "paths", "database", "shots"?} from standard input, and prints one report.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const readline = require('node:readline');
const { chromium } = require('playwright-core');

const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const STEP_MS = 30_000;
const FORMATS = [
  { width: 'wide', theme: 'light', viewport: { width: 1360, height: 860 } },
  { width: 'wide', theme: 'dark', viewport: { width: 1360, height: 860 } },
  { width: 'narrow', theme: 'light', viewport: { width: 400, height: 860 } },
  { width: 'narrow', theme: 'dark', viewport: { width: 400, height: 860 } },
];

function provider() {
  let taken = 0;
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      if (body.includes('lose me')) return request.socket.destroy();
      const [status, answer] = body.includes('refuse me')
        ? [422, { message: 'the word “refuse” is not allowed here' }]
        : [201, { data: { id: String(++taken) } }];
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

// Every page in every format: what axe finds, what is wider than the screen, what the page complains of.
async function look(context, link, paths, shots, report) {
  const page = await context.newPage();
  for (const path of paths) {
    for (const { width, theme, viewport } of FORMATS) {
      const where = `${path} ${width} ${theme}`;
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(new URL(path, link).href);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) report.faults.push(`${where}: ${over} px wider than the screen`);
      // Past the page's own policy, which lets no foreign script in.
      await page.evaluate(AXE);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      for (const violation of found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))) {
        report.faults.push(`${where}: ${violation.id}: ${violation.nodes[0].html.slice(0, 200)} ${violation.nodes[0].failureSummary}`);
      }
      report.looked += 1;
      if (shots) {
        const name = path.replace(/^\/$/, 'overview').replace(/[^a-z0-9]+/gi, '-').replace(/^-|-$/g, '');
        await page.screenshot({ path: `${shots}/${name}-${width}-${theme}.png`, fullPage: true });
      }
    }
  }
  await page.close();
}

// The whole page has the focus between its last element and its first.
const focused = (page) => page.evaluate(() => document.activeElement === document.body ? '' : document.activeElement?.innerText || document.activeElement?.getAttribute('aria-label') || document.activeElement?.tagName);

// Goes on with Tab until what has the focus says so, as somebody without a mouse does.
async function tabTo(page, words) {
  for (let count = 0; count < 160; count += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).includes(words)) return count + 1;
  }
  throw new Error(`the keyboard does not reach ${words} on ${page.url()}`);
}

async function press(page, key) {
  await Promise.all([page.waitForEvent('framenavigated', { timeout: STEP_MS }), page.keyboard.press(key)]);
  await page.waitForLoadState();
}

// The main way by keyboard alone: to the task, run it, see it end by itself, decide the doubt.
async function walk(context, link, report) {
  const page = await context.newPage();
  await page.setViewportSize({ width: 1360, height: 860 });
  await page.goto(new URL('/', link).href);
  await page.keyboard.press('Tab');
  report.first = await focused(page);
  await page.keyboard.press('g');
  await press(page, 't');
  report.tasks = await page.getByRole('heading', { level: 1 }).innerText();
  await tabTo(page, 'tell-the-shop');
  await press(page, 'Enter');
  await tabTo(page, 'Run now');
  await press(page, 'Enter');
  report.run = new URL(page.url()).pathname;
  // No reload: the section comes by itself.
  await page.locator('.badge', { hasText: 'succeeded' }).waitFor({ timeout: STEP_MS });
  report.counts = await page.locator('.numbers').innerText();
  await page.keyboard.press('g');
  await press(page, 'd');
  await page.keyboard.press('/');
  report.search = await page.evaluate(() => document.activeElement.name);
  await page.keyboard.type('lost');
  await press(page, 'Enter');
  await tabTo(page, 'lost-');
  await press(page, 'Enter');
  report.doubt = await page.locator('.head .badge').innerText();
  await tabTo(page, 'It was sent');
  await press(page, 'Enter');
  report.decided = await page.locator('.head .badge').innerText();
  report.said = await page.getByRole('status').innerText();
  await page.close();
}

// Goes on with Tab until the field of that name has the focus.
async function tabInto(page, name) {
  for (let count = 0; count < 160; count += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.name)) === name) return;
  }
  throw new Error(`the keyboard does not reach the field ${name} on ${page.url()}`);
}

async function type(page, name, text) {
  await tabInto(page, name);
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

// Chooses in a list by its first letters.
async function choose(page, name, text) {
  await tabInto(page, name);
  await page.keyboard.type(text);
}

// From a database to rows that went out, by keyboard alone: database, task, cards, dry run, run.
async function build(context, link, database, report) {
  const page = await context.newPage();
  await page.setViewportSize({ width: 1360, height: 860 });
  await page.goto(new URL('/', link).href);
  await page.keyboard.press('g');
  await press(page, 'b');
  await tabTo(page, 'Add a database');
  await press(page, 'Enter');
  await page.keyboard.type('desk');
  await type(page, 's-path', database);
  await tabInto(page, 'writable');
  await page.keyboard.press('ArrowDown');
  await tabTo(page, 'Try it and add it');
  await press(page, 'Enter');
  report.database = await page.getByRole('status').innerText();
  await page.keyboard.press('g');
  await press(page, 't');
  await tabTo(page, 'New task');
  await press(page, 'Enter');
  await tabTo(page, 'Empty');
  await press(page, 'Enter');
  await tabTo(page, 'Cards');
  await press(page, 'Enter');
  await tabTo(page, 'rows');
  await press(page, 'Enter');
  await choose(page, 'f:database', 'desk');
  await type(page, 'f:sql', "select id, text from moves where id like 'kept-%' order by id limit 2");
  await page.locator('.glass', { hasText: 'Pallet 1' }).waitFor({ timeout: STEP_MS });
  await choose(page, 'kind', 'call');
  await tabTo(page, 'Add');
  await press(page, 'Enter');
  await choose(page, 'f:connection', 'shop');
  await tabTo(page, 'Take over');
  await press(page, 'Enter');
  await choose(page, 'f:operation', 'create');
  await type(page, 'f:key', 'desk-{{ id }}');
  await type(page, 'k:with:0', 'text');
  await type(page, 'p:with:0', 'From the desk: {{ text }}');
  await page.locator('.glass', { hasText: 'From the desk: Pallet 1' }).waitFor({ timeout: STEP_MS });
  report.live = await page.locator('.glass').innerText();
  await tabTo(page, 'Dry run');
  await press(page, 'Enter');
  report.rehearsed = await page.locator('main').innerText();
  await tabTo(page, 'Save');
  await press(page, 'Enter');
  report.made = await page.getByRole('status').innerText();
  await tabTo(page, 'Run now');
  await press(page, 'Enter');
  await page.locator('.badge', { hasText: 'succeeded' }).waitFor({ timeout: STEP_MS });
  report.built = await page.locator('.numbers').innerText();
  await page.close();
}

// The same pages where scripts are switched off.
async function plain(browser, state, link, report) {
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: state });
  const page = await context.newPage();
  await page.goto(new URL('/tasks/tell-the-shop', link).href);
  await page.getByRole('button', { name: 'Dark' }).click();
  report.theme = await page.locator('html').getAttribute('data-theme');
  await page.getByRole('button', { name: 'Disable' }).click();
  report.plain = await page.getByRole('status').innerText();
  await context.close();
}

(async () => {
  const server = await provider();
  console.log(JSON.stringify({ provider: `http://127.0.0.1:${server.address().port}` }));
  const lines = readline.createInterface({ input: process.stdin });
  const [line] = await new Promise((resolve) => lines.once('line', (text) => resolve([text])));
  const { link, paths, shots, database } = JSON.parse(line);
  const report = { looked: 0, faults: [], left: [] };
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  try {
    const context = await browser.newContext();
    context.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') report.left.push(request.url());
    });
    context.on('console', (message) => {
      if (message.type() === 'error') report.faults.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => report.faults.push(`script: ${error.error().message}`));
    const page = await context.newPage();
    await page.goto(link);
    report.entered = new URL(page.url()).pathname;
    await page.close();
    await walk(context, link, report);
    await build(context, link, database, report);
    await look(context, link, paths, shots, report);
    await plain(browser, await context.storageState(), link, report);
  } catch (error) {
    report.failed = String(error.stack || error);
  }
  await browser.close();
  server.close();
  console.log(JSON.stringify(report));
  process.exit(0);
})();
