// How late timers of 1 ms are on an event loop that a queue keeps busy, beside the same timers on an idle loop.
//
//   node bench/peers/node_timers.js BUILD [SECONDS]
//
// BUILD is a build folder with the targets beltwayd and beltway_node: build/release. Cases: an idle loop; `for await` over a
// queue that another process saturates, with acks; batches of 64 of it; `await publish()` to a queue that another one empties.
// Prints one line of JSON a case: the lateness in milliseconds (p50, p99, most), and how much later than idle it is at p99.
'use strict';

const { fork, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { performance } = require('node:perf_hooks');

const delayMs = 1;

/** Timers one after the other, until `stop.now`. Resolves with how late each was. */
function timers(stop) {
  return new Promise((resolve) => {
    const late = [];
    const next = () => {
      const began = performance.now();
      setTimeout(() => {
        late.push(performance.now() - began - delayMs);
        if (stop.now) resolve(late.sort((left, right) => left - right));
        else next();
      }, delayMs);
    };
    next();
  });
}

async function open(name) {
  return (await require(process.env.BELTWAY_NODE_PACKAGE).connect()).declare(name, { slots: 16384, groups: ['workers'] });
}

const cases = {
  async idle(stop) {
    while (!stop.now) await new Promise((resolve) => setTimeout(resolve, 20));
    return 0;
  },
  async 'for await with acks'(stop) {
    const consumer = await (await open('one')).consumer({ group: 'workers' });
    let count = 0;
    for await (const message of consumer) {
      message.ack();
      ++count;
      if (stop.now) return count;
    }
  },
  async 'batches with acks'(stop) {
    const consumer = await (await open('batch')).consumer({ group: 'workers' });
    let count = 0;
    while (!stop.now) {
      const messages = await consumer.receiveMany(64);
      count += consumer.ackMany(messages);
    }
    return count;
  },
  async 'await publish'(stop) {
    const producer = await (await open('publish')).producer();
    const message = Buffer.alloc(64);
    let count = 0;
    for (; !stop.now; ++count) await producer.publish(message);
    return count;
  },
};

/** The other end: it goes on until it is killed. */
const others = {
  async produce(name) {
    const producer = await (await open(name)).producer();
    const messages = Array(64).fill(Buffer.alloc(64));
    for (;;) await producer.publishMany(messages);
  },
  async consume(name) {
    const consumer = await (await open(name)).consumer({ group: 'workers' });
    for (;;) consumer.ackMany(await consumer.receiveMany(256));
  },
};
const other = {
  'for await with acks': ['produce', 'one'],
  'batches with acks': ['produce', 'batch'],
  'await publish': ['consume', 'publish'],
};

async function measure(name, seconds) {
  const child = other[name] && fork(__filename, other[name]);
  const stop = { now: false };
  const work = cases[name](stop);
  await new Promise((resolve) => setTimeout(resolve, 300)); // both ends are attached
  const late = timers(stop);
  setTimeout(() => (stop.now = true), seconds * 1000);
  const result = { late: await late, messages: await work };
  if (child) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  return result;
}

async function main() {
  const [build, seconds = '5'] = process.argv.slice(2);
  if (build === undefined) throw new Error('usage: node node_timers.js BUILD [SECONDS]');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-bench-'));
  process.env.BELTWAY_SOCKET = path.join(folder, 'socket');
  process.env.BELTWAY_NODE_PACKAGE = path.resolve(build, 'node');
  const arguments_ = ['--no-keeper', '--socket', process.env.BELTWAY_SOCKET];
  const daemon = spawn(path.join(build, 'bin', 'beltwayd'), arguments_, { stdio: 'ignore' });
  try {
    while (!fs.existsSync(process.env.BELTWAY_SOCKET)) await new Promise((resolve) => setTimeout(resolve, 10));
    let idle;
    for (const name of Object.keys(cases)) {
      const { late, messages } = await measure(name, Number(seconds));
      const at = (part) => Number(late[Math.min(late.length - 1, Math.floor(late.length * part))].toFixed(3));
      idle ??= at(0.99);
      console.log(JSON.stringify({
        case: name, timers: late.length, messages, late_ms: { p50: at(0.5), p99: at(0.99), most: at(1) },
        later_than_idle_at_p99_ms: Number((at(0.99) - idle).toFixed(3)),
      }));
    }
  } finally {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('exit', resolve));
    fs.rmSync(folder, { recursive: true });
  }
  process.exit(0); // this end holds endpoints still
}

if (process.argv[2] in others) others[process.argv[2]](process.argv[3]);
else main();
