// A person connects a service in the browser, from the first run to a tested connection, against the sandbox: by
// keyboard, with the tutorial's mistakes, by a code and by a callback; then finds out why a call is refused.
//
// It reads one line {"link", "again", "api", "admin", "server", "shots"?} from standard input, and prints one report.
'use strict';

const fs = require('node:fs');
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

// The page that is shown, in every format: what axe finds, what is wider than the screen. Forms stay as they are.
async function look(page, name, shots, report) {
  for (const { width, theme, viewport } of FORMATS) {
    const where = `${name} ${width} ${theme}`;
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) report.faults.push(`${where}: ${over} px wider than the screen`);
    await page.evaluate(AXE);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const violation of found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))) {
      report.faults.push(`${where}: ${violation.id}: ${violation.nodes[0].html.slice(0, 200)} ${violation.nodes[0].failureSummary}`);
    }
    report.looked += 1;
    if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${theme}.png`, fullPage: true });
  }
  await page.setViewportSize(FORMATS[0].viewport);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
}

const focused = (page) =>
  page.evaluate(() => {
    const one = document.activeElement;
    if (one === document.body) return '';
    return one?.labels?.[0]?.innerText || one?.innerText || one?.getAttribute('aria-label') || one?.tagName || '';
  });

// Goes on with Tab until what has the focus says so, as somebody without a mouse does.
async function tabTo(page, words) {
  if ((await focused(page)).includes(words)) return;
  for (let count = 0; count < 90; count += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).includes(words)) return;
  }
  throw new Error(`the keyboard does not reach ${words} on ${page.url()}`);
}

async function press(page, key) {
  await Promise.all([page.waitForEvent('framenavigated', { timeout: STEP_MS }), page.keyboard.press(key)]);
  await page.waitForLoadState();
}

async function follow(page, button) {
  await Promise.all([page.waitForEvent('framenavigated', { timeout: STEP_MS }), button.click()]);
  await page.waitForLoadState();
}

async function type(page, label, text) {
  await tabTo(page, label);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

const told = (page, selector) => page.locator(selector).first().innerText();

async function register(admin, name, callbacks, level = 'read_write') {
  const answer = await fetch(`${admin}/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, description: 'Connected in the browser', website: 'https://example.com/shop', level, callbacks }),
  });
  return answer.json();
}

// The provider's side: sign in where it asks, approve.
async function approve(page) {
  await page.waitForLoadState();
  const username = page.getByLabel('Username');
  if (await username.isVisible()) {
    await username.fill('tailorbird_demo');
    await page.getByLabel('Password').fill('sandbox');
  }
  await follow(page, page.getByRole('button', { name: /authorize app$/i }));
}

async function pinOf(context, page) {
  const [popup] = await Promise.all([context.waitForEvent('page', { timeout: STEP_MS }), press2(page)]);
  await approve(popup);
  const pin = (await popup.locator('#pin').innerText()).replace(/\D/g, '');
  await popup.close();
  return pin;
}

// The big button opens another tab, so this one goes nowhere.
async function press2(page) {
  await tabTo(page, 'to approve');
  await page.keyboard.press('Enter');
}

