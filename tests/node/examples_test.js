// The examples do what they say, each against the same daemon.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { assert, eventually, package_, start, test, useDaemon } = require('./support');

const daemon = useDaemon();
const folder = path.join(__dirname, '..', '..', 'examples', 'node');
const environment = () => ({ ...process.env, NODE_PATH: path.join(package_, '..', 'node_modules') });
const tried = new Set();

function begin(name, ...args) {
  tried.add(name);
  return start([path.join(folder, name), ...args], { env: environment() });
}
async function run(name, ...args) {
  const { code, out, error } = await begin(name, ...args).ended;
  assert.deepEqual([code, error], [0, ''], out);
  return out;
}
const count = (text, part) => text.split(part).length - 1;

test('callback.js sends and receives Hello World', async () => {
  const out = await run('callback.js');
  assert.deepEqual(out.trim().split('\n').sort(), ['received Hello World!', 'sent Hello World!']);
});

test('hello_consumer.js prints what hello_producer.js says until Ctrl-C', async () => {
  const { child, ended } = begin('hello_consumer.js');
  let heard = '';
  child.stdout.on('data', (data) => (heard += data));
  assert.equal(await run('hello_producer.js', '5'), 'sent 5 messages\n');
  await eventually(() => heard.endsWith('hello 5\n'));
  assert.equal(await run('hello_producer.js', '7'), 'sent 7 messages\n');
  await eventually(() => heard.endsWith('hello 7\n'));
  child.kill('SIGINT');
  assert.equal((await ended).code, 0);
  assert.equal(count(heard, 'hello '), 12);
  assert.ok(heard.endsWith('ended\n'));
});

test('work_queue.js does each job once although every tenth fails at first', async () => {
  await run('work_queue.js', 'submit', '40'); // a worker leaves when there is nothing to do
  const workers = [begin('work_queue.js', 'work'), begin('work_queue.js', 'work')];
  const out = (await Promise.all(workers.map(({ ended }) => ended))).map((each) => each.out).join('');
  assert.deepEqual([count(out, 'failed job '), count(out, 'done job ')], [4, 40]);
});

test('broadcast.js shows who sees what', async () => {
  const out = await run('broadcast.js');
  assert.match(out, /first saw 10, lost 0\nsecond saw 10, lost 0\ntap saw \d+, lost \d+\na full queue takes one more: false\n$/);
});

test('job_queue.js reads dead letters with their reason', async () => {
  const out = await run('job_queue.js');
  assert.match(out, /resize a.png: done, delivery 2\n/);
  assert.match(out, /not a job: rejected in job_queue\/workers after 1 deliveries\n/);
  assert.match(out, /broken: too_many_deliveries in job_queue\/workers after 3 deliveries\n/);
});

test('failing_jobs.js tries again what fails and drops what never succeeds', async () => {
  const out = await run('failing_jobs.js');
  for (const line of ['broken, delivery 3: failed', 'server away, delivery 2: done', 'not a job, delivery 1: rejected',
    'good, delivery 1: done']) assert.equal(count(out, `${line}\n`), 1, out);
  assert.ok(out.endsWith('2 done, 2 dropped\n'), out);
});

test('long_jobs.js keeps the lease of the busy worker only', async () => {
  const out = await run('long_jobs.js');
  assert.match(out, /hangs: delivery 2, the first worker still has it: false\n/);
  assert.match(out, /long: done, delivery 1, still ours: true\n/);
});

test('newest_value.js accounts for all values', async () => {
  assert.equal(await run('newest_value.js'), 'all accounted for: true, the last value is 2000\n');
});

test('properties.js gets an answer to each question', async () => {
  const server = begin('properties.js', 'serve');
  const out = await run('properties.js', 'ask', 'who', 'where');
  assert.deepEqual(out.trim().split('\n').sort(), ['0: you asked: who', '1: you asked: where']);
  server.child.kill('SIGTERM');
  assert.deepEqual((({ code, error }) => [code, error])(await server.ended), [0, '']);
});

test('resumed_import.js stores nothing twice', async () => {
  assert.equal(await run('resumed_import.js'), '100 lines received, 60 not stored again\n');
});

test('image.js gets all images whole', async () => {
  assert.equal(await run('image.js'), '30 of 30 images came whole\n');
});

test('graceful_shutdown.js finishes what it has in hand', async () => {
  const { child, ended } = begin('graceful_shutdown.js');
  const queue = await daemon.link.openQueue('long-jobs', { timeout: 20000 });
  await queue.waitForConsumers(1);
  await (await queue.producer()).publishMany(Array.from({ length: 100 }, (_, i) => `job ${i}`));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGTERM');
  const { code, out, error } = await ended;
  assert.deepEqual([code, error], [0, '']);
  assert.ok(out.endsWith('left in order\n'));
  const done = count(out, 'done job ');
  const group = (await queue.snapshot()).groups[0];
  assert.deepEqual([group.available + group.delayed, group.leased], [100 - done, 0]);
});

test('thread_pool.js uses its threads', async () => {
  assert.equal(await run('thread_pool.js'), '300 squares from 2 threads\n');
});

test('each example is run and is short', () => {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.js'));
  assert.deepEqual(names.sort(), [...tried].sort());
  for (const name of names) assert.ok(fs.readFileSync(path.join(folder, name), 'utf8').split('\n').length < 60, name);
});
