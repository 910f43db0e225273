// Arguments that make no sense, and calls that fail half way: no message may be lost by either.
'use strict';

const { assert, failure, package_, pause, runText, test, useDaemon } = require('./support');

const daemon = useDaemon();

async function endpoints(name, options = {}, consumerOptions = {}) {
  const queue = await daemon.link.declare(name, options);
  return { queue, producer: await queue.producer(), consumer: await queue.consumer(consumerOptions) };
}

test('all messages that a removed queue has are received first whatever their count', async () => {
  for (const count of [63, 64, 65, 128, 200]) {
    const { producer, consumer } = await endpoints(`removed-${count}`);
    const sent = Array.from({ length: count }, (_, i) => String(i));
    await producer.publishMany(sent);
    await daemon.link.remove(`removed-${count}`);
    const got = [];
    await assert.rejects(async () => {
      for (;;) got.push((await consumer.receive()).text());
    }, failure('removed'));
    assert.deepEqual(got, sent);
  }
});

test('receiveMany gives what a removed queue has before it says so', async () => {
  const groups = { groups: ['g'] };
  for (const [name, options, consumerOptions] of [['p', {}, {}], ['g', groups, { group: 'g' }]]) {
    const { producer, consumer } = await endpoints(`many-removed-${name}`, options, consumerOptions);
    const sent = Array.from({ length: 640 }, (_, i) => `${'x'.repeat(100)}${i}`);
    await producer.publishMany(sent);
    await daemon.link.remove(`many-removed-${name}`);
    const got = [];
    await assert.rejects(async () => {
      for (;;) got.push(...(await consumer.receiveMany(1000)).map((each) => each.text()));
    }, failure('removed'));
    assert.deepEqual(got, sent);
  }
});

test('receiveInto with no buffer takes no message', async () => {
  const { producer, consumer } = await endpoints('no-buffer');
  await producer.publishMany(['1', '2', '3', '4']);
  for (const expected of ['1', '2']) {
    for (const wrong of [undefined, null, 5, 'text', {}, new Float64Array(8), new SharedArrayBuffer(8)])
      await assert.rejects(consumer.receiveInto(wrong), failure('invalid_option', 'buffer takes'));
    assert.equal((await consumer.receive()).text(), expected); // at first from the ring, then from what was copied ahead
  }
  assert.equal((await consumer.receiveInto(new ArrayBuffer(4))).text(), '3');
  assert.equal((await consumer.receiveInto(new Uint8Array(new SharedArrayBuffer(4)))).text(), '4');
});

test('timeouts signals and counts that make no sense are refused', async () => {
  const { queue, producer, consumer } = await endpoints('no-sense');
  for (const timeout of [NaN, -1, 'soon', null, 5n, {}]) {
    const waits = [() => consumer.receive({ timeout }), () => producer.publish('x', { timeout }),
      () => producer.publishMany([], { timeout }), () => queue.waitForConsumers(9, { timeout }),
      () => daemon.link.openQueue('missing', { timeout })];
    for (const wait of waits) await assert.rejects(wait, failure('invalid_option', 'timeout takes'));
  }
  await assert.rejects(consumer.receive(5), failure('invalid_option', '{timeout, signal}'));
  await assert.rejects(consumer.receive({ signal: {} }), failure('invalid_option', 'AbortSignal'));
  await assert.rejects(queue.waitForConsumers(NaN), failure('invalid_option', 'count'));
  for (const most of [0, -1, 1.5, NaN, 2n, undefined]) {
    await assert.rejects(consumer.receiveMany(most), failure('invalid_option', 'receiveMany'));
    await assert.rejects(consumer.receiveBatch(most), failure('invalid_option', 'receiveBatch'));
  }
});