// First run to a tested connection, by keyboard, with the tutorial's mistakes on the way.
async function byKeyboard(context, given, report, shots) {
  const page = await context.newPage();
  await page.setViewportSize(FORMATS[0].viewport);
  const app = await register(given.admin, 'By code', []);
  await page.goto(new URL('/', given.link).href);
  report.ways = await page.locator('.way h3').allInnerTexts();
  await look(page, 'greeting', shots, report);
  await tabTo(page, 'Connect a service');
  await press(page, 'Enter');
  await look(page, 'catalogue', shots, report);
  await tabTo(page, 'New REST web service');
  await press(page, 'Enter');
  await look(page, 'new-rest-service', shots, report);
  await type(page, 'Name', 'company');
  await type(page, 'Root URL', given.api);
  await tabTo(page, 'Make the connection');
  await press(page, 'Enter');
  // Mistake 1: key and secret are swapped.
  await type(page, 'Consumer Key', app.client_secret);
  await type(page, 'Shared Secret', app.client_key);
  await press(page, 'Enter');
  report.swapped = await told(page, '.notice.wait');
  report.dots = await page.locator('.tabs a:has(.dot)').allInnerTexts();
  await look(page, 'authentication', shots, report);
  await tabTo(page, 'Get access token and secret');
  await press(page, 'Enter');
  await look(page, 'wizard-1', shots, report);
  await type(page, 'Request token URL', `${given.api}/oauth/request_token`);
  await press(page, 'Enter');
  await look(page, 'wizard-2', shots, report);
  // Mistake 2: the tutorial's own, the access-token address in the authorize box.
  await type(page, 'Authorize URL', `${given.api}/oauth/access_token`);
  await press(page, 'Enter');
  report.misplaced = await told(page, '.field-error');
  report.keptTyping = await page.getByLabel('Authorize URL').inputValue();
  await look(page, 'wizard-2-misplaced', shots, report);
  await type(page, 'Authorize URL', `${given.api}/oauth/authorize`);
  await press(page, 'Enter');
  report.refusedStart = await told(page, '.verdict.bad');
  // The cause, and the one button for it.
  await page.goto(new URL('/connections/company/diagnose', given.link).href);
  await tabTo(page, 'Find the cause');
  await press(page, 'Enter');
  report.cause = await told(page, '.verdict.bad');
  await look(page, 'diagnosis-swapped', shots, report);
  report.leaked = (await page.content()).includes(app.client_secret);
  await tabTo(page, 'Give the keys anew');
  await press(page, 'Enter');
  await type(page, 'Consumer Key', app.client_key);
  await type(page, 'Shared Secret', app.client_secret);
  await press(page, 'Enter');
  report.stored = await told(page, '.field .hint');
  await tabTo(page, 'Get access token and secret');
  await press(page, 'Enter');
  await tabTo(page, 'Continue');
  await press(page, 'Enter');
  await tabTo(page, 'Get the request token');
  await press(page, 'Enter');
  await look(page, 'wizard-3', shots, report);
  const pin = await pinOf(context, page);
  // Mistake 3: a wrong PIN.
  await type(page, 'Verification Code', pin === '1234567' ? '7654321' : '1234567');
  await press(page, 'Enter');
  await type(page, 'Access token URL', `${given.api}/oauth/access_token`);
  await look(page, 'wizard-4', shots, report);
  await press(page, 'Enter');
  report.wrongPin = await told(page, '.field-error');
  await look(page, 'wizard-3-wrong', shots, report);
  // As people copy it: in groups.
  await type(page, 'Verification Code', ` ${pin.slice(0, 3)} ${pin.slice(3)} `);
  await press(page, 'Enter');
  report.rail = await page.locator('.rail li.past').allInnerTexts();
  await tabTo(page, 'Get access token and secret');
  await press(page, 'Enter');
  report.done = await told(page, '.done h2');
  await look(page, 'wizard-done', shots, report);
  await tabTo(page, 'Test it');
  await press(page, 'Enter');
  report.tested = await told(page, '.done h2');
  await page.close();
}

// From the catalogue, by the callback at the server's own address; account and level.
async function byCallback(context, given, report, shots) {
  const page = await context.newPage();
  await page.setViewportSize(FORMATS[0].viewport);
  const app = await register(given.admin, 'By callback', [`${given.server}/oauth/callback`]);
  await page.goto(new URL('/catalogue?q=api+v2', given.link).href);
  await follow(page, page.getByRole('link', { name: 'X (API v2)', exact: true }));
  await look(page, 'new-connection', shots, report);
  await page.getByLabel('Name', { exact: true }).fill('x-live');
  await page.getByLabel('Root URL').fill(given.api);
  await follow(page, page.getByRole('button', { name: 'Make the connection' }));
  await page.getByLabel('API Key', { exact: true }).fill(app.client_key);
  await page.getByLabel('API Key Secret').fill(app.client_secret);
  await follow(page, page.getByRole('button', { name: 'Save' }).first());
  await follow(page, page.getByRole('link', { name: 'Get access token and secret' }).first());
  await page.getByRole('radio', { name: /By this browser/ }).check();
  await follow(page, page.getByRole('button', { name: 'Continue' }));
  await follow(page, page.getByRole('button', { name: 'Get the request token' }));
  await follow(page, page.getByRole('link', { name: /to approve/ }));
  await approve(page);
  report.cameBack = new URL(page.url()).pathname + new URL(page.url()).search;
  await look(page, 'wizard-4-callback', shots, report);
  await follow(page, page.getByRole('button', { name: 'Get access token and secret' }));
  report.callbackDone = await told(page, '.done h2');
  report.level = await told(page, '.done .badge');
  await look(page, 'wizard-done-level', shots, report);
  await follow(page, page.getByRole('button', { name: 'Test it' }).first());
  report.callbackTested = await told(page, '.done');
  await look(page, 'tested', shots, report);
  for (const tab of ['general', 'root', 'operations', 'limits', 'test']) {
    await page.goto(new URL(`/connections/x-live?tab=${tab}`, given.link).href);
    await look(page, `tab-${tab}`, shots, report);
  }
  await page.close();
  return app;
}

