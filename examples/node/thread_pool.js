// Threads: each worker connects by itself and has a consumer of its own, so the jobs use all processors.
'use strict';

const { once } = require('node:events');
const { Worker, isMainThread, threadId } = require('node:worker_threads');
const beltway = require('beltway');

const jobs = 300;

async function work() {
  const queue = await (await beltway.connect()).openQueue('squares');
  const results = await (await (await beltway.connect()).openQueue('results')).producer();
  const consumer = await queue.consumer({ group: 'workers', endOfStream: 'after_producer' });
  for await (const job of consumer) {
    await results.publish(`thread ${threadId}: ${job.json().n ** 2}`);
    job.ack();
  }
}

async function main() {
  const link = await beltway.connect();
  const queue = await link.declare('squares', { slots: 64, groups: ['workers'] });
  const results = await (await link.declare('results')).consumer({ follow: true });
  const threads = Array.from({ length: 2 }, () => once(new Worker(__filename), 'exit'));
  await queue.waitForConsumers(threads.length);
  const producer = await queue.producer();
  for (let n = 0; n < jobs; ++n) await producer.publish(JSON.stringify({ n }));
  producer.close();
  const seen = new Set();
  for (let i = 0; i < jobs; ++i) seen.add((await results.receive()).text().split(': ')[1]);
  await Promise.all(threads);
  console.log(`${seen.size} squares from ${threads.length} threads`);
}

if (isMainThread) main();
else work();
