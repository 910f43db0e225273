// Connections, queues, callbacks, promises and iteration.
'use strict';

const { pathToFileURL } = require('node:url');
const path = require('node:path');
const { assert, beltway, failure, package_, start, test, useDaemon } = require('./support');

const daemon = useDaemon();

test('every call with a callback gives it the error first and then the result', async () => {
  const text = await new Promise((resolve, reject) => {
    beltway.connect((error, link) => {
      if (error) return reject(error);
      link.declare('callbacks', (error, queue) => {
        if (error) return reject(error);
        queue.consumer((error, consumer) => {
          if (error) return reject(error);
          queue.producer((error, producer) => {
            if (error) return reject(error);
            producer.publish('hello', (error, published) => {
              if (error) return reject(error);
              assert.equal(published, true);
              consumer.receive((error, message) => (error ? reject(error) : resolve(message.text())));
            });
          });
        });
      });
    });
  });
  assert.equal(text, 'hello');
});

test('a callback gets the error of a bad argument and is never called before the call returns', async () => {
  let returned = false;
  const error = await new Promise((resolve) => {
    beltway.connect({ sockett: 'x' }, (error) => {
      assert.ok(returned);
      resolve(error);
    });
    returned = true;
  });
  failure('invalid_option', '"sockett"', 'socket, startDaemon, timeout, stoppedTimeout')(error);
});

test('an exception of a callback is an uncaught exception and no rejection', async () => {
  const { code, error } = await start(['-e', `process.on('unhandledRejection', () => process.exit(9));
    require(${JSON.stringify(package_)}).connect((error, link) => { throw new Error('mine'); })`]).ended;
  assert.equal(code, 1);
  assert.match(error, /mine/);
});

test('an ES module has the same names', async () => {
  const module_ = await import(pathToFileURL(path.join(package_, 'index.mjs')));
  assert.deepEqual(Object.keys(module_).filter((name) => name !== 'default').sort(), Object.keys(beltway).sort());
  assert.equal(module_.default, beltway);
});

test('a queue tells its options and who is attached', async () => {
  const queue = await daemon.link.declare('told', {
    slots: 64, mode: 0o640, retryDelay: 7, stamps: 'coarse', groups: ['a', { name: 'b', maxDeliveries: 3, discard: true }],
  });
  const producer = await queue.producer({ name: 'importer' });
  const info = await queue.describe();
  assert.equal(info.options.slots, 64);
  assert.equal(info.options.mode, 0o640);
  assert.equal(info.options.retryDelay, 7);
  assert.equal(info.options.stamps, 'coarse');
  assert.deepEqual(info.options.groups, [{ name: 'a' }, { name: 'b', maxDeliveries: 3, discard: true }]);
  assert.deepEqual(info.endpoints.map(({ producer, name, pid }) => [producer, name, pid]), [[true, 'importer', process.pid]]);
  assert.ok((await daemon.link.list()).some(({ name }) => name === 'told'));
  producer.close();
  assert.deepEqual((await daemon.link.describe('told')).endpoints, []);
});

test('a declare with other options names all that differ', async () => {
  await daemon.link.declare('differs', { slots: 64 });
  const other = daemon.link.declare('differs', { slots: 128, slotBytes: 64 });
  await assert.rejects(other, failure('already_exists', 'slots', 'slot_bytes'));
  const { created, changed } = await daemon.link.declareSome('differs', { retryDelay: 20 });
  assert.equal(created, false);
  assert.deepEqual(changed.map(({ option, from, to }) => [option, from, to]), [['retryDelay', '1', '20']]);
});

test('openQueue waits until another program declares the queue', async () => {
  await assert.rejects(daemon.link.openQueue('later'), failure('not_found', 'later'));
  await assert.rejects(daemon.link.openQueue('later', { timeout: 30 }), failure('not_found', 'later'));
  const opened = daemon.link.openQueue('later', { timeout: 10000 });
  await daemon.link.declare('later', { slots: 32 });
  assert.equal((await opened).options.slots, 32);
  const abort = new AbortController();
  const never = daemon.link.openQueue('never', { signal: abort.signal });
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(never, { name: 'AbortError' });
});

