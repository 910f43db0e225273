// A producer or a worker of the soak of languages, which kills it at any moment. What it did is in its log, one write a line.
//
//   node soak_actor.js producer SOCKET QUEUE ID FIRST LOG
//   node soak_actor.js worker SOCKET QUEUE GROUP LOG
//
// Lines: "b N" before a publish, "c N" after it, "s PRODUCER N DELIVERIES" before an ack. SIGTERM ends it with exit code 0. The
// package is that of $BELTWAY_TEST_PACKAGE.
'use strict';

const fs = require('node:fs');
const beltway = require(process.env.BELTWAY_TEST_PACKAGE);

const mostMessages = 1000000;
const mostBytes = 3001;
const batch = 4;

const [role, socket, name] = process.argv.slice(2);
const log = fs.openSync(process.argv.at(-1), 'a', 0o600);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const { signal } = stop;

/** Message `number` of `producer`. */
function build(producer, number) {
  const filler = String.fromCharCode(97 + (number % 26)).repeat(number % mostBytes);
  return Buffer.from(`${producer} ${number} ${filler}`, 'latin1');
}

async function publish(producer, message, number) {
  switch (number % 5) {
    case 0: return producer.publish(message, { signal, key: String(number) });
    case 1: return producer.publishMany([message], { signal });
    case 2: return producer.publish(message.toString('latin1'), { signal });
    case 3: return new Promise((resolve, reject) => {
      producer.publish(message, { signal }, (error) => (error ? reject(error) : resolve()));
    });
    default: return producer.publishMany(message, { signal, size: message.length });
  }
}

async function produce(queue, id, first) {
  const producer = await queue.producer();
  for (let number = first; number < mostMessages; ++number) {
    fs.writeSync(log, `b ${number}\n`);
    await publish(producer, build(id, number), number);
    fs.writeSync(log, `c ${number}\n`);
    if (signal.aborted) return;
  }
}

function handle(message) {
  const [producer, number] = message.data.toString('latin1', 0, 64).split(' ').map(Number);
  if (!build(producer, number).equals(message.data)) {
    console.error(`position ${message.position} is torn`);
    process.exit(3);
  }
  fs.writeSync(log, `s ${producer} ${number} ${message.deliveries}\n`);
  if (number % 67 === 0 && message.deliveries === 1) message.nack();
  else message.ack();
}

/** The messages of a batch, as objects with what handle() uses. */
function messagesOf(batch) {
  return Array.from({ length: batch.length }, (_, i) => ({
    data: batch.data(i),
    position: batch.position(i),
    deliveries: batch.deliveries(i),
    ack: () => batch.ack(i),
    nack: () => batch.nack(i),
  }));
}

async function work(queue, group) {
  const consumer = await queue.consumer({ group });
  for (let turn = 0; ; ++turn) {
    if (turn % 3 === 0) {
      (await consumer.receiveMany(batch, { signal })).forEach(handle);
    } else if (turn % 3 === 1) {
      messagesOf(await consumer.receiveBatch(batch, { signal })).forEach(handle);
    } else {
      const message = await consumer.receive({ signal });
      if (message !== null) handle(message);
    }
  }
}

async function main() {
  const queue = await (await beltway.connect({ socket })).openQueue(name);
  if (role === 'producer') await produce(queue, Number(process.argv[5]), Number(process.argv[6]));
  else await work(queue, process.argv[5]);
}

main().then(() => process.exit(0), (error) => {
  if (signal.aborted && error === signal.reason) process.exit(0);
  console.error(error);
  process.exit(2);
});
