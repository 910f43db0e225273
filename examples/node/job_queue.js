// A job queue with retries and dead letters: a job that fails is tried again after a pause. A job that failed three times, or
// that its worker rejects, goes to another queue, with the reason. An operator looks at it there.
'use strict';

const beltway = require('beltway');

function work(job) {
  const name = job.text();
  if (name === 'not a job') {
    job.reject(); // no later delivery can succeed
  } else if (name === 'broken' || job.deliveries === 1) {
    job.nack(); // again after 10 ms, then 20 ms
  } else {
    console.log(`${name}: done, delivery ${job.deliveries}`);
    job.ack();
  }
}

async function main() {
  const link = await beltway.connect();
  const failed = await link.declare('job_queue/failed', { groups: ['operators'] });
  const jobs = await link.declare('job_queue', {
    slots: 256,
    laneBytes: 16384,
    groups: [{ name: 'workers', retryDelay: 10, maxDeliveries: 3, deadLetter: 'job_queue/failed' }],
  });
  const producer = await jobs.producer();
  await producer.publishMany(['broken', 'not a job', 'resize a.png']);
  producer.close();

  // The stream ends after the jobs that wait for their next delivery.
  const consumer = await jobs.consumer({ group: 'workers', endOfStream: 'drained' });
  for await (const job of consumer) work(job);

  const operator = await failed.consumer({ group: 'operators' });
  for (let left = consumer.counters().deadLettered; left > 0; --left) {
    const letter = await operator.receive();
    const { reason, queue, group, deliveries } = letter.properties.deadLetter;
    console.log(`${letter.text()}: ${reason} in ${queue}/${group} after ${deliveries} deliveries`);
    letter.ack();
  }
}

main();
