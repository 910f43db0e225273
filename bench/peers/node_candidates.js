// What node_throughput.js compares: each candidate sends `count` messages of `bytes` bytes from one process or thread to another.
// `send(mode, count, bytes, where)` runs at the sending end, `receive(...)` at the other one and returns seconds from the first
// message to the last. Modes: "one" sends and receives one message a call, with await where the candidate has one; "batch" 64.
//
// The peers get what is best for them: MessageChannel and IPC have no backpressure, so they send a window of messages without
// waiting for each, and then wait for the receiver once.
'use strict';

const { performance } = require('node:perf_hooks');

const batch = 64;
const window_ = 1024;

const seconds = (began) => (performance.now() - began) / 1000;
const filled = (bytes) => Buffer.alloc(bytes, 7);
// Each a buffer of its own: a channel would copy one that comes again only once.
const filledBatch = (bytes) => Array.from({ length: batch }, () => filled(bytes));

/** Counts what comes; resolves with the seconds from the first message to the last. `credit` is called after each window. */
function counter(count, credit) {
  let seen = 0;
  let sum = 0;
  let began;
  let done;
  const ended = new Promise((resolve) => (done = resolve));
  const take = (message) => {
    if (seen === 0) began = performance.now();
    sum += message[0];
    if (++seen % window_ === 0) credit();
    if (seen === count) done(seconds(began));
  };
  return { ended, take, sum: () => sum };
}

/** Sends over a channel without backpressure: windows, each of which the receiver acknowledges. */
async function sendWindows(mode, count, bytes, post, credits) {
  const message = mode === 'batch' ? filledBatch(bytes) : filled(bytes);
  const step = mode === 'batch' ? batch : 1;
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < window_; i += step, sent += step) post(message);
    await credits();
  }
}

/** Each `next()` is one credit, also if it came before the call. */
function creditsOf(target) {
  let have = 0;
  let wants;
  target.on('message', () => (wants ? wants(wants = undefined) : ++have));
  return () => (have > 0 ? --have : new Promise((resolve) => (wants = resolve)));
}

function beltwayCandidate(group, inPlace = false) {
  const connect = async () => (await require(process.env.BELTWAY_NODE_PACKAGE).connect()).declare(`node-${group ?? 'private'}`, {
    slots: 16384, maxProducers: 1, groups: group ? [group] : [],
  });
  return {
    kind: 'process',
    async send(mode, count, bytes) {
      const producer = await (await connect()).producer();
      const message = filled(bytes);
      if (mode === 'one') {
        for (let i = 0; i < count; ++i) await producer.publish(message);
      } else {
        const messages = filledBatch(bytes);
        for (let i = 0; i < count; i += batch) await producer.publishMany(messages);
      }
    },
    async receive(mode, count, bytes, started) {
      const consumer = await (await connect()).consumer({ group, follow: true });
      started();
      const counted = counter(count, () => {});
      if (mode === 'one') {
        let left = count;
        for await (const message of consumer) {
          counted.take(message.data);
          message.ack();
          if (--left === 0) break;
        }
      } else if (inPlace) {
        for (let left = count; left > 0; ) {
          const messages = await consumer.receiveBatch(4 * batch);
          for (let i = 0; i < messages.length; ++i) counted.take(messages.data(i));
          messages.ack();
          left -= messages.length;
        }
      } else {
        for (let left = count; left > 0; ) {
          const messages = await consumer.receiveMany(batch);
          for (const message of messages) counted.take(message.data);
          consumer.ackMany(messages);
          left -= messages.length;
        }
      }
      const time = await counted.ended;
      consumer.close();
      return time;
    },
  };
}

const messageChannel = {
  kind: 'thread',
  async send(mode, count, bytes, port) {
    await sendWindows(mode, count, bytes, (message) => port.postMessage(message), creditsOf(port));
  },
  async receive(mode, count, bytes, started, port) {
    const counted = counter(count, () => port.postMessage('more'));
    port.on('message', (message) => (mode === 'batch' ? message.forEach(counted.take) : counted.take(message)));
    started();
    return counted.ended;
  },
};

const ipc = {
  kind: 'process', // with the `advanced` serialization, which is the faster one for bytes
  async send(mode, count, bytes) {
    await sendWindows(mode, count, bytes, (message) => process.send(message), creditsOf(process));
  },
  async receive(mode, count, bytes, started, child) {
    const counted = counter(count, () => child.send('more'));
    child.on('message', (message) => (mode === 'batch' ? message.forEach(counted.take) : counted.take(message)));
    started();
    return counted.ended;
  },
};

const zeromq = {
  kind: 'process',
  async send(mode, count, bytes, address) {
    const { Push } = require(process.env.BELTWAY_ZEROMQ ?? 'zeromq');
    const socket = new Push({ linger: 10000, sendHighWaterMark: 0 });
    socket.connect(address);
    const message = filled(bytes);
    if (mode === 'one') {
      for (let i = 0; i < count; ++i) await socket.send(message);
    } else {
      const messages = filledBatch(bytes);
      for (let i = 0; i < count; i += batch) await socket.send(messages);
    }
    socket.close();
  },
  async receive(mode, count, bytes, started, address) {
    const { Pull } = require(process.env.BELTWAY_ZEROMQ ?? 'zeromq');
    const socket = new Pull({ receiveHighWaterMark: 0 });
    await socket.bind(address);
    started();
    const counted = counter(count, () => {});
    let left = count;
    for await (const frames of socket) {
      for (const frame of frames) counted.take(frame);
      if ((left -= frames.length) === 0) break;
    }
    socket.close();
    return counted.ended;
  },
};

module.exports = {
  batch,

  candidates: {
    beltway: beltwayCandidate(undefined),
    'beltway with acks': beltwayCandidate('workers'),
    'beltway in place': { modes: ['batch'], ...beltwayCandidate('workers', true) },
    MessageChannel: messageChannel,
    'child_process IPC': ipc,
    zeromq,
  },
};