test('waitForConsumers ends when enough are attached', async () => {
  const queue = await daemon.link.declare('awaited');
  assert.equal(await queue.waitForConsumers(1, { timeout: 20 }), false);
  const waits = queue.waitForConsumers(1, { timeout: 10000 });
  const consumer = await queue.consumer();
  assert.equal(await waits, true);
  consumer.close();
});

test('groups can be added paused reset purged and removed', async () => {
  const queue = await daemon.link.declare('managed', { groups: ['g'] });
  const producer = await queue.producer();
  await producer.publishMany(['a', 'b', 'c']);
  await queue.addGroup('late', 'oldest');
  const group = async (name) => (await queue.snapshot()).groups.find((each) => each.name === name);
  assert.equal((await group('late')).available, 3);
  await queue.pauseGroup('g');
  assert.deepEqual((await queue.describe()).paused.map(({ name }) => name), ['g']);
  await queue.resumeGroup('g');
  assert.equal((await queue.purge('g')).purged, 3);
  assert.equal((await queue.resetGroup('g', 'oldest')).restored, 3);
  assert.equal((await queue.resetGroup('g', { position: 2 })).position, 2);
  assert.deepEqual((await queue.peek(5, { group: 'g' })).map(({ data }) => data.toString()), ['c']);
  await assert.rejects(queue.evict(0), failure('not_found', 'no consumer 0'));
  assert.equal((await queue.peek(5, { group: 'g' }))[0].deliveries, 0);
  assert.equal((await queue.peek(5))[0].deliveries, undefined);
  assert.deepEqual((await queue.peek(5, { from: 1 })).map(({ position }) => position), [1, 2]);
  assert.deepEqual(await queue.peek(5, { from: 3 }), []);
  await assert.rejects(queue.peek(5, { from: -1 }), failure('invalid_option', 'peek: from'));
  await queue.removeGroup('late');
  await assert.rejects(queue.purge('late'), failure('not_found', 'late'));
});

test('one message is acknowledged or moved by its position', async () => {
  const queue = await daemon.link.declare('by-position', { groups: ['g'] });
  const target = await daemon.link.declare('by-position-target', { groups: ['h'], slots: 2 });
  const producer = await queue.producer();
  for (const key of ['a', 'b', 'c', 'd', 'e']) await producer.publish(key, { key });
  await queue.ackMessage('g', 1);
  await assert.rejects(queue.ackMessage('g', 1), failure('not_found'));
  await assert.rejects(queue.ackMessage('x', 2), failure('not_found', '"x"'));
  await assert.rejects(queue.ackMessage('g', -1), failure('invalid_option', 'position'));
  assert.equal(await queue.moveMessage('g', 2, target), true);
  assert.equal(await new Promise((resolve, reject) => {
    queue.moveMessage('g', 3, target, (error, moved) => (error ? reject(error) : resolve(moved)));
  }), true);
  assert.equal(await queue.moveMessage('g', 4, target, { timeout: 5 }), false); // it is full
  await assert.rejects(queue.moveMessage('g', 4, 'by-position-target'), failure('invalid_option', 'takes a Queue'));
  await assert.rejects(queue.moveMessage('g', 4, target, { timeout: -1 }), failure('invalid_option', 'timeout'));
  await assert.rejects(queue.moveMessage('g', 4, target, { signal: AbortSignal.abort() }), failure('invalid_option', 'signal'));
  const shown = ({ data, properties }) => [data.toString(), properties.key];
  const got = async (from, group) => (await from.peek(9, { group })).map(shown);
  assert.deepEqual(await got(queue, 'g'), [['a', 'a'], ['e', 'e']]);
  assert.deepEqual(await got(target, 'h'), [['c', 'c'], ['d', 'd']]);
  const consumer = await queue.consumer({ group: 'g' });
  const { position } = await consumer.receive();
  await assert.rejects(queue.ackMessage('g', position), failure('misuse'));
});

