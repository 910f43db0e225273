// Many messages a call: publishMany() with messages in one buffer, and receiveBatch().
'use strict';

const { assert, eventually, failure, package_, pause, start, test, useDaemon } = require('./support');

const daemon = useDaemon();

async function endpoints(name, group, options = {}, consumerOptions = {}) {
  const queue = await daemon.link.declare(name, { slots: 4096, groups: group ? [group] : [], retryDelay: 0, ...options });
  return { queue, producer: await queue.producer(), consumer: await queue.consumer({ group, ...consumerOptions }) };
}
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));
const texts = (batch) => Array.from({ length: batch.length }, (_, i) => batch.text(i));

test('a batch that has no room for all gives the rest to the next call of any kind', async () => {
  for (const group of [undefined, 'g']) {
    const { producer, consumer } = await endpoints(`room-${group}`, group, { laneBytes: 1 << 22 });
    const sent = Array.from({ length: 200 }, (_, i) => Buffer.alloc(i % 40 === 39 ? 100000 : 1500, i));
    await producer.publishMany(sent);
    let next = 0;
    const check = (data) => assert.ok(data.equals(sent[next++]), `message ${next - 1}`);
    for (let calls = 0; next < 200; ++calls) {
      if (calls % 3 === 1) {
        const message = await consumer.receive();
        check(message.data);
        assert.equal(message.ack(), true);
        continue;
      }
      const batch = await consumer.receiveBatch(100);
      assert.ok(batch.length < 50);
      for (let i = 0; i < batch.length; ++i) check(batch.data(i));
      assert.equal(batch.ack(), batch.length);
    }
    assert.equal(consumer.held, 0);
  }
});

test('a batch has 1024 messages at most and tells of each what a message tells', async () => {
  for (const group of [undefined, 'g']) {
    const { producer, consumer } = await endpoints(`most-${group}`, group);
    await producer.publishMany(numbers(0, 2000));
    await producer.publish('with', { key: 'k', headers: { a: 'b' } });
    const got = [];
    while (got.length < 2001) {
      const batch = await consumer.receiveBatch(1e6);
      assert.ok(batch.length <= 1024);
      for (let i = 0; i < batch.length; ++i) {
        assert.deepEqual([batch.position(i), batch.deliveries(i)], [got.length, 1]);
        got.push(batch.text(i));
        assert.equal(batch.begin(i) % 8, 0);
        const { key, headers } = batch.properties(i);
        assert.deepEqual([key, headers], got.length === 2001 ? ['k', [['a', 'b']]] : [undefined, []]);
      }
      assert.equal(batch.ack(), batch.length);
    }
    assert.deepEqual(got, [...numbers(0, 2000), 'with']);
  }
});

test('messages of a batch end one by one or all at once and never twice', async () => {
  const { queue, producer, consumer } = await endpoints('ends', 'g', { discard: true });
  await producer.publishMany(numbers(0, 6));
  let batch = await consumer.receiveBatch(6);
  assert.equal(consumer.held, 6);
  assert.deepEqual([batch.ack(1), batch.ack(1), batch.nack(2), batch.nack(2), batch.reject(3), batch.reject(3), batch.ack(3)],
    [1, 0, true, false, true, false, 0]);
  assert.equal(consumer.held, 3);
  assert.deepEqual([batch.ack(), batch.ack(), consumer.held], [3, 0, 0]);
  batch = await consumer.receiveBatch(6);
  assert.deepEqual([texts(batch), batch.deliveries(0), batch.nack(0, 0)], [['2'], 2, true]);
  batch = await consumer.receiveBatch(6);
  assert.deepEqual([texts(batch), batch.deliveries(0), batch.ack()], [['2'], 3, 1]);
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
});

