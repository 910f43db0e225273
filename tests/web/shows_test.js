// What the page shows is what the commands show.
'use strict';

const { assert, eventually, number_in, row_of, test, useWorld } = require('./support');

const world = useWorld();

test('a queue is shown with the figures of show', async () => {
  world.tool('declare', 'orders', '--group', 'billing', '--group', 'audit', '--slots', '64');
  world.tool('pub', 'orders', ...Array(12).fill('x'));
  const consumer = world.spawn('beltway', ['sub', 'orders', '--group', 'billing']);
  await eventually(() => world.show('orders').state.groups.find((group) => group.name === 'billing').depth === 0);
  const page = await world.open({ address: '#/q/orders' });
  const shown = world.show('orders');
  await page.waitForSelector('[data-group=billing]');
  const figure = (name) => page.locator(`.figures [data-field=${name}] dd`);
  assert.equal((await figure('used').innerText()).replace(/[^\d/]/g, ''), `${shown.state.used}/${shown.queue.slots}`);
  assert.equal(await number_in(figure('position')), shown.state.position);
  for (const group of shown.state.groups) {
    const row = page.locator(`[data-group=${group.name}]`);
    for (const key of ['depth', 'available', 'leased', 'delayed', 'parked'])
      assert.equal(await number_in(row.locator(`[data-field=${key}]`)), group[key], `${group.name} ${key}`);
    assert.equal(await number_in(row.locator('[data-field=consumers]')), group.consumers.length);
  }
  for (const one of shown.state.consumers) {
    const row = page.locator(`[data-consumer="${one.index}"]`);
    assert.equal(await number_in(row.locator('[data-field=held]')), one.held);
    assert.equal(await number_in(row.locator('[data-field=messages]')), one.counters.messages);
    assert.match(await row.locator('[data-field=process]').innerText(), new RegExp(`^${one.pid} ${one.process}`));
    assert.equal(await row.locator('[data-field=user]').innerText(), one.user);
  }
  assert.equal(shown.state.consumers.length, 1);
  await page.locator('.facts summary').click();
  assert.equal(await page.locator('[data-option=mode]').innerText(), shown.queue.mode);
  assert.ok((await page.locator('.strip rect').count()) >= 1);
  consumer.kill('SIGTERM');
});

test('a producer is shown with the figures of show', async () => {
  world.tool('declare', 'full', '--slots', '4', '--group', 'workers');
  const producer = world.spawn('beltway', ['pub', 'full', 'a', 'b', 'c', 'd', 'e']);
  await eventually(() => world.show('full').state.producers[0]?.waits_for === 'ring');
  const page = await world.open({ address: '#/q/full' });
  const shown = world.show('full').state.producers;
  assert.equal(shown.length, 1);
  const row = page.locator(`[data-producer="${shown[0].index}"]`);
  await row.locator('.warning:has-text("waits for room")').waitFor();
  assert.equal(await number_in(row.locator('[data-field=messages]')), shown[0].counters.messages);
  assert.equal(await number_in(row.locator('[data-field=refused]')), shown[0].counters.refused);
  assert.equal(await number_in(row.locator('[data-field=lane]')), shown[0].lane_messages);
  const process_text = await row.locator('[data-field=process]').innerText();
  assert.match(process_text, new RegExp(`^${shown[0].pid} ${shown[0].process}`));
  assert.equal(await row.locator('[data-field=user]').innerText(), shown[0].user);
  producer.kill('SIGTERM');
  world.tool('remove', 'full', '--force');
});

test('the table shows each queue and leads to its page', async () => {
  const page = await world.open();
  const row = row_of(page, 'orders');
  assert.match(
    (await row.locator('.used').innerText()).replace(/[^\d/]/g, ''),
    new RegExp(`^${world.show('orders').state.used}/64$`),
  );
  await row.click();
  await page.waitForSelector('h1:has-text("orders")');
  assert.match(await page.title(), /^orders/);
});

test('names, descriptions and payloads are texts and never markup', async () => {
  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  world.tool('declare', 'markup', '--group', 'g', '--description', '<b>bold</b>');
  world.tool('pub', 'markup', markup, '{"a": [1, "<i>"]}');
  const page = await world.open({ address: '#/q/markup' });
  await page.getByRole('button', { name: 'Look' }).click();
  const first = page.locator('tr[data-position="0"]');
  await first.getByRole('button').click();
  assert.equal(await first.locator('pre').innerText(), markup);
  assert.equal(await page.locator('main img, main script, .payload i, .facts b').count(), 0);
  await page.getByRole('button', { name: 'JSON' }).click();
  const second = page.locator('tr[data-position="1"]');
  await second.getByRole('button').click();
  assert.equal(await second.locator('pre').innerText(), JSON.stringify({ a: [1, '<i>'] }, null, 2));
  await page.getByRole('button', { name: 'hex', exact: true }).click();
  assert.match(await first.locator('pre').innerText(), /^000000 {2}3c 69 6d 67 /);
  await page.locator('.messages input[type=search]').fill('nothing has this');
  assert.equal(await page.locator('tr[data-position]').count(), 0);
  assert.equal(world.show('markup').state.groups[0].available, 2);
});

test('a trouble comes with its words and remedies, is announced, and goes', async () => {
  world.tool('declare', 'small', '--slots', '4', '--group', 'workers');
  const page = await world.open();
  await row_of(page, 'small').waitFor();
  const producer = world.spawn('beltway', ['pub', 'small', 'a', 'b', 'c', 'd', 'e']);
  await row_of(page, 'small').locator('.severity.trouble').waitFor();
  const verdict = page.locator('.verdict.trouble').first();
  assert.match(await verdict.innerText(), /small/);
  assert.match(await verdict.locator('.remedy code').first().innerText(), /^(beltway|kill) /);
  await eventually(
    async () => (await page.locator('[data-field=news]').textContent()).includes('small'),
    'the live region tells it',
  );
  assert.equal(await page.locator('.table .row[data-queue]').first().getAttribute('data-queue'), 'small');
  assert.match(await page.title(), /^\(1\)/);
  world.tool('sub', 'small', '--group', 'workers', '--count', '5');
  await row_of(page, 'small').locator('.severity.ok').waitFor();
  producer.kill('SIGTERM');
});

test('the routes of a bridge stand on the page of their queue', async () => {
  world.tool('declare', 'bridged', '--group', 'bridge');
  const bridge = world.spawn('beltway', ['bridge', '--out', 'bridged=there', '--url', 'amqp://127.0.0.1:1']);
  const page = await world.open({ address: '#/q/bridged' });
  const route = page.locator('[data-route=out]');
  await route.filter({ hasText: 'reconnecting' }).waitFor();
  assert.match(await route.innerText(), /out there.*connect to amqp:\/\/127\.0\.0\.1:1/s);
  bridge.kill('SIGTERM');
  await route.waitFor({ state: 'detached' });
});
