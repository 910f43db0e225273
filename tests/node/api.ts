// What a program in TypeScript may write, and what the compiler has to refuse. Compiled, never run.
import beltway = require('beltway');
import { connect, BeltwayError, Callback, Consumer, Message, Producer, PublishOptions, Queue } from 'beltway';

async function promises(): Promise<void> {
  const link = await connect({ timeout: 1000 });
  const queue: Queue = await link.declare('orders', {
    slots: 64, groups: ['billing', { name: 'audit', retryDelay: 5 }], stamps: 'coarse',
  });
  const producer: Producer = await queue.producer({ name: 'shop' });
  const { signal } = new AbortController();
  const options: PublishOptions = { key: 'k', headers: { a: Buffer.from('b'), c: 'd' }, sequence: 5n, signal };
  const published: boolean = await producer.publish(new Uint8Array(4), options);
  const count: number = await producer.publishMany(['a', Buffer.from('b')], { timeout: 5 });
  const consumer: Consumer = await queue.consumer({ group: 'billing', ack: 'explicit', endOfStream: 'drained' });
  for await (const message of consumer) {
    const data: Buffer = message.data;
    const done: boolean = message.ack() && message.nack(5) && published && count > data.length;
    console.log(done, message.properties.headers[0], message.publishedAt?.getTime());
  }
  const message: Message | null = await consumer.receive({ timeout: 5, signal: options.signal });
  const many: Message[] = await consumer.receiveMany(5);
  const acked: number = consumer.ackMany(many);
  const { events, next, journal } = await link.events({ since: 1, count: 10 });
  console.log(events[0].kind, events[0].pid?.toFixed(), next + 1, journal + 1n);
  await queue.ackMessage('billing', 5);
  const moved: boolean = await queue.moveMessage('billing', 6, await link.openQueue('other'), { timeout: 5 });
  const packed: number = await producer.publishMany(new Float64Array(8), { size: 16, timeout: 5 });
  const batch = await consumer.receiveBatch(64);
  console.log(moved, packed, batch?.data(0).length, batch?.bytes[batch.begin(0)], batch?.ack());
  const into = await consumer.receiveInto(Buffer.alloc(8));
  console.log(message?.text(), acked, into?.size, queue.options.retryDelay + 1, producer.lastSequence + 1n);
  consumer[Symbol.dispose]();
  await producer[Symbol.asyncDispose]();
}

function callbacks(done: Callback<Message | null>): void {
  connect((error, link) => {
    if (error) return done(error, null);
    link.declare('orders', { groups: ['g'] }, (error, queue) => {
      if (error) return console.log(error.code === 'already_exists', error.published);
      queue.consumer({ group: 'g' }, (_, consumer) => consumer.receive(done));
      queue.producer((_, producer) => producer.publish('x', { ttl: 5 }, () => producer.publish('y', () => {})));
    });
  });
}

async function refused(queue: Queue, consumer: Consumer, producer: Producer): Promise<void> {
  // @ts-expect-error a misspelled option
  await queue.consumer({ grup: 'g' });
  // @ts-expect-error a word that does not exist
  await queue.consumer({ ack: 'never' });
  // @ts-expect-error null must be handled
  (await consumer.receive()).ack();
  // @ts-expect-error bytes without the size of a message
  await producer.publishMany(Buffer.alloc(64));
  // @ts-expect-error no bytes
  await producer.publish({ a: 1 });
  // @ts-expect-error the target is a queue
  await queue.moveMessage('billing', 6, 'other');
  // @ts-expect-error made by a queue alone
  new Producer();
  // @ts-expect-error a code that does not exist
  if (new BeltwayError('misuse', '').code === 'never') console.log(beltway.version);
}

export { promises, callbacks, refused };
