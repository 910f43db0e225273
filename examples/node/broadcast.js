// Broadcast: a consumer that names no group sees every message. A lossy one never holds the producer back; it is told what it
// missed.
'use strict';

const beltway = require('beltway');

function drain(consumer, who) {
  let seen = 0;
  let lost = 0;
  for (let message = consumer.tryReceive(); message !== null; message = consumer.tryReceive()) {
    ++seen;
    lost += message.lost;
  }
  console.log(`${who} saw ${seen}, lost ${lost}`);
}

async function main() {
  const link = await beltway.connect();
  const news = await link.declare('news', { slots: 16 });
  const producer = await news.producer();
  const first = await news.consumer();
  const second = await news.consumer();
  const tap = await news.consumer({ lossy: true });

  for (let i = 1; i <= 10; ++i) await producer.publish(`headline ${i}`);
  drain(first, 'first');
  drain(second, 'second');
  for (let i = 11; i <= 20; ++i) await producer.publish(`headline ${i}`);
  drain(first, 'first');
  drain(second, 'second');
  // Twenty messages went through a ring of sixteen, and the tap did not look: the oldest are gone for it.
  drain(tap, 'tap');

  // Reliable consumers hold the producer back instead: nothing is dropped.
  for (let i = 0; i < 16; ++i) await producer.publish('filler');
  console.log(`a full queue takes one more: ${producer.tryPublish('one more')}`);
}

main();
