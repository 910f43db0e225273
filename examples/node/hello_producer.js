// Says hello a few times: connect, declare, publish. Run hello_consumer.js beside it, before or afterwards.
//
//   node hello_producer.js [COUNT]
'use strict';

const beltway = require('beltway');

async function main() {
  const link = await beltway.connect(); // starts a daemon of yours if none runs
  // A group keeps messages for its consumers even while none is there.
  const queue = await link.declare('hello', { groups: ['listeners'] });
  const producer = await queue.producer();
  const count = Number(process.argv[2] ?? 10);
  for (let i = 1; i <= count; ++i) await producer.publish(`hello ${i}`); // waits while the queue is full
  console.log(`sent ${count} messages`);
}

main();