// Trying an operation: a listing of two pages, and a write that asks first.
async function tries(context, given, report, shots) {
  const page = await context.newPage();
  await page.setViewportSize(FORMATS[0].viewport);
  await page.goto(new URL('/connections/x-live/try?operation=list_mentions', given.link).href);
  await page.getByLabel('Pages').selectOption('2');
  await follow(page, page.getByRole('button', { name: 'Send', exact: true }));
  report.mentions = await told(page, '#answer .card-foot');
  await look(page, 'try-listing', shots, report);
  await page.goto(new URL('/connections/x-live/try?operation=create_post', given.link).href);
  await page.getByLabel('text', { exact: true }).fill('Tried by hand, once');
  await follow(page, page.getByRole('button', { name: 'Send …' }));
  report.asks = await told(page, '.asks .what');
  await page.locator('#request summary').first().click();
  await look(page, 'try-asks', shots, report);
  await follow(page, page.getByRole('button', { name: 'Send it now' }));
  report.sent = await told(page, '#answer .card-head');
  await look(page, 'try-sent', shots, report);
  await page.close();
}

// A refused call, its base string and its cause.
async function diagnosed(context, given, app, report, shots) {
  const page = await context.newPage();
  await page.setViewportSize(FORMATS[0].viewport);
  const auth = new URL('/connections/x-live?tab=auth', given.link).href;
  await page.goto(auth);
  await page.getByLabel('API Key Secret').fill(`${app.client_secret.slice(0, -1)}x`);
  await follow(page, page.getByRole('button', { name: 'Save' }).first());
  await follow(page, page.getByRole('button', { name: 'Test it' }).first());
  report.refused = await told(page, '.verdict.bad .what');
  await follow(page, page.getByRole('button', { name: 'Find the cause' }));
  report.why = await told(page, '.verdict.bad');
  await page.getByText('How it is signed, step by step').click();
  report.baseString = await page.locator('.signing pre').last().innerText();
  await look(page, 'diagnosis', shots, report);
  await follow(page, page.getByRole('link', { name: 'Give the keys anew' }));
  report.next = new URL(page.url()).search;
  await page.getByLabel('API Key Secret').fill(app.client_secret);
  await follow(page, page.getByRole('button', { name: 'Save' }).first());
  await follow(page, page.getByRole('button', { name: 'Test it' }).first());
  report.mended = await told(page, '.done h2');
  await page.close();
}

// Two tabs edit one connection; a session ends in the middle of a form.
async function together(context, given, report, shots) {
  const [one, two] = [await context.newPage(), await context.newPage()];
  const limits = new URL('/connections/x-live?tab=limits', given.link).href;
  for (const page of [one, two]) {
    await page.setViewportSize(FORMATS[0].viewport);
    await page.goto(limits);
  }
  await two.getByLabel('Requests at once').fill('8');
  await follow(two, two.getByRole('button', { name: 'Save' }));
  await one.getByLabel('Requests at once').fill('3');
  await follow(one, one.getByRole('button', { name: 'Save' }));
  report.conflict = await told(one, '.verdict.bad .what');
  report.theirs = await told(one, '.field-now');
  report.mine = await one.getByLabel('Requests at once').inputValue();
  await look(one, 'conflict', shots, report);
  await follow(one, one.getByRole('button', { name: 'Save' }));
  report.resolved = await told(one, '[role=status]');
  await two.goto(new URL('/connections/x-live?tab=auth', given.link).href);
  await two.getByLabel('Realm').fill('half-typed');
  await two.getByLabel('API Key Secret').fill('canary-secret-typed');
  await follow(one, one.getByRole('button', { name: 'Leave' }));
  await follow(two, two.getByRole('button', { name: 'Save' }).first());
  report.ended = await told(two, 'h2');
  await look(two, 'session-ended', shots, report);
  await one.goto(given.again);
  await follow(two, two.getByRole('button', { name: 'Go on with what I typed' }));
  report.asksAgain = await told(two, '.facts');
  await look(two, 'send-again', shots, report);
  await follow(two, two.getByRole('button', { name: 'Send it now' }));
  report.backOn = new URL(two.url()).search;
  report.keptField = await two.getByLabel('Realm').inputValue();
  report.keptSecret = (await two.content()).includes('canary-secret-typed') || report.asksAgain.includes('canary-secret-typed');
  await one.close();
  await two.close();
}

