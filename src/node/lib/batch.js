// Many messages in memory that is used again: for streams of small messages, without an object a message.
'use strict';

const native = require('./native');
const { Chunk, after, headBytes } = require('./message');

const firstBytes = 65536;

class Batch {
  constructor(consumer) {
    Object.defineProperties(this, {
      _consumer: { value: consumer },
      _chunk: { value: new Chunk(firstBytes), writable: true },
      _records: { value: new Uint32Array(64), writable: true }, // where each begins
    });
    this.length = 0;
  }

  get bytes() {
    return this._chunk.bytes;
  }
  begin(index) {
    return this._record(index) + headBytes;
  }
  size(index) {
    return this._chunk.words[this._record(index) >> 2];
  }
  data(index) {
    return this._chunk.view(this.begin(index), this.size(index));
  }
  text(index) {
    const begin = this.begin(index);
    return this._chunk.bytes.utf8Slice(begin, begin + this.size(index));
  }
  position(index) {
    return this._chunk.doubles[(this._record(index) >> 3) + 1];
  }
  deliveries(index) {
    return this._chunk.words[(this._record(index) >> 2) + 6];
  }
  properties(index) {
    const size = this._chunk.words[(this._record(index) >> 2) + 1];
    const begin = (this.begin(index) + this.size(index) + 7) & ~7;
    return size === 0 ? { headers: [] } : native.properties(this._chunk.bytes, begin, size);
  }

  ack(index) {
    if (index !== undefined) return this._one('ack', index) ? 1 : 0;
    if (this._consumer.group === '') return this.length;
    const words = this._chunk.words;
    const places = this._consumer._placesFor(this.length);
    for (let i = 0; i < this.length; ++i) {
      const word = this._records[i] >> 2;
      places[2 * i] = words[word + 4];
      places[2 * i + 1] = words[word + 5];
    }
    return this._consumer._ackPlaces(2 * this.length);
  }
  nack(index, delay) {
    return this._one('nack', index, delay);
  }
  reject(index) {
    return this._one('reject', index);
  }
  _one(call, index, delay) {
    const word = this._record(index) >> 2;
    if (this._consumer.group === '') return true; // its place in the ring is free since the copy
    return this._consumer._handle[call](this._chunk.words[word + 4], this._chunk.words[word + 5], delay);
  }

  _record(index) {
    if (!(Number.isInteger(index) && index >= 0 && index < this.length))
      throw new RangeError(`there is no message ${index} of ${this.length} in the batch`);
    return this._records[index];
  }
  /** Notes where the records are: `count` from the beginning of the chunk on. */
  _take(count) {
    if (this._records.length < count) this._records = new Uint32Array(2 * count);
    let at = 0;
    for (let i = 0; i < count; ++i) {
      this._records[i] = at;
      at = after(this._chunk, at);
    }
    this.length = count;
    return this;
  }
}

module.exports = { Batch };
