// What a consumer gets, and what becomes of messages.
'use strict';

const crypto = require('node:crypto');
const { assert, failure, pause, test, useDaemon } = require('./support');

const daemon = useDaemon();

async function work(name, options = {}, consumerOptions = {}) {
  const queue = await daemon.link.declare(name, { groups: ['workers'], ...options });
  return { queue, producer: await queue.producer(), consumer: await queue.consumer({ group: 'workers', ...consumerOptions }) };
}

test('messages of all sizes come whole and in their order', async () => {
  const queue = await daemon.link.declare('sizes', { slots: 64, laneBytes: 1 << 22 });
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  const sizes = [0, 1, 111, 112, 113, 4000, 4039, 4040, 4041, 16383, 16384, 65536, 3, 1000000, 5, 1 << 20, 64, 64, 64];
  const sent = sizes.map((size) => crypto.randomBytes(size));
  const got = [];
  for (const message of sent) await producer.publish(message);
  for (const expected of sent) {
    const message = await consumer.receive();
    assert.equal(message.size, expected.length);
    got.push(message.data);
  }
  // After all were received: a copy is never overwritten.
  sent.forEach((expected, i) => assert.ok(expected.equals(got[i]), `message ${i}`));
});

test('any view of bytes and strings beyond ASCII can be published', async () => {
  const queue = await daemon.link.declare('views');
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  const long = 'ü€😀'.repeat(500);
  const numbers = new Float64Array([1.5, -2]);
  const whole = Uint8Array.from([9, 8, 7, 6]);
  const views = [numbers, new DataView(whole.buffer, 1, 2), whole.buffer, whole.subarray(2), Buffer.alloc(0)];
  const messages = ['ü€😀', long, ...views, ''];
  await producer.publishMany(messages);
  for (const message of messages) await producer.publish(message);
  for (let round = 0; round < 2; ++round) {
    assert.equal((await consumer.receive()).text(), 'ü€😀');
    assert.equal((await consumer.receive()).text(), long);
    const { data } = await consumer.receive();
    assert.deepEqual([data.readDoubleLE(0), data.readDoubleLE(8)], [1.5, -2]);
    for (const expected of [[8, 7], [9, 8, 7, 6], [7, 6], [], []])
      assert.deepEqual([...(await consumer.receive()).data], expected);
  }
  for (const wrong of [5, null, undefined, {}, [1]]) {
    await assert.rejects(producer.publish(wrong), failure('invalid_option', 'Buffer'));
    await assert.rejects(producer.publishMany(['good', wrong]), failure('invalid_option', 'Buffer'));
  }
});

test('the memory of a message is writable and no other message changes with it', async () => {
  const { producer, consumer } = await work('written');
  await producer.publishMany(['aaaa', 'bbbb']);
  const [first, second] = await consumer.receiveMany(2);
  first.data.fill(0);
  assert.equal(second.text(), 'bbbb');
  assert.equal(first.nack(), true);
  assert.equal((await consumer.receive()).text(), 'aaaa');
});

