// The event loop: it turns while messages stream, and it ends when nothing waits.
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const { Worker } = require('node:worker_threads');
const { assert, beltway, eventually, package_, pause, runText, test, useDaemon } = require('./support');

const daemon = useDaemon();

/** How often a timer of 1 ms fires in 300 ms of a loop that `step` keeps busy, and how many steps there were. */
async function timersBeside(step) {
  let fired = 0;
  const timer = setInterval(() => ++fired, 1);
  const end = Date.now() + 300;
  let steps = 0;
  while (Date.now() < end) {
    await step();
    ++steps;
  }
  clearInterval(timer);
  return { fired, steps };
}

test('timers fire while settled promises stream', async () => {
  const queue = await daemon.link.declare('busy', { slots: 1024, maxProducers: 1 });
  const producer = await queue.producer();
  const consumer = await queue.consumer();
  const many = Array(16).fill('x');
  const messages = consumer.messages();
  for (const step of [
    async () => { await producer.publish('x'); await consumer.receive(); },
    async () => { await producer.publish('x'); await messages.next(); },
    async () => { await producer.publishMany(many); await consumer.receiveMany(16); },
    async () => { await producer.publish('x', { key: 'k' }); await consumer.receiveInto(Buffer.alloc(8)); },
  ]) {
    const { fired, steps } = await timersBeside(step);
    assert.ok(steps > 1000 && fired > 30, `${fired} timers beside ${steps} steps: ${step}`);
  }
});

test('timers fire while another thread saturates a consumer', async () => {
  const queue = await daemon.link.declare('saturated', { slots: 4096 });
  const consumer = await queue.consumer();
  const worker = new Worker(`const beltway = require(${JSON.stringify(package_)});
    (async () => {
      const producer = await (await (await beltway.connect()).openQueue('saturated')).producer();
      for (;;) await producer.publish('x');
    })()`, { eval: true });
  await consumer.receive();
  const messages = consumer.messages();
  const { fired, steps } = await timersBeside(() => messages.next());
  assert.ok(steps > 1000 && fired > 30, `${fired} timers beside ${steps} messages`);
  await worker.terminate();
  await eventually(async () => (await queue.describe()).endpoints.every((each) => !each.producer));
});

test('a slow handler does not make timers wait for a whole burst', async () => {
  const queue = await daemon.link.declare('slow', { slots: 1024 });
  const consumer = await queue.consumer();
  await (await queue.producer()).publishMany(Array(400).fill('x'));
  let handled = 0;
  let handledAtTimer;
  setTimeout(() => (handledAtTimer = handled), 1);
  for await (const message of consumer) {
    const end = process.hrtime.bigint() + 200000n; // 0.2 ms
    while (process.hrtime.bigint() < end);
    if (++handled === 400) break;
  }
  assert.ok(handledAtTimer < 200, `${handledAtTimer} of 400 handlers ran before a timer of 1 ms`);
});

test('the context of an async local storage is kept by promises that are shared', async () => {
  const storage = new AsyncLocalStorage();
  const queue = await daemon.link.declare('contexts', { slots: 16, groups: ['g'] });
  const producer = await queue.producer();
  const consumer = await queue.consumer({ group: 'g' });
  const reader = (async () => {
    for (let i = 0; i < 120; ++i) (await consumer.receive()).ack();
  })();
  await Promise.all(['a', 'b', 'c'].map((name) => storage.run(name, async () => {
    for (let i = 0; i < 40; ++i) {
      await producer.publish('x');
      assert.equal(storage.getStore(), name);
    }
  })));
  await reader;
});

test('a process ends by itself when no call waits', async () => {
  const { code, out } = await runText(`
    const queue = await (await beltway.connect()).declare('ends', { groups: ['g'] });
    const producer = await queue.producer();
    const consumer = await queue.consumer({ group: 'g' });
    await consumer.receive({ timeout: 1 });
    await producer.publish('x');
    console.log((await consumer.receive()).text());`);
  assert.deepEqual([code, out], [0, 'x\n']);
});

test('a process lives while a call waits', async () => {
  const queue = await daemon.link.declare('lives', { groups: ['g'] });
  const child = runText(`
    const queue = await (await beltway.connect()).openQueue('lives');
    const consumer = await queue.consumer({ group: 'g' });
    console.log((await consumer.receive()).text());`);
  await queue.waitForConsumers(1, { timeout: 10000 });
  await pause(50);
  await (await queue.producer()).publish('at last');
  const { code, out } = await child;
  assert.deepEqual([code, out], [0, 'at last\n']);
});

test('a request to the daemon does not block the thread', async () => {
  daemon.process.kill('SIGSTOP');
  let fired = 0;
  const timer = setInterval(() => ++fired, 1);
  const answer = daemon.link.ping();
  await pause(100);
  daemon.process.kill('SIGCONT');
  assert.equal((await answer).version, beltway.version);
  clearInterval(timer);
  assert.ok(fired > 10, `${fired} timers`);
});