test('all that is there may be asked for by any large number', async () => {
  const { producer, consumer } = await endpoints('all');
  for (const most of [2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    await producer.publishMany(['1', '2']);
    assert.equal((await consumer.receiveMany(most, { timeout: 5000 })).length, 2);
    await producer.publishMany(['1', '2']);
    assert.equal((await consumer.receiveBatch(most, { timeout: 5000 })).length, 2);
  }
  await producer.publish('1');
  const batch = await consumer.receiveBatch(9);
  for (const index of [-1, 0.5, 1, NaN, undefined]) assert.throws(() => batch.data(index), RangeError);
});

test('a timeout beyond the longest timer of Node is a wait', async () => {
  const { producer, consumer } = await endpoints('weeks');
  const waits = [2 ** 31, 1e10, 1e300, Infinity].map((timeout) => consumer.receive({ timeout }));
  assert.equal(await Promise.race([...waits, pause(50)]), undefined);
  await producer.publishMany(['1', '2', '3', '4']);
  assert.deepEqual((await Promise.all(waits)).map((each) => each.text()), ['1', '2', '3', '4']);
});

test('a wait takes what came in time though the program was busy until its timeout', async () => {
  const { producer, consumer } = await endpoints('busy');
  const wait = consumer.receive({ timeout: 20 });
  assert.ok(producer.tryPublish('x'));
  for (const end = Date.now() + 60; Date.now() < end; );
  assert.equal((await wait)?.text(), 'x');
});

test('each call that waits when its consumer is closed gets what its timeout would give', async () => {
  const { consumer } = await endpoints('closes');
  const buffer = Buffer.alloc(8);
  const calls = () => [consumer.receive(), consumer.receiveMany(2), consumer.receiveBatch(2), consumer.receiveInto(buffer)];
  const waits = calls();
  consumer.close();
  assert.deepEqual(await Promise.all(waits), [null, [], null, null]);
  for (const call of calls()) await assert.rejects(call, failure('misuse', 'closed'));
});

test('publishMany takes an array and nothing else', async () => {
  const { producer } = await endpoints('arrays');
  for (const wrong of [undefined, null, 5, 'text', {}, new Set(['x']), new Uint8Array(4), { length: 1, 0: 'x' }])
    await assert.rejects(producer.publishMany(wrong), failure('invalid_option', 'array'));
});

test('times beyond any clock are refused', async () => {
  const { queue, producer } = await endpoints('clocks', { groups: ['g'], stamps: 'fine' });
  for (const time of [Infinity, -Infinity, NaN, 1e300, -1]) {
    await assert.rejects(producer.publish('x', { ttl: time }), failure('invalid_option', 'ttl'));
    await assert.rejects(producer.publish('x', { publishTime: time }), failure('invalid_option', 'publishTime'));
    await assert.rejects(queue.resetGroup('g', { published: time }), failure('invalid_option', 'published'));
  }
});

test('a message of a wrong type is refused in the same way when others wait for room', async () => {
  const { producer } = await endpoints('wrong-in-line', { slots: 16, groups: ['g'] });
  while (producer.tryPublish('fill'));
  const waits = assert.rejects(producer.publish('x'), failure('misuse', 'not published'));
  for (const wrong of [undefined, null, 5, [1, 2], {}, new SharedArrayBuffer(4)]) {
    await assert.rejects(producer.publish(wrong), failure('invalid_option', 'a message takes'));
    await assert.rejects(producer.publish(wrong, { timeout: 10 }), failure('invalid_option', 'a message takes'));
  }
  producer.close();
  await waits;
});

test('a small message is published once the large one before it has given up', async () => {
  const { producer } = await endpoints('head-leaves', { slots: 64, groups: ['g'], laneBytes: 65536 });
  const large = Buffer.alloc(20000);
  while (producer.tryPublish(large));
  const first = assert.rejects(producer.publish(large, { timeout: 100 }), failure('timeout'));
  const second = producer.publish('small', { timeout: 3000 }); // well before anything else looks again
  await first;
  assert.equal(await second, true);
});

test('an element that frees the bytes of another one while it is read does no harm', async () => {
  const { producer, consumer } = await endpoints('getter');
  const bytes = new Uint8Array(new ArrayBuffer(65536)).fill(7);
  const messages = ['text', bytes];
  const get = () => structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  Object.defineProperty(messages, 2, { enumerable: true, get });
  assert.equal(await producer.publishMany(messages), 3);
  const got = await consumer.receiveMany(3);
  assert.deepEqual([got[0].text(), got[1].size], ['text', 0]);
  assert.ok(got[2].data.length === 65536 && got[2].data.every((each) => each === 7));
});

test('a worker that is terminated while requests and waits of it go on ends well', async () => {
  await daemon.link.declare('terminated', { groups: ['g'], maxConsumers: 64 });
  const { code, error } = await runText(`
    const { Worker } = require('node:worker_threads');
    const text = \`const beltway = require(${JSON.stringify(package_)});
      (async () => {
        const queue = await (await beltway.connect()).openQueue('terminated');
        const [consumer, producer] = [await queue.consumer(), await queue.producer()];
        require('node:worker_threads').parentPort.postMessage('');
        (async () => { for (;;) { await producer.publish('x', { timeout: 1 }).catch(() => 0); queue.describe(); } })();
        for await (const message of consumer) queue.consumer({ group: 'g' }).then((each) => each.close(), () => 0);
      })()\`;
    for (let i = 0; i < 10; ++i) {
      const worker = new Worker(text, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, 3 * i));
      await worker.terminate();
    }`);
  assert.equal(code, 0, error);
});
