// Large messages: images of 1 MiB lie in the producer's lane. The viewer copies each into one buffer of its own, and allocates
// nothing for an image.
'use strict';

const beltway = require('beltway');

const bytes = 1 << 20;
const frames = 30;

async function film(producer) {
  const image = Buffer.alloc(bytes);
  for (let frame = 0; frame < frames; ++frame) {
    image.fill(frame);
    await producer.publish(image); // waits while the lane is full; afterwards the buffer is free
  }
  producer.close();
}

async function main() {
  const link = await beltway.connect();
  const images = await link.declare('images', { slots: 8, laneBytes: 4 * bytes, maxProducers: 1 });
  const viewer = await images.consumer();
  film(await images.producer());
  const image = Buffer.alloc(bytes);
  let whole = 0;
  while ((await viewer.receiveInto(image)) !== null) {
    if (image[0] === whole && image[bytes - 1] === whole) ++whole;
  }
  console.log(`${whole} of ${frames} images came whole`);
}

main();
