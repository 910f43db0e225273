// The page with two thousand queues of a living daemon.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { assert, eventually, row_of, test, useWorld } = require('./support');

const k_queues = 2000;
const world = useWorld(['--max-queues-per-user', String(2 * k_queues)]);
const name_of = (i) => `queue-${String(i).padStart(4, '0')}`;

function declare_all() {
  world.tool('declare', name_of(0), '--slots', '16', '--slot-bytes', '32', '--lane-bytes', '4096', '--group', 'g');
  const definitions = JSON.parse(world.tool('export'));
  const [one] = definitions.queues;
  definitions.queues = Array.from({ length: k_queues }, (_, i) => ({ ...one, name: name_of(i) }));
  const file = path.join(world.folder, 'definitions');
  fs.writeFileSync(file, JSON.stringify(definitions));
  world.tool('import', file);
}

test('two thousand queues are shown, sorted and filtered at once', async () => {
  declare_all();
  world.tool('pub', name_of(1234), ...Array(9).fill('x'));
  world.tool('pub', name_of(77), ...Array(5).fill('x'));
  const page = await world.open();
  const names = () =>
    page
      .locator('.row[data-queue]')
      .evaluateAll((all) => all.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((one) => one.dataset.queue));
  const head_of = (name) => page.getByRole('columnheader', { name }).getByRole('button');
  await eventually(
    async () =>
      (await page.getByRole('table', { name: 'Queues' }).getAttribute('aria-rowcount')) === String(k_queues + 1),
    'all queues',
  );
  await head_of('Lag').click();
  await eventually(async () => (await names()).slice(0, 2).join() === `${name_of(1234)},${name_of(77)}`, 'by lag');
  assert.equal((await row_of(page, name_of(1234)).locator('.used').innerText()).replace(/[^\d/]/g, ''), '9/16');
  assert.ok((await names()).length < 60, 'only rows in sight are drawn');
  await head_of('Queue').click();
  await eventually(async () => (await names())[0] === name_of(0), 'by name');
  await head_of('Queue').click();
  await eventually(async () => (await names())[0] === name_of(k_queues - 1), 'by name, backwards');
  world.tool('remove', name_of(k_queues - 1), '--force');
  await eventually(async () => (await names())[0] === name_of(k_queues - 2), 'one that is removed goes');
  await page.keyboard.press('/');
  await page.keyboard.type('queue-1234');
  await eventually(async () => (await names()).join() === name_of(1234), 'filtered');
  await row_of(page, name_of(1234)).click();
  await page.waitForSelector('[data-group=g]');
});
