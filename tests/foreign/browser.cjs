// A person at the sandbox's portal: headless Chromium, told what to do line by line.
//
// Each line of standard input is {"do": …}; each answer is one line of JSON: {"ok": …} or {"failed": …}.
// Labels and button words are the page's own, so that a page whose words are gone is noticed.
'use strict';

const readline = require('node:readline');
const { chromium } = require('playwright-core');

const PORTAL = process.env.PORTAL;
const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';
const STEP_MS = 30_000;

// What the page complained about: broken scripts, refused resources.
const complaints = [];

async function signInIfAsked(page) {
  const username = page.getByLabel('Username');
  if (!(await username.isVisible())) return;
  await username.fill('tailorbird_demo');
  await page.getByLabel('Password').fill('sandbox');
}

// Presses a button that leads to another page, and waits until that page is the one that is shown. A click alone
// returns before the navigation has begun, and whoever looks then still sees the page before.
async function follow(page, button) {
  await Promise.all([page.waitForEvent('framenavigated', { timeout: STEP_MS }), button.click()]);
  await page.waitForLoadState();
}

const steps = {
  async sign_in(page) {
    await page.goto(`${PORTAL}/signin`);
    await signInIfAsked(page);
    await follow(page, page.getByRole('button', { name: 'Sign in', exact: true }));
    return { title: await page.title() };
  },

  // Steps 1 to 4 of the tutorial: the form, then the key, the secret and the three addresses.
  async create_app(page, { name, description, website }) {
    await page.goto(`${PORTAL}/apps/new`);
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Description').fill(description);
    await page.getByLabel('Website').fill(website);
    await follow(page, page.getByRole('button', { name: 'Create app' }));
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    const facts = {};
    for (const field of await page.locator('[data-field]').all()) {
      facts[await field.getAttribute('data-field')] = (await field.textContent()).trim();
    }
    return { ...facts, app: new URL(page.url()).pathname, level: await page.locator('.badge').first().innerText() };
  },

  // Step 5: the radio buttons of the Settings tab.
  async set_level(page, { app, level }) {
    await page.goto(`${PORTAL}${app}`);
    await follow(page, page.getByRole('navigation', { name: 'App' }).getByRole('link', { name: 'Settings' }));
    await page.getByRole('radio', { name: level }).check();
    await follow(page, page.getByRole('button', { name: 'Update application type' }));
    const chosen = page.locator('input[type=radio]:checked');
    return { chosen: await chosen.evaluate((radio) => radio.closest('label').querySelector('.name').innerText) };
  },

  // The provider's side of step 9: the consent page, then the PIN.
  async consent(page, { url, decision }) {
    await page.goto(url);
    await signInIfAsked(page);
    const asked = await page.getByRole('heading', { level: 1 }).innerText();
    const abilities = (await page.locator('.abilities').innerText()).split('\n');
    const button = decision === 'cancel' ? 'Cancel' : /authorize app$/i;
    await follow(page, page.getByRole('button', { name: button }));
    const pin = page.locator('#pin');
    return {
      asked,
      abilities,
      pin: (await pin.isVisible()) ? (await pin.innerText()).replace(/\D/g, '') : null,
      heading: await page.getByRole('heading', { level: 1 }).innerText(),
    };
  },

  async heading(page, { path }) {
    await page.goto(path.startsWith('http') ? path : `${PORTAL}${path}`);
    return { heading: await page.getByRole('heading', { level: 1 }).innerText() };
  },

  async text(page, { path }) {
    await page.goto(`${PORTAL}${path}`);
    return { text: await page.locator('main, body').first().innerText() };
  },

  async picture(page, { path, file }) {
    await page.goto(`${PORTAL}${path}`);
    await page.screenshot({ path: file });
    return {};
  },

  async complaints() {
    return { complaints };
  },
};

async function main() {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // A container's root has no user namespaces for Chromium's own sandbox; only our loopback pages are opened.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    // A page that is left before its picture has come asks for it no more; on a slow machine that happens.
    if (why === 'net::ERR_ABORTED' && request.resourceType() === 'image') return;
    complaints.push(`${request.url()}: ${why}`);
  });

  console.log(JSON.stringify({ browser: browser.version() }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, ...given } = JSON.parse(line);
    try {
      console.log(JSON.stringify({ ok: await steps[name](page, given) }));
    } catch (problem) {
      const seen = await page.content().catch(() => '');
      console.log(JSON.stringify({ failed: `${name} at ${page.url()}: ${problem.message}`, seen: seen.slice(0, 4000) }));
    }
  }
  await browser.close();
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
