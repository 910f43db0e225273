// What is drawn on the page of a queue: the ring with its floors, the past, and how old messages were.
'use strict';

const { assert, eventually, test, useWorld } = require('./support');

const world = useWorld();

/** The looks of the ring's cells and where its floors stand, as one text. */
const ring_of = (page) =>
  page.evaluate(() => {
    const cell = (rect) => `${rect.getAttribute('class')} ${rect.getAttribute('x')}+${rect.getAttribute('width')}`;
    const floor = (one) => `${one.innerText.replace(/\s+/g, ' ')} ${one.style.getPropertyValue('--at')}`;
    const all = (selector, text_of) => [...document.querySelectorAll(selector)].map(text_of).join('; ');
    return `${all('.strip rect', cell)} | ${all('.floor', floor)}`;
  });

/** Rows of a chart's picture in which its first line is drawn: few for a flat line. */
const height_of_line = (page, title) =>
  page.evaluate((wanted) => {
    const box = document.querySelector(`.chart [aria-label^="${wanted}"]`);
    const canvas = box?.querySelector('canvas');
    if (!canvas?.width || !canvas.height) return 0;
    const probe = document.createElement('i');
    probe.style.color = 'var(--accent)';
    box.append(probe);
    const color = getComputedStyle(probe).color.match(/\d+/g).map(Number);
    probe.remove();
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const rows = new Set();
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] > 200 && color.every((part, k) => Math.abs(data[i + k] - part) < 12))
        rows.add(Math.floor(i / 4 / canvas.width));
    return rows.size;
  }, title);

test('the ring is drawn live with its floors', async () => {
  world.tool('declare', 'ring', '--slots', '16', '--group', 'billing', '--group', 'audit');
  const page = await world.open({ address: '#/q/ring' });
  await page.waitForSelector('.floor');
  const empty = await ring_of(page);
  assert.match(empty, /billing/);
  assert.match(empty, /audit/);
  assert.doesNotMatch(empty, /waiting/);
  world.tool('pub', 'ring', ...Array(8).fill('x'));
  await eventually(async () => /look waiting/.test(await ring_of(page)), 'messages wait in the ring');
  const full = await ring_of(page);
  assert.match(await page.locator('.strip').getAttribute('aria-label'), /50 % waits for a consumer/);
  const floors = async () => (await ring_of(page)).split(' | ')[1];
  const before = await floors();
  world.tool('sub', 'ring', '--group', 'billing', '--count', '8');
  await eventually(async () => (await floors()) !== before, 'the floor of billing moves');
  assert.notEqual(await ring_of(page), full);
  // Both floors are told as show tells them.
  const left = async (group) =>
    page.locator(`.floor:has-text("${group}")`).evaluate((one) => Number.parseFloat(one.style.getPropertyValue('--at')));
  assert.ok((await left('billing')) > (await left('audit')));
  // At both ends of a full ring the names are whole.
  world.tool('pub', 'ring', ...Array(8).fill('x'));
  world.tool('sub', 'ring', '--group', 'billing', '--count', '8');
  await eventually(async () => (await left('billing')) === 100 && (await left('audit')) === 0, 'floors at both ends');
  const are_whole = await page.locator('.floor b').evaluateAll((names) =>
    names.every((name) => {
      const [inner, outer] = [name, name.closest('.floors')].map((each) => each.getBoundingClientRect());
      return inner.width > 0 && inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
    }),
  );
  assert.ok(are_whole, 'the names of floors are cut');
});

test('the charts draw the traffic', async () => {
  world.tool('declare', 'traffic', '--slots', '4096', '--group', 'g');
  const page = await world.open({ address: '#/q/traffic' });
  await page.locator('.chart [aria-label^="Lag"] canvas').waitFor();
  await eventually(async () => (await height_of_line(page, 'Lag')) > 0, 'a flat line is drawn');
  assert.ok((await height_of_line(page, 'Lag')) < 10);
  world.tool('pub', 'traffic', ...Array(300).fill('x'));
  await eventually(async () => (await height_of_line(page, 'Lag')) > 40, 'the lag goes up');
  assert.match(await page.locator('.chart [aria-label^="Lag"]').getAttribute('aria-label'), /: messages 0 to 300$/);
  const figure = page.locator('.chart', { hasText: 'Lag' });
  assert.equal(await figure.locator('.key .number').innerText(), '300');
  assert.equal(world.show('traffic').state.groups[0].depth, 300);
});

