// News come to all tabs, and come again after the daemon or the server was away.
'use strict';

const { assert, ended, eventually, row_of, test, useWorld } = require('./support');

const world = useWorld();
const used = async (page, queue) => (await row_of(page, queue).locator('.used').innerText()).replace(/[^\d/]/g, '');

test('eight tabs of one browser are live at once', async () => {
  world.tool('declare', 'orders', '--group', 'billing', '--slots', '64');
  const first = await world.open();
  const tabs = [first];
  while (tabs.length < 8) tabs.push(await world.open({ context: first.context() }));
  world.tool('pub', 'orders', 'one', 'two', 'three');
  for (const tab of tabs) await eventually(async () => (await used(tab, 'orders')) === '3/64', 'each tab shows it');
  // A page of a queue asks beside the stream: that goes on in all of them, too.
  for (const tab of tabs) await tab.evaluate(() => (location.hash = '#/q/orders'));
  for (const tab of tabs) await tab.waitForSelector('[data-group=billing]');
  await first.context().close();
});

test('death and return of the daemon are told', async () => {
  const page = await world.open();
  world.daemon.kill('SIGKILL');
  await ended(world.daemon);
  await page.waitForSelector('.banner:has-text("The daemon does not answer")');
  await row_of(page, 'orders').waitFor();
  await world.startDaemon();
  world.tool('declare', 'later');
  await row_of(page, 'later').waitFor();
  await page.locator('.banner:has-text("The daemon does not answer")').waitFor({ state: 'detached' });
});

test('death and return of the server are told', async () => {
  const page = await world.open();
  world.web.kill('SIGKILL');
  await ended(world.web);
  await page.waitForSelector('.banner:has-text("beltway web does not answer")');
  await page.waitForSelector('[data-field=link].old');
  await world.startWeb();
  await world.live(page);
  await page.locator('.banner').waitFor({ state: 'detached' });
  world.tool('declare', 'newest');
  await row_of(page, 'newest').waitFor();
});

test('a browser without the token is told what to open', async () => {
  const context = await world.browser.newContext();
  const page = await context.newPage();
  const answer = await page.goto(`http://127.0.0.1:${world.port}/`);
  assert.equal(answer.status(), 401);
  assert.match(await page.innerText('body'), /address that beltway web printed/);
  await context.close();
});

test('the token leaves the address bar and its history', async () => {
  const page = await world.open();
  assert.equal(new URL(page.url()).hash, '');
  assert.equal(new URL(page.url()).search, '');
  await page.reload();
  await world.live(page);
});
