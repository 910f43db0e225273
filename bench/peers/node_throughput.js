// Node.js beside its peers, in one run: messages a second from one process (or thread) to another.
//
//   node bench/peers/node_throughput.js BUILD [MESSAGES [ROUNDS]]
//
// BUILD is a build folder with the targets beltwayd and beltway_node: build/release. MESSAGES are those one by one. In batches
// there are sixteen times as many, so that the time in which JavaScript is compiled is a small part. zeromq takes part if
// require('zeromq'), or $BELTWAY_ZEROMQ, finds it. $BELTWAY_BENCH_CANDIDATES names some candidates instead of all:
// "beltway,zeromq". Prints one line of JSON a measurement, and at last one that has the medians and the ratios of Beltway to each
// peer. The machine should have nothing else to do, and two processors.
'use strict';

const { fork, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { candidates } = require('./node_candidates');

const bytes = 64;
const modes = ['one', 'batch', 'packed'];
const batchFactor = 16;

async function sendAsChild({ name, mode, count, address }) {
  await candidates[name].send(mode, count, bytes, address ?? parentPort ?? undefined);
  if (parentPort) parentPort.close();
  else process.disconnect();
}

/** One measurement: the sender starts once the receiver is ready. */
async function measure(name, mode, count, folder) {
  const { kind, receive } = candidates[name];
  const address = name === 'zeromq' ? `ipc://${folder}/zeromq` : undefined;
  const job = { name, mode, count, address };
  const sender = kind === 'thread' ? new Worker(__filename, { workerData: job })
    : fork(__filename, ['send', JSON.stringify(job)], { serialization: 'advanced' });
  const started = () => sender[kind === 'thread' ? 'postMessage' : 'send']('start');
  const ended = new Promise((resolve) => sender.once('exit', resolve));
  const time = await receive(mode, count, bytes, started, address ?? sender);
  if (await ended !== 0) throw new Error(`the sender of ${name} failed`);
  return { candidate: name, mode, bytes, messages: count, seconds: time, messages_per_s: Math.round(count / time) };
}

function median(numbers) {
  return numbers.sort((left, right) => left - right)[numbers.length >> 1];
}

function report(results) {
  const medians = {};
  for (const { candidate, mode, messages_per_s } of results) ((medians[candidate] ??= {})[mode] ??= []).push(messages_per_s);
  for (const each of Object.values(medians)) for (const mode of Object.keys(each)) each[mode] = median(each[mode]);
  const peers = Object.keys(medians).filter((name) => !name.startsWith('beltway'));
  const ratios = {};
  for (const mode of modes) {
    for (const name of Object.keys(medians).filter((each) => !peers.includes(each) && medians[each][mode] !== undefined)) {
      const to = (peer) => Number((medians[name][mode] / medians[peer][mode]).toFixed(2));
      (ratios[name] ??= {})[mode] = Object.fromEntries(peers.map((peer) => [peer, to(peer)]));
    }
  }
  console.log(JSON.stringify({ medians, ratios }));
}

function hasZeromq() {
  try {
    require(process.env.BELTWAY_ZEROMQ ?? 'zeromq');
    return true;
  } catch {
    console.error('zeromq takes no part: npm install zeromq, and $BELTWAY_ZEROMQ or $NODE_PATH');
    return false;
  }
}

async function main() {
  const [build, messages = '524288', rounds = '3'] = process.argv.slice(2);
  if (build === undefined) throw new Error('usage: node node_throughput.js BUILD [MESSAGES [ROUNDS]]');
  const count = Math.max(1024, Number(messages) & ~1023); // whole windows and batches
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-bench-'));
  process.env.BELTWAY_SOCKET = path.join(folder, 'socket');
  process.env.BELTWAY_NODE_PACKAGE = path.resolve(build, 'node');
  const arguments_ = ['--no-keeper', '--socket', process.env.BELTWAY_SOCKET];
  const daemon = spawn(path.join(build, 'bin', 'beltwayd'), arguments_, { stdio: 'ignore' });
  try {
    while (!fs.existsSync(process.env.BELTWAY_SOCKET)) await new Promise((resolve) => setTimeout(resolve, 10));
    const wanted = process.env.BELTWAY_BENCH_CANDIDATES?.split(',');
    const takesPart = (name) => (wanted?.includes(name) ?? true) && (name !== 'zeromq' || hasZeromq());
    const names = Object.keys(candidates).filter(takesPart);
    const results = [];
    for (let round = 0; round < Number(rounds); ++round) {
      for (const mode of modes) {
        for (const name of names.filter((each) => (candidates[each].modes ?? modes).includes(mode))) {
          const result = await measure(name, mode, mode === 'one' ? count : batchFactor * count, folder);
          results.push(result);
          console.log(JSON.stringify({ round, ...result }));
        }
      }
    }
    report(results);
  } finally {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('exit', resolve));
    fs.rmSync(folder, { recursive: true });
  }
}

/** The sender waits for the first message of its parent: then the receiver is ready. */
function onStart(source, job) {
  source.once('message', () => sendAsChild(job));
}

if (!isMainThread) {
  onStart(parentPort, workerData);
} else if (process.argv[2] === 'send') {
  onStart(process, JSON.parse(process.argv[3]));
} else {
  main();
}
