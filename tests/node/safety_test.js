// How processes, threads and objects end, and what becomes of the messages that they held.
'use strict';

const { fork } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const { setImmediate: turn } = require('node:timers/promises');
const { assert, eventually, package_, runText, start, test, useDaemon } = require('./support');

if (process.env.BELTWAY_TEST_CHILD !== undefined) {
  // The child of the last test.
  const beltway = require(package_);
  beltway.connect((error, link) => link.openQueue(process.env.BELTWAY_TEST_CHILD, (error, queue) => {
    queue.producer((error, producer) => producer.publish('from the child', () => process.exit(0)));
  }));
  return;
}

const daemon = useDaemon();

/** A queue with `count` messages. */
async function filled(name, count = 1, options = {}) {
  const queue = await daemon.link.declare(name, { groups: ['g'], retryDelay: 0, ...options });
  const producer = await queue.producer();
  for (let i = 0; i < count; ++i) await producer.publish(String(i));
  producer.close();
  return queue;
}
async function expectDeliveredAgain(queue, text = '0') {
  const consumer = await queue.consumer({ group: 'g' });
  const message = await consumer.receive({ timeout: 10000 });
  assert.deepEqual([message?.text(), message?.deliveries], [text, 2]);
  message.ack();
  consumer.close();
}
const hold = (name) => `
  const queue = await (await beltway.connect()).openQueue('${name}');
  const consumer = await queue.consumer({ group: 'g' });
  globalThis.message = await consumer.receive();`;

test('what a process holds goes back when it exits', async () => {
  const queue = await filled('exits');
  const { code } = await runText(`${hold('exits')} consumer.receive(); process.exit(3);`);
  assert.equal(code, 3);
  await expectDeliveredAgain(queue);
});

test('what a process holds goes back after an unhandled rejection', async () => {
  const queue = await filled('rejects');
  const { code, error } = await runText(`${hold('rejects')} throw new Error('a handler failed');`);
  assert.equal(code, 1);
  assert.match(error, /a handler failed/);
  await expectDeliveredAgain(queue);
});

test('what a process holds goes back after an exception in a callback', async () => {
  const queue = await filled('throws');
  const { code, error } = await runText(`
    const queue = await (await beltway.connect()).openQueue('throws');
    const consumer = await queue.consumer({ group: 'g' });
    consumer.consume((error, message) => { throw new Error('a callback failed'); });`);
  assert.equal(code, 1);
  assert.match(error, /a callback failed/);
  await expectDeliveredAgain(queue);
});

