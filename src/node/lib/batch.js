// Many messages in memory that is used again: for streams of small messages, without an object a message. The memory has the
// layout of received_batch.hpp.
'use strict';

const native = require('./native');
const { Chunk, after, headBytes } = require('./message');

const entryBytes = 32;
const mostMessages = 1024; // these two are those of received_batch.hpp
const entriesBytes = mostMessages * entryBytes;
const leastPayloadBytes = 65536;
const inBatch = 0xffffffff; // a generation of consumer_endpoint.hpp

class Batch {
  constructor(consumer) {
    Object.defineProperties(this, {
      _consumer: { value: consumer },
      _chunk: { value: new Chunk(0), writable: true },
      _words: { value: undefined, writable: true }, // those of the chunk
    });
    this.length = 0;
  }

  get bytes() {
    return this._chunk.bytes;
  }
  begin(index) {
    return this._words[this._entry(index)];
  }
  size(index) {
    return this._words[this._entry(index) + 1];
  }
  data(index) {
    const word = this._entry(index);
    return this._chunk.view(this._words[word], this._words[word + 1]);
  }
  text(index) {
    const begin = this.begin(index);
    return this._chunk.bytes.utf8Slice(begin, begin + this.size(index));
  }
  position(index) {
    return this._chunk.doubles[(this._entry(index) >> 1) + 1];
  }
  deliveries(index) {
    return this._words[this._entry(index) + 6];
  }
  properties(index) {
    const word = this._entry(index);
    const size = this._words[word + 5];
    return size === 0 ? { headers: [] } : native.properties(this._chunk.bytes, this._words[word + 4], size);
  }

  ack(index) {
    if (index !== undefined) return this._one('ack', index) ? 1 : 0;
    return this._consumer.group === '' ? this.length : this._consumer._handle.ackBatch();
  }
  nack(index, delay) {
    return this._one('nack', index, delay);
  }
  reject(index) {
    return this._one('reject', index);
  }
  _one(call, index, delay) {
    this._entry(index);
    if (this._consumer.group === '') return true; // its place in the ring is free since the copy
    return this._consumer._handle[call](index, inBatch, delay);
  }

  /** Where the entry of a message begins, in words. */
  _entry(index) {
    if (index >>> 0 === index && index < this.length) return index << 3;
    throw new RangeError(`there is no message ${index} of ${this.length} in the batch`);
  }

  /** Sees to memory. A program may have taken it away. */
  _secure() {
    if (this._chunk.isGone) this._grow(leastPayloadBytes);
  }
  /** Takes memory for payloads of `bytes` bytes. */
  _grow(bytes) {
    this._chunk = new Chunk(entriesBytes + Math.max(leastPayloadBytes, bytes));
    this._words = this._chunk.words;
    this._consumer._handle.setBatchMemory(this._chunk.bytes);
  }
  /** Takes `count` messages from the records of another chunk. The first begins at `at`. Returns where the next one does. */
  _copy(from, at, count) {
    let end = at;
    for (let i = 0; i < count; ++i) end = after(from, end);
    if (entriesBytes + end - at > this._chunk.bytes.length) this._grow(end - at);
    const { words, doubles } = this._chunk;
    for (let i = 0, to = entriesBytes; i < count; ++i) {
      const payload = at + headBytes;
      const head = at >> 2;
      const entry = i << 3;
      words[entry] = to;
      words[entry + 1] = from.words[head];
      doubles[(entry >> 1) + 1] = from.doubles[(at >> 3) + 1];
      words[entry + 4] = to + ((from.words[head] + 7) & ~7);
      words[entry + 5] = from.words[head + 1];
      words[entry + 6] = from.words[head + 6];
      at = after(from, at);
      to += from.bytes.copy(this._chunk.bytes, to, payload, at);
    }
    this.length = count;
    return at;
  }
}

module.exports = { Batch };
