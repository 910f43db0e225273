// A work queue: each job goes to one worker, and is gone only when that worker acknowledges it. Start as many workers as you
// like; kill one in the middle of a job, and another gets the job again.
//
//   node work_queue.js submit COUNT
//   node work_queue.js work
'use strict';

const beltway = require('beltway');

async function submit(jobs, count) {
  const producer = await jobs.producer();
  for (let i = 1; i <= count; ++i) await producer.publish(`job ${i}`);
}

async function work(jobs) {
  // A worker leases only the job that it receives: the others stay for workers that have time.
  const consumer = await jobs.consumer({ group: 'workers' });
  for (;;) {
    const job = await consumer.receive({ timeout: 1000 });
    if (job === null) return; // nothing to do for a second
    // The first try of every tenth job goes wrong here, to show what happens then.
    if (job.text().endsWith('0') && job.deliveries === 1) {
      console.log(`failed ${job.text()}`);
      job.nack(); // to a worker, after a pause
    } else {
      console.log(`done ${job.text()}`);
      job.ack();
    }
  }
}

async function main() {
  const [role, count] = process.argv.slice(2);
  const jobs = await (await beltway.connect()).declare('jobs', { groups: ['workers'] });
  await (role === 'submit' ? submit(jobs, Number(count)) : work(jobs));
}

main();
