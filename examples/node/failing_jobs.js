// Messages that fail: a job that fails is tried again after a pause, newer jobs go on meanwhile, and a job that never succeeds is
// dropped and counted.
'use strict';

const beltway = require('beltway');

function work(job) {
  const name = job.text();
  const told = (what) => console.log(`${name}, delivery ${job.deliveries}: ${what}`);
  if (name === 'not a job') {
    told('rejected');
    job.reject(); // no later delivery can succeed
  } else if (name === 'broken') {
    told('failed');
    job.nack(); // again after 10 ms, then 20 ms; after the third delivery it is dropped
  } else if (name === 'server away' && job.deliveries === 1) {
    told('later');
    job.nack(100); // again after this pause
  } else {
    told('done');
    job.ack();
  }
}

async function main() {
  const link = await beltway.connect();
  const workers = { name: 'workers', retryDelay: 10, maxDeliveries: 3, discard: true };
  const jobs = await link.declare('failing_jobs', { groups: [workers] });
  const producer = await jobs.producer();
  await producer.publishMany(['broken', 'server away', 'not a job', 'good']);
  producer.close();

  // A delayed message is not delivered yet: the stream ends after it.
  const consumer = await jobs.consumer({ group: 'workers', endOfStream: 'drained' });
  for await (const job of consumer) work(job);
  const { acks, discarded } = consumer.counters();
  console.log(`${acks} done, ${discarded} dropped`);
}

main();
