// A worker that leaves in order when it is told to (SIGTERM or Ctrl-C): it takes no more jobs, finishes and acknowledges those
// that it has in hand, and goes. What it has not taken stays for others.
'use strict';

const beltway = require('beltway');

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function work(consumer, signal) {
  try {
    for await (const job of consumer.messages({ signal })) {
      await pause(20);
      console.log(`done ${job.text()}`);
      job.ack();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function main() {
  const leaving = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => leaving.abort());
  const jobs = await (await beltway.connect()).declare('long-jobs', { groups: ['workers'] });
  const consumer = await jobs.consumer({ group: 'workers' });
  await Promise.all([1, 2, 3].map(() => work(consumer, leaving.signal))); // three tasks share the consumer
  console.log('left in order');
}

main();
