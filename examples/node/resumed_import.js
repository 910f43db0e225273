// A named producer: an import that is ended in the middle, and starts again from the beginning, stores nothing twice.
'use strict';

const beltway = require('beltway');

/** Publishes the lines 1 to `last` of a file that is always read from its beginning. Returns how many were stored before. */
async function importLines(lines, last) {
  const producer = await lines.producer({ name: 'importer' }); // one process at a time has the name
  let skipped = 0;
  for (let line = 1; line <= last; ++line) {
    const stored = await producer.publish(`line ${line}`, { sequence: line });
    if (!stored) ++skipped;
  }
  producer.close();
  return skipped;
}

async function main() {
  const link = await beltway.connect();
  const lines = await link.declare('lines');
  const consumer = await lines.consumer();
  await importLines(lines, 60); // the first run gets no further: its machine is short of power, say
  const skipped = await importLines(lines, 100);
  const received = await consumer.receiveMany(1000);
  console.log(`${received.length} lines received, ${skipped} not stored again`);
}

main();