// The provider's clock runs past the life of a request token between approval and exchange.
async function expires(context, given, report, shots) {
  const page = await context.newPage();
  await page.setViewportSize(FORMATS[0].viewport);
  await page.goto(new URL('/connections/company/authorize?screen=1', given.link).href);
  await tabTo(page, 'Continue');
  await press(page, 'Enter');
  await tabTo(page, 'Get the request token');
  await press(page, 'Enter');
  const pin = await pinOf(context, page);
  await fetch(`${given.admin}/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advance_s: 900 }),
  });
  await type(page, 'Verification Code', pin);
  await press(page, 'Enter');
  await tabTo(page, 'Get access token and secret');
  await press(page, 'Enter');
  report.expired = await told(page, '.verdict .what');
  report.startsAgain = await told(page, '.rail .current');
  await look(page, 'wizard-expired', shots, report);
  await page.close();
}

// The same without script, and the service's file.
async function plain(browser, state, given, report, shots) {
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: state });
  const page = await context.newPage();
  await page.goto(new URL('/new-service?from=x', given.link).href);
  const yaml = await page.getByLabel('YAML').inputValue();
  await page.getByLabel('YAML').fill(yaml.replace('method: POST', 'method: PSOT'));
  await page.getByRole('button', { name: 'Add the service' }).click();
  report.problem = await told(page, 'table tbody tr');
  await page.getByLabel('YAML').fill(yaml);
  await page.getByRole('button', { name: 'Add the service' }).click();
  report.added = await told(page, '[role=status]');
  await context.close();
  const looking = await browser.newContext({ storageState: state });
  const second = await looking.newPage();
  for (const [path, name] of [['/services/x', 'service-shipped'], ['/services/x-copy', 'service-own'], ['/connections', 'connections'], ['/connections/company/remove', 'remove']]) {
    await second.goto(new URL(path, given.link).href);
    await look(second, name, shots, report);
  }
  await looking.close();
}

(async () => {
  const lines = readline.createInterface({ input: process.stdin });
  const line = await new Promise((resolve) => lines.once('line', resolve));
  const { shots, ...given } = JSON.parse(line);
  const report = { looked: 0, faults: [], left: [] };
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  let page;
  try {
    const context = await browser.newContext();
    context.setDefaultTimeout(STEP_MS);
    context.on('request', (request) => {
      if (new URL(request.url()).hostname !== '127.0.0.1') report.left.push(request.url());
    });
    context.on('console', (message) => {
      // A form that is refused answers with 4xx on purpose, and the browser notes that.
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) report.faults.push(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => report.faults.push(`script: ${error.error().message}`));
    page = await context.newPage();
    await page.goto(given.link);
    await page.close();
    await byKeyboard(context, given, report, shots);
    const app = await byCallback(context, given, report, shots);
    await tries(context, given, report, shots);
    await diagnosed(context, given, app, report, shots);
    await together(context, given, report, shots);
    await plain(browser, await context.storageState(), given, report, shots);
    await expires(context, given, report, shots);
  } catch (error) {
    report.failed = String(error.stack || error);
    const open = browser.contexts().flatMap((context) => context.pages()).pop();
    report.seen = open ? `${open.url()}\n${(await open.locator('body').innerText().catch(() => '')).slice(0, 3000)}` : '';
  }
  await browser.close();
  console.log(JSON.stringify(report));
  process.exit(0);
})();
