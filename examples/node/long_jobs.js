// Long jobs and a lease timeout: a worker that hangs loses its job to another one. A worker that is busy asks for more time.
'use strict';

const beltway = require('beltway');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Works on a job for twice as long as a lease lasts, and keeps the lease. */
async function workForLong(job) {
  const extending = setInterval(() => job.extend(), 50);
  await pause(1000);
  clearInterval(extending);
  console.log(`${job.text()}: done, delivery ${job.deliveries}, still ours: ${job.ack()}`);
}

async function main() {
  const link = await beltway.connect();
  const jobs = await link.declare('long_jobs', { groups: [{ name: 'workers', leaseTimeout: 500, retryDelay: 0 }] });
  await (await jobs.producer()).publishMany(['hangs', 'long']);

  const first = await jobs.consumer({ group: 'workers' });
  const second = await jobs.consumer({ group: 'workers' });
  const hung = await first.receive(); // and never comes back to it
  const long = workForLong(await second.receive());

  const again = await second.receive();
  console.log(`${again.text()}: delivery ${again.deliveries}, the first worker still has it: ${hung.stillHeld()}`);
  again.ack();
  await long;
}

main();