test('a process that waits is ended by SIGINT and by SIGKILL', async () => {
  const queue = await filled('killed', 2);
  for (const signal of ['SIGINT', 'SIGKILL']) {
    const { child, ended } = start(['-e', `const beltway = require(${JSON.stringify(package_)});
      (async () => { ${hold('killed')} await consumer.receive(); console.log('holds'); await consumer.receive(); })()`]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill(signal);
    assert.equal((await ended).signal, signal);
  }
  const consumer = await queue.consumer({ group: 'g' });
  const messages = await eventually(async () => {
    const some = await consumer.receiveMany(2);
    return some.length === 2 ? some : some.forEach((each) => each.nack(0));
  });
  assert.deepEqual(messages.map(({ deliveries }) => deliveries >= 3), [true, true]);
});

test('a consumer that is garbage gives back what it held', { skip: global.gc === undefined && 'needs --expose-gc' }, async () => {
  const queue = await filled('garbage', 3);
  await (async () => {
    const consumer = await queue.consumer({ group: 'g' });
    for (let i = 0; i < 3; ++i) await consumer.receive();
    await consumer.receive({ timeout: 1 }); // it has waited, and waits no more
  })();
  await eventually(async () => {
    global.gc();
    await turn();
    return (await queue.describe()).endpoints.length === 0;
  });
  await expectDeliveredAgain(queue, '0');
});

test('a message keeps its consumer', { skip: global.gc === undefined && 'needs --expose-gc' }, async () => {
  const queue = await filled('kept');
  const message = await (async () => (await queue.consumer({ group: 'g' })).receive())();
  for (let i = 0; i < 5; ++i) {
    global.gc();
    await turn();
  }
  assert.equal(message.text(), '0');
  assert.equal(message.ack(), true);
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
});

test('a consumer that waits is not garbage', { skip: global.gc === undefined && 'needs --expose-gc' }, async () => {
  const queue = await filled('waiting', 0);
  const text = (async () => (await (await queue.consumer({ group: 'g' })).receive()).text())();
  await queue.waitForConsumers(1, { timeout: 10000 });
  for (let i = 0; i < 5; ++i) {
    global.gc();
    await turn();
  }
  await (await queue.producer()).publish('x');
  assert.equal(await text, 'x');
});

test('the data of messages outlives message and consumer and queue', async () => {
  const queue = await filled('outlived', 5);
  const consumer = await queue.consumer({ group: 'g' });
  const messages = await consumer.receiveMany(5);
  const data = messages.slice(1).map((message) => message.data);
  messages.forEach((message) => message.ack());
  consumer.close();
  await daemon.link.remove('outlived');
  assert.equal(messages[0].text(), '0');
  assert.deepEqual(data.map(String), ['1', '2', '3', '4']);
  assert.deepEqual([messages[0].ack(), messages[0].nack(), messages[0].stillHeld()], [false, false, false]);
});

test('a worker that is terminated in the middle of waits gives back what it held', async () => {
  const queue = await filled('workers', 1);
  for (let round = 0; round < 5; ++round) {
    const worker = new Worker(`const beltway = require(${JSON.stringify(package_)});
      const { parentPort } = require('node:worker_threads');
      (async () => { ${hold('workers')} parentPort.postMessage(message.text()); beltway.connect();
        const other = await queue.producer(); consumer.receive();
        for (;;) await consumer.receive({ timeout: 1 }); })()`, { eval: true });
    const text = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.equal(text, '0');
    await worker.terminate();
    await eventually(async () => (await queue.describe()).endpoints.length === 0);
  }
  const message = await (await queue.consumer({ group: 'g' })).receive({ timeout: 10000 });
  assert.equal(message.deliveries, 6);
});

test('workers have the module at the same time and each its own endpoints', async () => {
  const queue = await filled('parallel', 0, { slots: 256 });
  const workers = Array.from({ length: 3 }, (_, id) => new Promise((resolve, reject) => {
    const worker = new Worker(`const beltway = require(${JSON.stringify(package_)});
      (async () => {
        const producer = await (await (await beltway.connect()).openQueue('parallel')).producer();
        for (let i = 0; i < 500; ++i) await producer.publish('${id}');
        try { await producer.publish(7); } catch (error) { if (!(error instanceof beltway.BeltwayError)) throw error; }
      })()`, { eval: true });
    worker.once('error', reject).once('exit', resolve);
  }));
  const consumer = await queue.consumer({ group: 'g' });
  const counts = [0, 0, 0];
  for (let i = 0; i < 1500; ++i) {
    const message = await consumer.receive({ timeout: 20000 });
    ++counts[Number(message.text())];
    message.ack();
  }
  assert.deepEqual(counts, [500, 500, 500]);
  assert.deepEqual(await Promise.all(workers), [0, 0, 0]);
});

test('a child process that is forked has endpoints of its own', async () => {
  const queue = await filled('forked', 1);
  const consumer = await queue.consumer({ group: 'g' });
  const held = await consumer.receive();
  const child = fork(__filename, ['child'], { env: { ...process.env, BELTWAY_TEST_CHILD: 'forked' }, silent: true });
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
  assert.equal(held.stillHeld(), true);
  const answer = await consumer.receive({ timeout: 10000 });
  assert.equal(answer.text(), 'from the child');
  assert.equal(held.ack() && answer.ack(), true);
});
