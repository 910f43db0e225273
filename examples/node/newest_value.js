// Newest value only: a sensor publishes faster than the display draws. The display draws the newest value each time, and the
// sensor never waits for it.
'use strict';

const beltway = require('beltway');

const values = 2000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(producer) {
  for (let value = 1; value <= values; ++value) {
    await producer.publish(String(value));
    if (value % 50 === 0) await pause(1);
  }
  producer.close();
}

async function main() {
  const link = await beltway.connect();
  const speed = await link.declare('speed', { slots: 16, maxProducers: 1 });
  const display = await speed.consumer({ lossy: true, conflate: true });
  measure(await speed.producer());
  let drawn = 0;
  let skipped = 0;
  let shown;
  for await (const value of display) { // until the sensor has gone
    shown = value.text();
    skipped += value.lost;
    ++drawn;
    await pause(2); // drawing takes its time
  }
  console.log(`all accounted for: ${drawn + skipped === values}, the last value is ${shown}`);
}

main();
