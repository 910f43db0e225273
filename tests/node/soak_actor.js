// A producer or a worker of the soak, which kills it at any moment. What it did is in its log, one write() a line.
//
//   node soak_actor.js producer SOCKET QUEUE ID FIRST LOG
//   node soak_actor.js worker SOCKET QUEUE GROUP LOG
'use strict';

const fs = require('node:fs');
const beltway = require(process.env.BELTWAY_TEST_PACKAGE); // build/PRESET/node

const MOST_MESSAGES = 1000000;
const MOST_BYTES = 3001;
const [role, socket, name, ...rest] = process.argv.slice(2);
const log = fs.openSync(rest[rest.length - 1], 'a', 0o600);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

/** Message `number` of a producer. */
function build(producer, number) {
  return Buffer.concat([Buffer.from(`${producer} ${number} `), Buffer.alloc(number % MOST_BYTES, 97 + (number % 26))]);
}

async function produce(queue, producer, first) {
  const out = await queue.producer();
  for (let number = first; number < MOST_MESSAGES && !stop.signal.aborted; ++number) {
    fs.writeSync(log, `b ${number}\n`);
    await out.publish(build(producer, number), { signal: stop.signal });
    fs.writeSync(log, `c ${number}\n`);
    // A promise that is done already leaves no turn to the loop, and SIGTERM is told in one.
    if (number % 64 === 0) await new Promise(setImmediate);
  }
  while (!stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function work(queue, group) {
  const consumer = await queue.consumer({ group });
  for await (const message of consumer.messages({ signal: stop.signal })) {
    const [producer, number] = message.data.toString('latin1', 0, 48).split(' ', 2).map(Number);
    if (!build(producer, number).equals(message.data)) {
      console.error(`position ${message.position} is torn`);
      process.exit(3);
    }
    fs.writeSync(log, `s ${producer} ${number} ${message.deliveries}\n`);
    if (number % 67 === 0 && message.deliveries === 1) message.nack();
    else message.ack();
  }
}

async function main() {
  const link = await beltway.connect({ socket });
  const queue = await link.openQueue(name);
  if (role === 'producer') await produce(queue, Number(rest[0]), Number(rest[1]));
  else await work(queue, rest[0]);
}

main().catch((error) => {
  if (stop.signal.aborted && error === stop.signal.reason) process.exit(0);
  console.error(error.message);
  process.exit(2);
}).then(() => process.exit(0));