test('memory of messages cannot be moved to another thread under the feet of the consumer', async () => {
  const { producer, consumer } = await work('transferred');
  for (let i = 0; i < 50; ++i) {
    await producer.publish(`message ${i}`);
    const message = await consumer.receive();
    const { buffer } = message.data;
    try {
      structuredClone(buffer, { transfer: [buffer] });
      buffer.transfer?.(); // of Node.js 22
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
    }
    assert.equal(message.ack(), true);
    await producer.publish('next');
    const next = await consumer.receive();
    assert.deepEqual([next.text(), next.ack()], ['next', true]);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(65);
  await producer.publish(shared);
  assert.equal((await consumer.receive()).text(), 'AA');
});

test('a message that is given back comes again and says so', async () => {
  const { producer, consumer, queue } = await work('again', { retryDelay: 0 });
  await producer.publish('job');
  const first = await consumer.receive();
  assert.equal(first.deliveries, 1);
  assert.equal(consumer.held, 1);
  assert.equal(first.nack(), true);
  assert.equal(first.nack(), false);
  assert.equal(first.ack(), false);
  const second = await consumer.receive();
  assert.equal(second.deliveries, 2);
  const begin = Date.now();
  assert.equal(second.nack(60), true);
  const third = await consumer.receive();
  assert.ok(Date.now() - begin >= 59);
  assert.equal(third.deliveries, 3);
  assert.throws(() => third.nack(-1), failure('invalid_option'));
  assert.equal(third.stillHeld(), true);
  assert.equal(third.ack(), true);
  assert.equal(third.ack(), false);
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
});

test('a slot of a held message that is used again does not end the later message', async () => {
  const { producer, consumer } = await work('slots-again');
  await producer.publishMany(['1', '2']);
  const first = await consumer.receive();
  first.ack();
  const second = await consumer.receive();
  assert.equal(first.ack(), false);
  assert.equal(second.stillHeld(), true);
  assert.equal(second.ack(), true);
});

test('a rejected message goes to the dead letter queue with its reason', async () => {
  const dead = await daemon.link.declare('dead', { groups: ['operators'], slotBytes: 1024 });
  const { producer, consumer } = await work('rejecting', { deadLetter: 'dead', laneBytes: 65536 });
  await producer.publish('bad', { key: 'k', headers: { h: 'v' } });
  assert.equal((await consumer.receive()).reject(), true);
  const letter = await (await dead.consumer({ group: 'operators' })).receive();
  assert.equal(letter.text(), 'bad');
  const { key, headers, deadLetter } = letter.properties;
  assert.deepEqual([key, headers], ['k', [['h', 'v']]]);
  const { reason, queue, group, deliveries } = deadLetter;
  assert.deepEqual([reason, queue, group, deliveries], ['rejected', 'rejecting', 'workers', 1]);
  assert.ok(Math.abs(deadLetter.lastTime - Date.now()) < 60000);
});

test('reject without a place for dead letters throws and gives the message back', async () => {
  const { producer, consumer } = await work('no-place', { retryDelay: 0 });
  await producer.publish('x');
  const message = await consumer.receive();
  assert.throws(() => message.reject(), failure('misuse'));
  assert.equal((await consumer.receive()).deliveries, 2);
});

test('a lease that is over goes to another consumer unless it is extended', async () => {
  const { queue, producer, consumer } = await work('leased', { leaseTimeout: 100, retryDelay: 0 });
  await producer.publish('x');
  const message = await consumer.receive();
  for (let i = 0; i < 5; ++i) {
    await pause(40);
    assert.equal(message.extend(), true);
  }
  const other = await queue.consumer({ group: 'workers' });
  const again = await other.receive({ timeout: 10000 });
  assert.equal(again.deliveries, 2);
  assert.deepEqual([message.stillHeld(), message.extend(), message.ack()], [false, false, false]);
  assert.equal(again.ack(), true);
});

test('automatic acknowledgement is of the message before the next one', async () => {
  const { queue, producer, consumer } = await work('automatic', {}, { ack: 'automatic' });
  await producer.publishMany(['1', '2', '3']);
  assert.equal((await consumer.receive()).text(), '1');
  assert.equal(consumer.held, 1);
  assert.equal((await consumer.receive()).text(), '2');
  assert.equal(consumer.held, 1);
  for await (const message of consumer) {
    assert.equal(message.text(), '3');
    break;
  }
  assert.equal(consumer.held, 0);
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
});

test('receive takes one job only and leaves the others to other consumers', async () => {
  const { queue, producer, consumer } = await work('shared');
  const other = await queue.consumer({ group: 'workers' });
  await producer.publishMany(['1', '2']);
  const first = await consumer.receive();
  const second = await other.receive({ timeout: 1000 });
  assert.deepEqual([first.text(), second.text()], ['1', '2']);
});

test('a consumer at its prefetch limit waits for an ack', async () => {
  const { producer, consumer } = await work('limited', {}, { prefetch: 1 });
  await producer.publishMany(['1', '2']);
  const first = await consumer.receive();
  assert.equal(await consumer.receive({ timeout: 20 }), null);
  const next = consumer.receive();
  await pause(10);
  first.ack();
  assert.equal((await next).text(), '2');
});

test('receiveMany and ackMany take batches over several chunks', async () => {
  const { queue, producer, consumer } = await work('batches', { slots: 4096 });
  const sent = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i % 100, i & 255));
  assert.equal(await producer.publishMany(sent), 3000);
  const got = [];
  while (got.length < 3000) {
    const some = await consumer.receiveMany(700);
    assert.ok(some.length <= 700 && some.length > 0);
    assert.equal(consumer.ackMany(some), some.length);
    assert.equal(consumer.ackMany(some), 0);
    got.push(...some.map(({ data }) => data));
  }
  sent.forEach((expected, i) => assert.ok(expected.equals(got[i]), `message ${i}`));
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
  assert.deepEqual(await consumer.receiveMany(5, { timeout: 10 }), []);
  await assert.rejects(consumer.receiveMany(0), failure('invalid_option', 'receiveMany'));
});