test('messages of an earlier batch that have not ended stay held and go back when their consumer is closed', async () => {
  const { queue, producer, consumer } = await endpoints('kept', 'g');
  await producer.publishMany(numbers(0, 5));
  assert.equal((await consumer.receiveBatch(2)).ack(1), 1);
  const batch = await consumer.receiveBatch(2);
  assert.deepEqual([texts(batch), consumer.held], [['2', '3'], 3]);
  assert.deepEqual([batch.ack(), consumer.held], [2, 1]);
  consumer.close();
  const other = await queue.consumer({ group: 'g' });
  const rest = await eventually(async () => {
    const some = await other.receiveBatch(5);
    return some.length === 2 ? some : some.nack(0) && undefined;
  });
  assert.deepEqual(texts(rest), ['0', '4']);
  assert.equal(rest.ack(), 2);
});

test('a batch is acknowledged by the next call with automatic acknowledgement', async () => {
  const { queue, producer, consumer } = await endpoints('automatic-batch', 'g', {}, { ack: 'automatic' });
  await producer.publishMany(numbers(0, 3));
  assert.deepEqual(texts(await consumer.receiveBatch(2)), ['0', '1']);
  assert.equal(consumer.held, 2);
  assert.equal((await consumer.receive()).text(), '2');
  assert.equal(consumer.held, 1);
  assert.equal(await consumer.receiveBatch(2, { timeout: 1 }), null);
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
});

test('an ack of a batch says how many leases were not over', async () => {
  const { queue, producer, consumer } = await endpoints('over', 'g', { leaseTimeout: 50 });
  await producer.publishMany(numbers(0, 3));
  const batch = await consumer.receiveBatch(3);
  assert.equal(batch.ack(0), 1);
  const other = await queue.consumer({ group: 'g' });
  const again = await other.receiveBatch(3, { timeout: 10000 });
  const taken = again.length;
  assert.ok(taken >= 1);
  assert.equal(again.ack(), taken);
  const rest = taken === 2 ? 0 : await other.receive({ timeout: 10000 }).then((message) => Number(message.ack()));
  assert.equal(taken + rest, 2);
  assert.equal(batch.ack(), 0);
});

test('an ack of a batch has happened when it returns and survives a kill', async () => {
  const { queue, producer, consumer } = await endpoints('survives', 'g');
  consumer.close();
  await producer.publishMany(numbers(0, 100));
  const { signal } = await start(['-e', `(async () => {
    const queue = await (await require(${JSON.stringify(package_)}).connect()).openQueue('survives');
    const consumer = await queue.consumer({ group: 'g' });
    (await consumer.receiveBatch(60)).ack();
    const batch = await consumer.receiveBatch(30);
    for (let i = 0; i < 10; ++i) batch.ack(i);
    process.kill(process.pid, 'SIGKILL');
  })()`]).ended;
  assert.equal(signal, 'SIGKILL');
  const other = await queue.consumer({ group: 'g' });
  const got = [];
  while (got.length < 30) {
    const batch = await other.receiveBatch(100, { timeout: 10000 });
    got.push(...texts(batch));
    batch.ack();
  }
  assert.deepEqual(got.sort(), numbers(70, 100));
});

test('the memory of a batch cannot be moved away under the feet of the consumer', async () => {
  const { producer, consumer } = await endpoints('moved', 'g');
  for (let i = 0; i < 10; ++i) {
    await producer.publishMany([`message ${i}`, 'second']);
    const { bytes: { buffer } } = await consumer.receiveBatch(1);
    try {
      structuredClone(buffer, { transfer: [buffer] });
      buffer.transfer?.(); // of Node.js 22
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
    }
    const batch = await consumer.receiveBatch(2);
    assert.deepEqual([texts(batch), batch.ack()], [['second'], 1]);
  }
});

test('a lossy consumer takes batches of what is left', async () => {
  const { producer, consumer } = await endpoints('lossy-batch', undefined, { slots: 16, maxProducers: 1 }, { lossy: true });
  await producer.publishMany(numbers(0, 100));
  const batch = await consumer.receiveBatch(100);
  assert.ok(batch.length > 0 && batch.length <= 16);
  const first = batch.position(0);
  assert.deepEqual(texts(batch), numbers(first, first + batch.length));
  assert.equal(batch.ack(), batch.length);
});

