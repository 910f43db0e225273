// What the page does: each act is asked for first, and then done.
'use strict';

const { assert, ended, eventually, test, useWorld } = require('./support');

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

test('one message is moved to the queue that is named', async () => {
  world.tool('declare', 'jobs', '--group', 'workers');
  world.tool('declare', 'aside', '--group', 'people');
  world.tool('pub', 'jobs', 'good', 'bad', 'also good');
  const page = await world.open({ address: '#/q/jobs' });
  const messages = page.locator('section.messages');
  await messages.getByLabel('Of').selectOption('workers');
  await messages.getByRole('button', { name: 'Look', exact: true }).click();
  const message = messages.locator('tr[data-position="1"]');
  await message.getByRole('button', { name: '1' }).click();
  await message.getByRole('button', { name: 'Move' }).click();
  const dialog = page.locator('dialog');
  assert.match(await dialog.innerText(), /Move the message at 1[^]*acknowledged for workers/);
  await dialog.getByLabel('To the queue').fill('nowhere');
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  assert.match(await dialog.locator('[role=alert]').innerText(), /nowhere/);
  assert.equal(group_of('jobs').available, 3, 'a move that is refused takes nothing away');
  await dialog.getByLabel('To the queue').fill('aside');
  await confirm(page, 'Move');
  assert.match(await page.locator('[data-field=done]').innerText(), /moved the message at position 1 to aside/);
  assert.equal(group_of('jobs').available, 2);
  assert.equal(JSON.parse(world.tool('peek', 'aside', '--format', 'json')).messages[0].text, 'bad');
});

test('a consumer is evicted, and its process is told', async () => {
  world.tool('declare', 'held', '--group', 'workers', '--evict-after', '1h');
  const worker = world.spawn('beltway', ['sub', 'held', '--group', 'workers']);
  const consumers = () => world.show('held').state.consumers;
  await eventually(() => consumers().length === 1);
  const [{ index, user }] = consumers();
  const page = await world.open({ address: '#/q/held' });
  const row = page.locator(`[data-consumer="${index}"]`);
  assert.equal(await row.locator('[data-field=user]').innerText(), user);
  await row.getByRole('button', { name: 'Evict' }).click();
  const dialog = page.locator('dialog');
  assert.match(await dialog.innerText(), new RegExp(`Evict consumer ${index}[^]*pid ${worker.pid}`));
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(consumers()[0].evicted, false, 'nothing happens without the confirmation');
  await row.getByRole('button', { name: 'Evict' }).click();
  await confirm(page, 'Evict');
  assert.match(await page.locator('[data-field=done]').innerText(), /evicted/);
  await ended(worker);
  assert.notEqual(worker.exitCode, 0);
  await row.waitFor({ state: 'detached' });
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
