// Prints what hello_producer.js says, until Ctrl-C.
'use strict';

const beltway = require('beltway');

async function main() {
  const link = await beltway.connect();
  const queue = await link.declare('hello', { groups: ['listeners'] });
  // A consumer of a named group goes on when the last producer leaves: it waits for producers yet to come.
  const consumer = await queue.consumer({ group: 'listeners' });
  process.once('SIGINT', () => consumer.close()); // ends the loop below
  for await (const message of consumer) {
    console.log(message.text());
    message.ack();
  }
  console.log('ended');
}

main();
