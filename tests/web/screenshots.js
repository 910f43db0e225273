// Pictures of the page for the documents: queues as in a small shop, one of them in trouble. See src/tool/web/screenshots.sh.
//
//   node screenshots.js FOLDER
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { World, eventually, row_of } = require('./support');

const k_history_ms = 62000; // a minute of rates, so that the lines are whole

/** Streams with these messages a second, each with a consumer. */
const k_streams = [
  ['payments', 'ledger', 180],
  ['mail/outbound', 'senders', 60],
  ['thumbnails', 'workers', 25],
  ['audit', 'archive', 400],
  ['sessions', 'web', 900],
  ['search/index', 'indexers', 140],
  ['telemetry', 'collector', 2500],
  ['jobs', 'workers', 8],
];

async function stage(world) {
  for (const [queue, group, rate] of k_streams) {
    world.tool('declare', queue, '--group', group, '--slots', '1024', '--stamps', 'coarse');
    world.spawn('beltway', ['sub', queue, '--group', group]).stdout.resume();
    world.spawn('beltway', [
      'pub',
      queue,
      JSON.stringify({ from: queue, total: 12.5 }),
      '--count',
      '100000000',
      '--rate',
      String(rate),
    ]);
  }
  world.tool('declare', 'orders', '--group', 'billing', '--group', 'shipping', '--slots', '256', '--stamps', 'coarse');
  const billing = world.spawn('beltway', ['sub', 'orders', '--group', 'billing', '--prefetch', '8']);
  billing.stdout.resume();
  world.spawn('beltway', ['sub', 'orders', '--group', 'shipping']).stdout.resume();
  world.spawn('beltway', [
    'pub',
    'orders',
    JSON.stringify({ order: 4711, customer: 'Ünal', total: 99.9 }),
    '--count',
    '100000000',
    '--rate',
    '20',
  ]);
  await new Promise((resolve) => setTimeout(resolve, k_history_ms));
  billing.kill('SIGSTOP');
  await eventually(() => world.show('orders').state.used === 256, 'orders is full');
}

async function shoot(world, folder, name, options, address = '') {
  const page = await world.open({ ...options, address });
  await (address ? page.locator('.strip rect').first() : row_of(page, 'orders').locator('.severity.trouble')).waitFor();
  await page.locator('.verdict.trouble').first().waitFor();
  await page.waitForTimeout(2500); // a few samples
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.context().close();
}

async function main(folder) {
  fs.mkdirSync(folder, { recursive: true });
  const world = new World();
  await world.start();
  try {
    await stage(world);
    const desk = { viewport: { width: 1280, height: 720 } };
    const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };
    const tall = { viewport: { width: 1280, height: 1100 } };
    await shoot(world, folder, 'overview-light', desk);
    await shoot(world, folder, 'queue-light', tall, '#/q/orders');
    await shoot(world, folder, 'overview-dark', { ...desk, colorScheme: 'dark' });
    await shoot(world, folder, 'queue-dark', { ...tall, colorScheme: 'dark' }, '#/q/orders');
    await shoot(world, folder, 'overview-phone', phone);
    await shoot(world, folder, 'queue-phone', phone, '#/q/orders');
  } finally {
    await world.end();
  }
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
