// What a producer does when there is no room, and sequence numbers.
'use strict';

const { assert, beltway, failure, pause, test, useDaemon } = require('./support');

const daemon = useDaemon();

async function small(name) {
  const queue = await daemon.link.declare(name, { slots: 16, groups: ['g'] });
  return { queue, producer: await queue.producer(), consumer: await queue.consumer({ group: 'g' }) };
}
async function drain(consumer, count) {
  const texts = [];
  while (texts.length < count) {
    const message = await consumer.receive({ timeout: 10000 });
    texts.push(message.text());
    message.ack();
  }
  return texts;
}
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i));

test('publish waits while the queue is full and keeps the order of the calls', async () => {
  const { producer, consumer } = await small('full');
  const calls = numbers(0, 100).map((text) => producer.publish(text));
  assert.equal(producer.tryPublish('first in line?'), false);
  calls.push(producer.publishMany(numbers(100, 200)));
  calls.push(...numbers(200, 230).map((text) => producer.publish(text, { key: 'k' })));
  assert.deepEqual(await drain(consumer, 230), numbers(0, 230));
  assert.deepEqual(await Promise.all(calls), [...Array(100).fill(true), 100, ...Array(30).fill(true)]);
});

test('a buffer may be written to after publish returned even if the message waits', async () => {
  const { producer, consumer } = await small('copied');
  const buffer = Buffer.alloc(4);
  const calls = [];
  for (let i = 0; i < 40; ++i) {
    buffer.writeUInt32LE(i);
    calls.push(producer.publish(i % 2 === 0 ? buffer : new DataView(buffer.buffer, buffer.byteOffset, 4)));
  }
  buffer.fill(255);
  for (let i = 0; i < 40; ++i) {
    const message = await consumer.receive();
    assert.equal(message.data.readUInt32LE(), i);
    message.ack();
  }
  await Promise.all(calls);
});

test('a publish that finds no room in time rejects and publishes nothing', async () => {
  const { producer, consumer } = await small('late');
  while (producer.tryPublish('fill'));
  await assert.rejects(producer.publish('x', { timeout: 20 }), failure('timeout', '"late"', '20 ms'));
  const abort = new AbortController();
  const aborted = producer.publish('x', { signal: abort.signal });
  const last = producer.publish('last');
  abort.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  const batch = producer.publishMany(Array(40).fill('more'), { timeout: 50 }).catch((error) => error);
  assert.deepEqual(await drain(consumer, 17), [...Array(16).fill('fill'), 'last']);
  const error = await batch;
  failure('timeout')(error);
  await last;
  assert.deepEqual(await drain(consumer, error.published), Array(error.published).fill('more'));
  assert.equal(await consumer.receive({ timeout: 10 }), null);
});

test('a message that can never fit is an error that names the remedy', async () => {
  const { producer } = await small('large');
  const large = Buffer.alloc(producer.maxMessageBytes + 1);
  await assert.rejects(producer.publish(large), failure('too_large', 'lane_bytes'));
  const batch = producer.publishMany(['a', large, 'b']);
  await assert.rejects(batch, (error) => failure('too_large', 'lane_bytes')(error) && error.published === 1);
});

test('what an element of a list throws is what publishMany rejects with', async () => {
  const { producer, consumer } = await small('throwing');
  for (const wrong of ['no object', Object.freeze(new Error('frozen')), new Error('mine'), null]) {
    const messages = ['a', Buffer.from('b'), 'c'];
    Object.defineProperty(messages, 2, { enumerable: true, get: () => { throw wrong; } });
    const error = await producer.publishMany(messages).then(() => assert.fail('it was published'), (reason) => reason);
    assert.equal(error, wrong);
  }
  producer.close();
  assert.equal(await consumer.receive({ timeout: 1 }), null);
});

test('a closed producer rejects what waits and what comes later', async () => {
  const { producer } = await small('closed');
  while (producer.tryPublish('fill'));
  const waits = producer.publish('x');
  producer.close();
  await assert.rejects(waits, failure('misuse', 'not published'));
  await assert.rejects(producer.publish('x'), failure('misuse', 'closed'));
  producer.close();
});

test('a named producer publishes no sequence number twice', async () => {
  const queue = await daemon.link.declare('sequences', { groups: ['g'] });
  const first = await queue.producer({ name: 'import' });
  assert.equal(first.lastSequence, 0n);
  assert.equal(await first.publish('1', { sequence: 1 }), true);
  assert.equal(await first.publish('5', { sequence: 5n }), true);
  assert.equal(await first.publish('5', { sequence: 5 }), false);
  first.close();
  const again = await queue.producer({ name: 'import' });
  assert.equal(again.lastSequence, 5n);
  assert.equal(await again.publish('3', { sequence: 3 }), false);
  assert.equal(await again.publish('6', { sequence: 2n ** 60n }), true);
  assert.equal(again.lastSequence, 2n ** 60n);
  const other = await queue.producer();
  await assert.rejects(other.publish('x', { sequence: 1 }), failure('misuse'));
  await assert.rejects(again.publish('x', { sequence: -1 }), failure('invalid_option', 'sequence'));
  assert.deepEqual(await drain(await queue.consumer({ group: 'g' }), 3), ['1', '5', '6']);
});

test('several producers of one process and of workers reach one consumer', async () => {
  const queue = await daemon.link.declare('many', { slots: 64 });
  const consumer = await queue.consumer();
  const producers = await Promise.all(Array.from({ length: 4 }, () => queue.producer()));
  const sent = producers.map(async (producer, id) => {
    for (let i = 0; i < 1000; ++i) await producer.publish(`${id}:${i}`);
  });
  const next = [0, 0, 0, 0];
  for (let i = 0; i < 4000; ++i) {
    const [id, number] = (await consumer.receive()).text().split(':').map(Number);
    assert.equal(number, next[id]++);
  }
  await Promise.all(sent);
  assert.equal(consumer.counters().messages, 4000);
});

test('the version is that of the daemon', async () => {
  assert.equal((await daemon.link.ping()).version, beltway.version);
  await pause(0);
});
