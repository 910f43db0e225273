// What node_throughput.js compares: each candidate sends `count` messages of `bytes` bytes from one process or thread to another.
// `send(mode, count, bytes, where)` runs at the sending end, `receive(...)` at the other one and returns seconds from the first
// message to the last. Modes: "one" sends and receives one message a call, with await where the candidate has one; "batch" an
// array of 64 buffers; "packed" 64 messages that lie in one buffer. The receiver looks at the first byte of each message, and
// checks their sum at the end.
//
// The peers get what is best for them: MessageChannel and IPC have no backpressure, so they send a window of messages without
// waiting for each, and then wait for the receiver once.
'use strict';

const { performance } = require('node:perf_hooks');

const batch = 64;
const window_ = 1024;

const seconds = (began) => (performance.now() - began) / 1000;
const fill = 7;
const filled = (bytes) => Buffer.alloc(bytes, fill);
// Each a buffer of its own: a channel would copy one that comes again only once.
const filledBatch = (bytes) => Array.from({ length: batch }, () => filled(bytes));

/** Takes the first byte of each message. Tells the seconds from the first to the last. Calls `credit` after each window. */
function counter(count, credit) {
  let seen = 0;
  let sum = 0;
  let began;
  let done;
  const ended = new Promise((resolve) => (done = resolve)).then((time) => {
    if (sum !== fill * count) throw new Error(`the bytes of ${count} messages have the sum ${sum}, not ${fill * count}`);
    return time;
  });
  const take = (first) => {
    if (seen === 0) began = performance.now();
    sum += first;
    if (++seen % window_ === 0) credit();
    if (seen === count) done(seconds(began));
  };
  return { ended, take };
}

/** What a channel has brought: a buffer, an array of them, or a buffer with a batch of messages of `bytes` bytes. */
function takerOf(mode, bytes, { take }) {
  if (mode === 'one') return (message) => take(message[0]);
  if (mode === 'packed') {
    return (messages) => {
      for (let at = 0; at < messages.length; at += bytes) take(messages[at]);
    };
  }
  return (messages) => {
    for (let i = 0; i < messages.length; ++i) take(messages[i][0]);
  };
}
/** What a call of `mode` sends. */
function contentOf(mode, bytes) {
  return mode === 'one' ? filled(bytes) : mode === 'packed' ? filled(batch * bytes) : filledBatch(bytes);
}

/** Sends over a channel without backpressure: windows, each of which the receiver acknowledges. */
async function sendWindows(mode, count, bytes, post, credits) {
  const message = contentOf(mode, bytes);
  const step = mode === 'one' ? 1 : batch;
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
      const content = contentOf(mode, bytes);
      if (mode === 'one') {
        for (let i = 0; i < count; ++i) await producer.publish(content);
      } else {
        const options = mode === 'packed' ? { size: bytes } : undefined;
        for (let i = 0; i < count; i += batch) await producer.publishMany(content, options);
      }
    },
    async receive(mode, count, bytes, started) {
      const consumer = await (await connect()).consumer({ group, follow: true });
      started();
      const counted = counter(count, () => {});
      if (mode === 'one') {
        let left = count;
        for await (const message of consumer) {
          counted.take(message.data[0]);
          message.ack();
          if (--left === 0) break;
        }
      } else if (inPlace) {
        for (let left = count; left > 0; ) {
          const messages = await consumer.receiveBatch(batch);
          const memory = messages.bytes;
          for (let i = 0; i < messages.length; ++i) counted.take(memory[messages.begin(i)]);
          messages.ack();
          left -= messages.length;
        }
      } else {
        for (let left = count; left > 0; ) {
          const messages = await consumer.receiveMany(batch);
          for (const message of messages) counted.take(message.data[0]);
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
    port.on('message', takerOf(mode, bytes, counted));
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
    child.on('message', takerOf(mode, bytes, counted));
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
    const content = contentOf(mode, bytes);
    for (let i = 0; i < count; i += mode === 'one' ? 1 : batch) await socket.send(content);
    socket.close();
  },
  async receive(mode, count, bytes, started, address) {
    const { Pull } = require(process.env.BELTWAY_ZEROMQ ?? 'zeromq');
    const socket = new Pull({ receiveHighWaterMark: 0 });
    await socket.bind(address);
    started();
    const counted = counter(count, () => {});
    const take = takerOf(mode, bytes, counted);
    let left = mode === 'one' ? count : count / batch;
    for await (const frames of socket) {
      take(mode === 'batch' ? frames : frames[0]);
      if (--left === 0) break;
    }
    socket.close();
    return counted.ended;
  },
};

module.exports = {
  batch,

  candidates: {
    beltway: { modes: ['one', 'batch'], ...beltwayCandidate(undefined) },
    'beltway with acks': { modes: ['one', 'batch'], ...beltwayCandidate('workers') },
    'beltway in place': { modes: ['batch', 'packed'], ...beltwayCandidate(undefined, true) },
    'beltway in place with acks': { modes: ['batch', 'packed'], ...beltwayCandidate('workers', true) },
    MessageChannel: messageChannel,
    'child_process IPC': ipc,
    zeromq,
  },
};