test('messages in one buffer are published as if each were a buffer', async () => {
  const { producer, consumer } = await endpoints('packed');
  const memory = Float64Array.from({ length: 400 }, (_, i) => i);
  assert.equal(await producer.publishMany(memory, { size: 16 }), 200);
  assert.equal(await producer.publishMany(memory.buffer, { size: 1600, timeout: 1000 }), 2);
  assert.equal(await producer.publishMany(new DataView(memory.buffer, 8, 8), { size: 8 }), 1);
  assert.equal(await producer.publishMany(new Uint8Array(new SharedArrayBuffer(4)).fill(65), { size: 2 }), 2);
  assert.equal(await producer.publishMany(Buffer.alloc(0), { size: 8 }), 0);
  assert.equal(await new Promise((resolve, reject) => {
    producer.publishMany(Buffer.from('abcd'), { size: 4 }, (error, count) => (error ? reject(error) : resolve(count)));
  }), 1);
  memory.fill(-1); // copies lie in the queue
  for (let i = 0; i < 200; ++i) {
    const { data } = await consumer.receive();
    assert.deepEqual([data.length, data.readDoubleLE(0), data.readDoubleLE(8)], [16, 2 * i, 2 * i + 1]);
  }
  for (let i = 0; i < 2; ++i) assert.equal((await consumer.receive()).data.readDoubleLE(8), 200 * i + 1);
  assert.equal((await consumer.receive()).data.readDoubleLE(0), 1);
  for (const expected of ['AA', 'AA', 'abcd']) assert.equal((await consumer.receive()).text(), expected);
});

test('messages in one buffer wait for room in the order of the calls', async () => {
  const { producer, consumer } = await endpoints('packed-full', 'g', { slots: 16 });
  const first = producer.publishMany(Buffer.from(numbers(10, 70).join('')), { size: 2 });
  const second = producer.publishMany(numbers(70, 90));
  const got = [];
  while (got.length < 80) {
    const batch = await consumer.receiveBatch(5, { timeout: 10000 });
    got.push(...texts(batch));
    batch.ack();
  }
  assert.deepEqual(got, numbers(10, 90));
  assert.deepEqual(await Promise.all([first, second]), [60, 20]);
  const late = await producer.publishMany(Buffer.alloc(60), { size: 2, timeout: 20 }).catch((error) => error);
  failure('timeout', '"packed-full"')(late);
  assert.equal(late.published, 16);
});

test('messages in one buffer that make no sense are refused', async () => {
  const { producer, consumer } = await endpoints('packed-wrong', 'g', { slots: 16 });
  const bytes = Buffer.alloc(64);
  for (const size of [0, -1, 1.5, NaN, '8', 8n, null, {}])
    await assert.rejects(producer.publishMany(bytes, { size }), failure('invalid_option', 'size takes'));
  for (const size of [3, 65, 2 ** 40])
    await assert.rejects(producer.publishMany(bytes, { size }), failure('invalid_option', '64 bytes are no whole number'));
  for (const wrong of [undefined, null, 5, 'text', {}, ['a'], new SharedArrayBuffer(8)])
    await assert.rejects(producer.publishMany(wrong, { size: 8 }), failure('invalid_option', 'size, messages takes'));
  const large = Buffer.alloc(2 * (producer.maxMessageBytes + 1));
  await assert.rejects(producer.publishMany(large, { size: producer.maxMessageBytes + 1 }),
    (error) => failure('too_large', 'lane_bytes')(error) && error.published === 0);
  const gone = new Uint8Array(64);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await assert.rejects(producer.publishMany(gone, { size: 8 }), failure('invalid_option', 'was transferred'));
  assert.equal(await consumer.receiveBatch(1, { timeout: 1 }), null); // nothing of all this came
});

test('a buffer of messages that is given away while it waits is an error that tells how many were published', async () => {
  const { producer, consumer } = await endpoints('given-away', 'g', { slots: 16 });
  const bytes = new Uint8Array(64).fill(65);
  const waits = producer.publishMany(bytes, { size: 2 }).catch((error) => error);
  await pause(1);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const batch = await consumer.receiveBatch(64);
  assert.deepEqual(texts(batch), Array(16).fill('AA'));
  batch.ack();
  const error = await waits;
  failure('misuse', 'was transferred')(error);
  assert.equal(error.published, 16);
});
