// How the page behaves under keys, on a phone, in the dark, and with very many queues.
'use strict';

const { assert, eventually, row_of, test, useWorld } = require('./support');

const world = useWorld();

async function without_side_scroll(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${content} pixels of content in ${window}`);
}

/** 0: black, 1: white. */
function lightness(color) {
  const [r, g, b] = color.match(/[\d.]+/g).map(Number);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

test('keys select, filter, open, go back and help', async () => {
  for (const name of ['alpha', 'beta', 'gamma']) world.tool('declare', name, '--group', `group-${name}`);
  const page = await world.open();
  await row_of(page, 'gamma').waitFor();
  const selected = (name) => page.waitForSelector(`.row.selected[data-queue=${name}]`);
  await page.keyboard.press('j');
  await selected('alpha');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await selected('gamma');
  await page.keyboard.press('k');
  await selected('beta');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("beta")');
  await page.keyboard.press('Escape');
  await page.waitForSelector('main.overview');
  await page.keyboard.press('/');
  await page.keyboard.type('group-gamma');
  await row_of(page, 'alpha').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.row[data-queue]').count(), 1);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await row_of(page, 'alpha').waitFor();
  await page.keyboard.press('?');
  await page.waitForSelector('dialog[open]:has-text("Terms")');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
});

test('every control has a name and each table its roles', async () => {
  const page = await world.open({ address: '#/q/alpha' });
  await page.waitForSelector('[data-group]');
  const nameless = () =>
    [...document.querySelectorAll('button, input, select, a')]
      .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length))
      .map((one) => one.outerHTML);
  assert.deepEqual(await page.evaluate(nameless), []);
  await page.evaluate(() => (location.hash = '#/'));
  await page.waitForSelector('main.overview');
  assert.deepEqual(await page.evaluate(nameless), []);
  assert.equal(await page.getByRole('table', { name: 'Queues' }).count(), 1);
  assert.equal(await page.locator('[aria-live=polite]').count(), 1);
});

test('a phone shows all of it without scrolling sideways', async () => {
  const page = await world.open({ viewport: { width: 360, height: 740 } });
  await row_of(page, 'alpha').waitFor();
  await without_side_scroll(page);
  await row_of(page, 'alpha').click();
  await page.waitForSelector('[data-group]');
  await without_side_scroll(page);
});

test('dark and light follow the system', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await world.open({ colorScheme });
    const [ground, text] = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.body).color,
    ]);
    if (colorScheme === 'dark') assert.ok(lightness(ground) < 0.2 && lightness(text) > 0.7, `${ground} ${text}`);
    else assert.ok(lightness(ground) > 0.9 && lightness(text) < 0.3, `${ground} ${text}`);
  }
});

test('two thousand queues are sorted and filtered, and only those in sight are drawn', async () => {
  const rates = { in_per_s: 0, out_per_s: 0, bytes_in_per_s: 0 };
  const rows = Array.from({ length: 2000 }, (_, i) => ({
    name: `queue-${String(i).padStart(4, '0')}`,
    slots: 1024,
    owner_uid: 0,
    readable: true,
    removed: false,
    position: 0,
    used: i % 1024,
    parked: 0,
    lag: (i * 7919) % 2000,
    rates: { ...rates, in_per_s: i },
    delay_ns: null,
    oldest_age_ns: null,
    producers: 1,
    consumers: 1,
    groups: [i % 2 ? 'odd' : 'even'],
    verdicts: [],
  }));
  const head = {
    at_s: 0,
    daemon_answers: true,
    daemon_gone_ns: null,
    daemon: { version: '1', pid: 1, socket: 's', layout: '1' },
    server: { read_only: true, user: 'u', host: 'h', version: '1' },
    rates,
    shared_bytes: 0,
    verdicts: [],
  };
  const event = `data: ${JSON.stringify({ ...head, whole: true, rows, gone: [], minutes: {} })}\n\n`;
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.addInitScript(() => delete globalThis.SharedWorker); // its requests cannot be replaced
  await context.route('**/api/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: event }));
  const page = await context.newPage();
  await page.goto(world.url);
  await row_of(page, 'queue-0000').waitFor();
  const names = () =>
    page
      .locator('.row[data-queue]')
      .evaluateAll((all) => all.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((one) => one.dataset.queue));
  const head_of = (name) => page.getByRole('columnheader', { name }).getByRole('button');
  await head_of('In/s').click();
  await eventually(async () => (await names())[0] === 'queue-1999', 'sorted by rate');
  await head_of('Lag').click();
  await eventually(
    async () => (await names())[0] === rows.reduce((a, b) => (a.lag > b.lag ? a : b)).name,
    'sorted by lag',
  );
  await head_of('Queue').click();
  await eventually(async () => (await names())[0] === 'queue-0000', 'sorted by name');
  assert.equal(await page.getByRole('table', { name: 'Queues' }).getAttribute('aria-rowcount'), '2001');
  assert.ok((await page.locator('.row[data-queue]').count()) < 60);
  await page.keyboard.press('G');
  await eventually(async () => (await names()).at(-1) === 'queue-1999', 'the end of the table');
  await page.keyboard.press('/');
  await page.keyboard.type('odd 199');
  await eventually(
    async () =>
      (await names()).join() === 'queue-0199,queue-1199,queue-1991,queue-1993,queue-1995,queue-1997,queue-1999',
    'filtered',
  );
  await context.close();
});