test('receiveInto copies to the buffer of the caller and takes nothing that does not fit', async () => {
  const { producer, consumer } = await work('into');
  const buffer = Buffer.alloc(8);
  await producer.publish('12345678', { key: 'k' });
  await producer.publish('123456789');
  const message = await consumer.receiveInto(buffer);
  assert.equal(message.data.buffer, buffer.buffer);
  assert.deepEqual([message.text(), message.properties.key, message.ack()], ['12345678', 'k', true]);
  await assert.rejects(consumer.receiveInto(buffer), failure('too_large', '9 bytes', '8'));
  assert.equal(await consumer.receiveInto(Buffer.alloc(9)), message);
  assert.deepEqual([message.text(), message.deliveries, message.ack(), message.ack()], ['123456789', 1, true, false]);
  setTimeout(() => producer.publish('late'), 10);
  assert.equal((await consumer.receiveInto(buffer)).text(), 'late');
});

test('receiveInto of a private consumer goes on behind messages that were copied ahead', async () => {
  const queue = await daemon.link.declare('ahead');
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  await producer.publishMany(['1', '2', '3']);
  await producer.publish('4', { key: 'k' });
  const buffer = new Uint8Array(1);
  assert.equal((await consumer.receive()).text(), '1');
  for (const expected of ['2', '3', '4']) assert.equal((await consumer.receiveInto(buffer)).text(), expected);
  await producer.publish('5', { key: 'k5' });
  assert.equal((await consumer.receiveInto(buffer)).properties.key, 'k5');
});

test('receiveBatch uses its memory again and mixes with the other calls', async () => {
  const { queue, producer, consumer } = await work('in-place', { slots: 2048, laneBytes: 1 << 20, retryDelay: 0 });
  const sizes = Array.from({ length: 600 }, (_, i) => (i % 50 === 0 ? 20000 + i : i % 90));
  for (const [i, size] of sizes.entries()) {
    const sent = producer.publish(Buffer.alloc(size, i & 255), i % 100 === 3 ? { key: `k${i}` } : undefined);
    if (i % 10 === 0) await sent;
  }
  let next = 0;
  const check = (data, position) => {
    assert.equal(position, next);
    assert.ok(data.equals(Buffer.alloc(sizes[next], next & 255)), `message ${next}`);
    ++next;
  };
  let memory;
  while (next < 600) {
    const batch = await consumer.receiveBatch(100);
    memory ??= batch;
    assert.equal(batch, memory);
    for (let i = 0; i < batch.length; ++i) {
      if (next % 100 === 3) assert.equal(batch.properties(i).key, `k${next}`);
      check(batch.data(i), batch.position(i));
    }
    assert.equal(batch.ack(0), 1);
    assert.equal(batch.ack(), batch.length - 1);
    assert.throws(() => batch.size(batch.length), RangeError);
    for (let i = 0; i < 3 && next < 600; ++i) {
      const message = await consumer.receive();
      check(message.data, message.position);
      message.ack();
    }
  }
  assert.equal((await queue.snapshot()).groups[0].depth, 0);
  await producer.publish('again');
  assert.equal((await consumer.receiveBatch(5)).nack(0), true);
  assert.equal((await consumer.receiveBatch(5)).deliveries(0), 2);
  assert.equal(await consumer.receiveBatch(5, { timeout: 5 }), null);
});

