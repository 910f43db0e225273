// What the page does: each act is asked for first, and then done.
'use strict';

const { assert, eventually, test, useWorld } = require('./support');

const world = useWorld();
const group_of = (queue) => world.show(queue).state.groups[0];

async function confirm(page, name) {
  await page.locator('dialog').getByRole('button', { name, exact: true }).click();
  await page.locator('[data-field=done]').waitFor();
}

test('a group is paused, goes on, is reset and purged', async () => {
  world.tool('declare', 'orders', '--group', 'billing');
  world.tool('pub', 'orders', 'one', 'two', 'three');
  const page = await world.open({ address: '#/q/orders' });
  const row = page.locator('[data-group=billing]');
  await row.getByRole('button', { name: 'Pause' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.equal(group_of('orders').paused_ms, null, 'nothing happens without the confirmation');
  await row.getByRole('button', { name: 'Pause' }).click();
  await confirm(page, 'Pause');
  assert.notEqual(group_of('orders').paused_ms, null);
  await row.getByRole('button', { name: 'Resume' }).click();
  await confirm(page, 'Resume');
  assert.equal(group_of('orders').paused_ms, null);
  await row.getByRole('button', { name: 'Purge' }).click();
  await confirm(page, 'Purge');
  assert.match(await page.locator('[data-field=done]').innerText(), /purged 3 messages/);
  assert.equal(group_of('orders').available, 0);
  await row.getByRole('button', { name: 'Reset' }).click();
  await page.locator('dialog input').fill('1');
  await confirm(page, 'Reset');
  assert.equal(group_of('orders').available, 2);
});

test('an act that is refused says why and leaves the question open', async () => {
  const page = await world.open({ address: '#/q/orders' });
  await page.locator('[data-group=billing]').getByRole('button', { name: 'Reset' }).click();
  await page.locator('dialog input').fill('12345');
  await page.locator('dialog').getByRole('button', { name: 'Reset', exact: true }).click();
  assert.match(await page.locator('dialog [role=alert]').innerText(), /12345/);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  // The browser tells of each refusal.
  const refusal = 'Failed to load resource: the server responded with a status of 400 (Bad Request)';
  assert.deepEqual(world.complaints.splice(0), [refusal]);
});

test('dead letters are moved to the queue that is named', async () => {
  world.tool('declare', 'failed', '--group', 'keepers');
  world.tool('pub', 'failed', 'one', 'two');
  const page = await world.open({ address: '#/q/failed' });
  await page.getByRole('button', { name: 'Requeue' }).click();
  await page.getByLabel('To', { exact: true }).fill('orders');
  await confirm(page, 'Requeue');
  assert.match(await page.locator('[data-field=done]').innerText(), /requeued 2 messages/);
  assert.equal(group_of('failed').available, 0);
});

test('a queue is removed once its name is typed', async () => {
  const page = await world.open({ address: '#/q/failed' });
  await page.getByRole('button', { name: 'Remove' }).click();
  const button = page.locator('dialog').getByRole('button', { name: 'Remove', exact: true });
  assert.ok(await button.isDisabled());
  await page.locator('dialog input[name=confirm]').fill('faile');
  assert.ok(await button.isDisabled());
  await page.locator('dialog input[name=confirm]').fill('failed');
  await button.click();
  await page.waitForSelector('main.overview');
  await eventually(() => world.run('show', 'failed').status === 5);
  await page.locator('.row[data-queue=failed]').waitFor({ state: 'detached' });
});
