// A received message: a copy in memory of JavaScript, and the right and duty to end it. The layout is that of record.hpp.
'use strict';

const { markAsUntransferable } = require('node:worker_threads');
const native = require('./native');

const headBytes = 56;
const notHeld = 0xffffffff;

/** A Buffer over a part of memory, as Buffer.from(memory, begin, size) makes it, in half of its time. */
class View extends Uint8Array {}
Object.setPrototypeOf(View.prototype, Buffer.prototype);
Object.defineProperty(View.prototype, 'constructor', { value: Buffer });

/** Memory that the native side writes records to. */
class Chunk {
  constructor(bytes) {
    this.bytes = Buffer.allocUnsafeSlow(bytes); // with an ArrayBuffer of its own
    this.words = new Uint32Array(this.bytes.buffer, 0, bytes >> 2);
    this.doubles = new Float64Array(this.bytes.buffer, 0, bytes >> 3);
    this.memory = this.bytes.buffer; // the getter of a typed array takes as long as a view
    markAsUntransferable(this.memory); // other messages lie there, and the native side writes to it
  }
  view(begin, size) {
    return new View(this.memory, begin, size);
  }
  /** A program may take the memory away all the same (ArrayBuffer.prototype.transfer()). */
  get isGone() {
    return this.words.length === 0;
  }
}

/** Where the record behind that at `at` begins. */
function after(chunk, at) {
  const word = at >> 2;
  const end = (at + headBytes + chunk.words[word] + 7) & ~7;
  return (end + chunk.words[word + 1] + 7) & ~7;
}

class Message {
  constructor(consumer, chunk, at) {
    this._consumer = consumer;
    this._chunk = chunk;
    this._at = at;
    this._data = undefined;
    this._ended = false;
  }

  get size() {
    return this._chunk.words[this._at >> 2];
  }
  get data() {
    if (this._data === undefined) {
      this._data = this._chunk.view(this._at + headBytes, this.size);
    }
    return this._data;
  }
  text() {
    return this._data === undefined
      ? this._chunk.bytes.utf8Slice(this._at + headBytes, this._at + headBytes + this.size)
      : this._data.toString();
  }
  json() {
    return JSON.parse(this.text());
  }

  get position() {
    return this._chunk.doubles[(this._at >> 3) + 1];
  }
  get deliveries() {
    return this._chunk.words[(this._at >> 2) + 6];
  }
  get producer() {
    return this._chunk.words[(this._at >> 2) + 7];
  }
  get lost() {
    return this._chunk.doubles[(this._at >> 3) + 4];
  }
  get age() {
    return known(this._chunk.doubles[(this._at >> 3) + 5]);
  }
  get publishedAt() {
    const time = known(this._chunk.doubles[(this._at >> 3) + 6]);
    return time === undefined ? undefined : new Date(time);
  }
  get properties() {
    const size = this._chunk.words[(this._at >> 2) + 1];
    return size === 0 ? { headers: [] } : native.properties(this._chunk.bytes, this._propertiesAt(), size);
  }
  _propertiesAt() {
    return (this._at + headBytes + this.size + 7) & ~7;
  }

  ack() {
    return this._isHeld() ? this._consumer._ack(this._slot(), this._generation()) : this._end();
  }
  nack(delay) {
    return this._isHeld() ? this._consumer._handle.nack(this._slot(), this._generation(), delay) : this._end();
  }
  reject() {
    return this._isHeld() ? this._consumer._handle.reject(this._slot(), this._generation()) : this._end();
  }
  extend() {
    return this._isHeld() ? this._consumer._handle.extend(this._slot(), this._generation()) : !this._ended;
  }
  stillHeld() {
    return this._isHeld() ? this._consumer._handle.stillHeld(this._slot(), this._generation()) : !this._ended;
  }

  _slot() {
    return this._chunk.words[(this._at >> 2) + 4];
  }
  _generation() {
    return this._chunk.words[(this._at >> 2) + 5];
  }
  _isHeld() {
    return this._slot() !== notHeld;
  }
  /** Of a private group: the place in the ring is free since the copy. */
  _end() {
    const was = !this._ended;
    this._ended = true;
    return was;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Message { position: ${this.position}, deliveries: ${this.deliveries}, size: ${this.size} }`;
  }
}

function known(number) {
  return Number.isNaN(number) ? undefined : number;
}

/** The message of receiveInto(): one object for all, whose payload lies in the caller's buffer. */
class ReusedMessage extends Message {
  constructor(consumer) {
    super(consumer, new Chunk(8192), 0);
    this._target = undefined;
  }
  get data() {
    return this._target.subarray(0, this.size);
  }
  text() {
    return this.data.toString();
  }
  _propertiesAt() {
    return headBytes;
  }
  /** Takes what a message of the consumer's chunk has. */
  _take(message, target) {
    const properties = message._chunk.words[(message._at >> 2) + 1];
    message._chunk.bytes.copy(this._chunk.bytes, 0, message._at, message._at + headBytes);
    message._chunk.bytes.copy(this._chunk.bytes, headBytes, message._propertiesAt(), message._propertiesAt() + properties);
    message.data.copy(target);
  }
  _begin(target) {
    this._target = Buffer.isBuffer(target) ? target : Buffer.from(target.buffer ?? target, target.byteOffset, target.byteLength);
    this._ended = false;
    return this;
  }
}

if (Symbol.dispose !== undefined) {
  /** Gives the message back unless it has ended. */
  Object.defineProperty(Message.prototype, Symbol.dispose, {
    value() {
      this.nack();
    },
  });
}

module.exports = { Message, ReusedMessage, Chunk, after, headBytes };