test('receiveBatch of a private consumer goes on behind messages that were copied ahead', async () => {
  const queue = await daemon.link.declare('in-place-ahead');
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  await producer.publishMany(['1', '2', '3', '4']);
  assert.equal((await consumer.receive()).text(), '1');
  for (const [most, expected] of [[2, ['2', '3']], [9, ['4']]]) {
    const batch = await consumer.receiveBatch(most);
    assert.deepEqual(Array.from({ length: batch.length }, (_, i) => batch.text(i)), expected);
    assert.equal(batch.ack(), expected.length);
  }
  await producer.publishMany(['5', '6']);
  assert.equal((await consumer.receiveBatch(1)).text(0), '5');
  assert.equal((await consumer.receive()).text(), '6');
});

test('a lossy consumer learns what it lost and conflate gives the newest message', async () => {
  const queue = await daemon.link.declare('overtaken', { slots: 16, maxProducers: 1 });
  const lossy = await queue.consumer({ lossy: true });
  const newest = await queue.consumer({ lossy: true, conflate: true });
  const producer = await queue.producer();
  for (let i = 0; i < 100; ++i) await producer.publish(String(i));
  let next = 0;
  while (next < 100) {
    const message = await lossy.receive();
    next += message.lost;
    assert.equal(message.text(), String(next++));
  }
  const last = await newest.receive();
  assert.deepEqual([last.text(), last.lost], ['99', 99]);
});

test('properties and ages come as they were sent', async () => {
  const { producer, consumer } = await work('properties', { stamps: 'fine' });
  const time = Date.now();
  await producer.publish('x', {
    key: 'k', correlationId: 'c', replyTo: 'r', contentType: 'text/plain', traceId: 't',
    headers: [['a', 'ü'], ['a', Buffer.from([255, 0])]], publishTime: time, ttl: 60000,
  });
  await producer.publish('y');
  const message = await consumer.receive();
  assert.deepEqual(message.properties, {
    key: 'k', correlationId: 'c', replyTo: 'r', contentType: 'text/plain', traceId: 't',
    headers: [['a', 'ü'], ['a', Buffer.from([255, 0])]], publishTime: time,
  });
  assert.ok(message.age >= 0 && message.age < 10000);
  assert.ok(Math.abs(message.publishedAt.getTime() - time) < 10000);
  assert.deepEqual((await consumer.receive()).properties, { headers: [] });
  await assert.rejects(producer.publish('x', { keyy: 'k' }), failure('invalid_option', '"keyy"', 'correlationId'));
  await assert.rejects(producer.publish('x', { key: 'k'.repeat(300) }), failure('too_large', 'key'));
});

test('waits end by timeout by abort and by close', async () => {
  const { producer, consumer } = await work('waits');
  assert.equal(await consumer.receive({ timeout: 5 }), null);
  const abort = new AbortController();
  const first = consumer.receive({ signal: abort.signal });
  const second = consumer.receive();
  abort.abort(new Error('enough'));
  await assert.rejects(first, { message: 'enough' });
  await assert.rejects(consumer.receive({ signal: abort.signal }), { message: 'enough' });
  await producer.publish('x');
  assert.equal((await second).text(), 'x'); // the aborted call took nothing
  const third = consumer.receive();
  consumer.close();
  assert.equal(await third, null);
  await assert.rejects(consumer.receive(), failure('misuse', 'closed'));
});

test('hundreds of tasks share one consumer in the order of their calls', async () => {
  const { producer, consumer } = await work('tasks');
  const order = [];
  const tasks = Array.from({ length: 300 }, async (_, i) => {
    const message = await consumer.receive();
    order.push([i, message.text()]);
    message.ack();
  });
  for (let i = 0; i < 300; ++i) await producer.publish(String(i));
  await Promise.all(tasks);
  assert.deepEqual(order, Array.from({ length: 300 }, (_, i) => [i, String(i)]));
});

test('a removed queue rejects waits after its messages have come', async () => {
  const { producer, consumer } = await work('removed');
  await producer.publish('last');
  await daemon.link.remove('removed');
  assert.equal((await consumer.receive()).text(), 'last');
  await assert.rejects(consumer.receive(), failure('removed', '"removed"'));
  await assert.rejects(producer.publish('x'), failure('removed', '"removed"'));
});