test('the buttons of the range choose how much of the past is drawn', async () => {
  world.tool('declare', 'past', '--group', 'g');
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 } });
  // An hour of which each part has another highest rate.
  await context.route('**/api/queues/past*', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const end = body.history.at(-1)?.at_s ?? 5000;
    const rate_at = (age) => (age < 60 ? 10 : age < 600 ? 200 : 3000);
    body.history = Array.from({ length: 3600 }, (_, i) => {
      const rate = rate_at(3599 - i);
      return { at_s: end - 3599 + i, in_per_s: rate, out_per_s: rate, lag: 0, oldest_age_s: 0 };
    });
    await route.fulfill({ response: answer, json: body });
  });
  const page = await world.open({ context, address: '#/q/past' });
  const label = () => page.locator('.chart [aria-label^="Messages/s"]').getAttribute('aria-label');
  const picture = () => page.evaluate(() => document.querySelector('.chart canvas').toDataURL());
  const pressed = () => page.locator('.charts .choice [aria-pressed=true]').innerText();
  await eventually(async () => /60 points: in 10 to 10,/.test(await label()), 'a minute');
  assert.equal(await pressed(), '1 min');
  const minute = await picture();
  await page.getByRole('button', { name: '10 min' }).click();
  await eventually(async () => /600 points: in 10 to 200,/.test(await label()), 'ten minutes');
  assert.equal(await pressed(), '10 min');
  await eventually(async () => (await picture()) !== minute, 'it is drawn');
  await page.getByRole('button', { name: '1 h' }).click();
  await eventually(async () => /3600 points: in 10 to 3\.00.k,/.test(await label()), 'an hour');
  assert.equal(await pressed(), '1 h');
  await context.unrouteAll({ behavior: 'ignoreErrors' });
});

test('ages of messages are drawn with those of show', async () => {
  world.tool('declare', 'timed', '--group', 'billing', '--stamps', 'fine');
  world.tool('declare', 'untimed', '--group', 'billing');
  world.tool('pub', 'timed', ...Array(20).fill('x'));
  const consumer = world.spawn('beltway', ['sub', 'timed', '--group', 'billing', '--follow']);
  await eventually(() => world.show('timed').state.groups[0].ages.delivered === 20, 'they are received');
  const page = await world.open({ address: '#/q/timed' });
  const chart = page.locator('[data-ages=billing]');
  await chart.waitFor();
  const counts = await chart.locator('rect').evaluateAll((all) => all.map((one) => Number(one.dataset.count)));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    20,
  );
  assert.match(await chart.locator('svg').getAttribute('aria-label'), /^billing: 20 messages; half within /);
  const { ages } = world.show('timed').state.groups[0];
  // In the unit that the page has chosen.
  const us = (text) => {
    const [value, unit] = text.split('\u202f');
    return Number(value) * { ns: 1e-3, µs: 1, ms: 1e3, s: 1e6 }[unit];
  };
  for (const key of ['p50', 'p99', 'max']) {
    const shown = us(await chart.locator(`[data-field=${key}]`).innerText());
    assert.ok(Math.abs(shown - ages[`${key}_us`]) <= ages[`${key}_us`] * 0.06, `${key}: ${shown}`);
  }
  await page.evaluate(() => (location.hash = '#/q/untimed'));
  await page.waitForSelector('h1:has-text("untimed")');
  await page.waitForSelector('[data-group=billing]');
  assert.equal(await page.locator('[data-ages]').count(), 0);
  consumer.kill('SIGTERM');
});

test('throughput and delay are named beside their figures and in the help', async () => {
  const page = await world.open({ address: '#/q/ring' });
  await page.waitForSelector('.figures');
  assert.match(await page.locator('.figures [data-field=in] dt').innerText(), /N\/T/);
  assert.match(await page.locator('.figures [data-field=delay] dt').innerText(), /N\/R/);
  await page.keyboard.press('?');
  const help = await page.locator('dialog').innerText();
  assert.match(help, /throughput N\/T/);
  assert.match(help, /delay N\/R/);
});