test('events tell what the daemon has seen and go on where the last answer ended', async () => {
  const before = await daemon.link.events({ since: 2 ** 40 });
  const queue = await daemon.link.declare('seen', { groups: ['g'] });
  const producer = await queue.producer();
  producer.close();
  const kinds = [];
  let next = before.last + 1;
  const isOurs = ({ queue: name }) => name === 'seen';
  while (!kinds.includes('left')) {
    const page = await daemon.link.events({ since: next, count: 1 });
    assert.ok(page.events.length <= 1 && page.journal === before.journal && page.next >= next);
    for (const event of page.events.filter(isOurs)) kinds.push(event.kind);
    next = page.next;
  }
  assert.deepEqual(kinds, ['declared', 'attached', 'left']);
  const { events } = await new Promise((resolve, reject) => {
    daemon.link.events((error, page) => (error ? reject(error) : resolve(page)));
  });
  const attached = events.find((event) => isOurs(event) && event.kind === 'attached');
  assert.deepEqual([attached.role, attached.index, attached.pid], ['producer', 0, process.pid]);
  assert.ok(Math.abs(attached.time - Date.now()) < 60000);
  assert.deepEqual(Object.keys(attached).filter((name) => ['messages', 'group', 'voided'].includes(name)), []);
  await assert.rejects(daemon.link.events({ since: -1 }), failure('invalid_option', 'since'));
});

test('a connection that was closed says so while its queues go on', async () => {
  const link = await beltway.connect();
  const queue = await link.declare('goes-on');
  link.close();
  await assert.rejects(link.declare('other'), failure('misuse', 'closed'));
  const consumer = await queue.consumer();
  await (await queue.producer()).publish('x');
  assert.equal((await consumer.receive()).text(), 'x');
});

test('for await ends with the stream and leaves the consumer open when it is left', async () => {
  const queue = await daemon.link.declare('streamed');
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  await producer.publishMany(['1', '2', '3', '4']);
  const seen = [];
  for await (const message of consumer) {
    seen.push(message.text());
    if (seen.length === 2) break;
  }
  producer.close();
  for await (const message of consumer) seen.push(message.text());
  assert.deepEqual(seen, ['1', '2', '3', '4']);
  assert.equal(consumer.ended, true);
  assert.equal(await consumer.receive(), null);
});

test('a loop and a consume end when their consumer is closed in the middle', async () => {
  const queue = await daemon.link.declare('closed-in-loop', { groups: ['g'] });
  await (await queue.producer()).publishMany(['1', '2', '3']);
  const looped = await queue.consumer({ group: 'g' });
  let seen = 0;
  for await (const message of looped) {
    ++seen;
    message.ack();
    looped.close();
  }
  const consumed = await queue.consumer({ group: 'g' });
  await new Promise((resolve) => consumed.consume((error, message) => {
    assert.equal(error, null);
    if (message === null) return resolve();
    ++seen;
    message.ack();
    consumed.close();
  }));
  assert.equal(seen, 2);
  assert.equal((await queue.snapshot()).groups[0].depth, 1);
});

test('consume calls back with each message and at last with null', async () => {
  const queue = await daemon.link.declare('consumed');
  const consumer = await queue.consumer();
  const producer = await queue.producer();
  const seen = [];
  const ended = new Promise((resolve) => {
    consumer.consume((error, message) => (error || message === null ? resolve(error) : seen.push(message.text())));
  });
  for (let i = 0; i < 500; ++i) await producer.publish(String(i));
  producer.close();
  assert.equal(await ended, null);
  assert.deepEqual(seen, Array.from({ length: 500 }, (_, i) => String(i)));
});

test('an endpoint has the dispose symbols where the language has them', { skip: Symbol.asyncDispose === undefined }, async () => {
  const queue = await daemon.link.declare('disposed', { groups: ['g'] });
  const consumer = await queue.consumer({ group: 'g' });
  const producer = await queue.producer();
  await producer.publish('x');
  const message = await consumer.receive();
  message[Symbol.dispose]();
  assert.equal(message.ack(), false);
  assert.equal((await consumer.receive()).deliveries, 2);
  await consumer[Symbol.asyncDispose]();
  producer[Symbol.dispose]();
  assert.deepEqual((await queue.describe()).endpoints, []);
});
