// The receiving end of a queue.
'use strict';

const { isArrayBuffer } = require('node:util').types;
const { Batch } = require('./batch');
const { answer, tell } = require('./callbacks');
const { BeltwayError } = require('./errors');
const { Message, ReusedMessage, Chunk, after } = require('./message');
const { turn, settle } = require('./turn');
const { Waiting, checkWait, nothing } = require('./waiting');

const chunkBytes = 32768;
const largeBytes = 4096; // a record from here on has a chunk of its own
const mostAhead = 256; // messages of a private group that are copied at once
const endOfStream = -1; // these two are those of consumer_endpoint.hpp
const leastChunk = 56;
const mostAtOnce = 1048576; // no ring has more

class Consumer extends Waiting {
  constructor(handle) {
    super(handle);
    const field = (value) => ({ value, writable: true });
    Object.defineProperties(this, {
      _receive: { value: handle.receive },
      _receiveBatch: { value: handle.receiveBatch },
      _ack: { value: handle.ack },
      _oneByOne: { value: handle.oneByOne },
      _chunk: field(undefined),
      _at: field(0), // where the next record begins
      _count: field(0), // records from there on that nobody has taken
      _small: field(undefined), // the chunk that goes on after a large message
      _inUse: field(undefined), // the chunk that the native side has
      _reused: field(undefined),
      _batch: field(undefined),
      _more: field(false), // the chunk was full before all was taken
      _ended: field(false),
      _places: field(new Uint32Array(0)), // what ackMany() tells the native side
      _placeBytes: field(undefined),
    });
  }

  get index() {
    return this._handle.index;
  }
  get queueName() {
    return this._handle.queueName;
  }
  get group() {
    return this._handle.group;
  }
  get ended() {
    return this._ended;
  }
  get held() {
    return this._handle.held();
  }
  get reattached() {
    return this._handle.reattached();
  }
  counters() {
    return this._handle.counters();
  }

  tryReceive() {
    const message = this._line.length === 0 ? this._take() : nothing;
    return message === nothing ? null : message;
  }

  receive(options, callback) {
    if (typeof options === 'function') return this.receive(undefined, options);
    if (callback !== undefined) return answer(callback, () => this.receive(options));
    return this._start(() => this._take(), options, null);
  }

  receiveMany(most, options, callback) {
    if (typeof options === 'function') return this.receiveMany(most, undefined, options);
    return answer(callback, () => {
      const count = checkedMost('receiveMany', most);
      return this._start(() => this._takeMany(count), options, []);
    });
  }

  receiveInto(buffer, options, callback) {
    if (typeof options === 'function') return this.receiveInto(buffer, undefined, options);
    return answer(callback, () => {
      checkBuffer(buffer);
      return this._start(() => this._takeInto(buffer), options, null);
    });
  }

  receiveBatch(most, options, callback) {
    if (typeof options === 'function') return this.receiveBatch(most, undefined, options);
    return answer(callback, () => {
      const count = checkedMost('receiveBatch', most);
      return this._start(() => this._takeBatch(count), options, null);
    });
  }

  consume(callback, options) {
    if (typeof callback !== 'function') throw new BeltwayError('invalid_option', 'consume: give a callback (error, message)');
    const each = (error, message) => {
      callback(error, message);
      if (error !== null || message === null) return;
      tell(this._closed ? Promise.resolve(null) : this._next(options), each);
    };
    tell(this._next(options), each);
  }
  _next(options) {
    try {
      return this.receive(options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  [Symbol.asyncIterator]() {
    return this.messages();
  }
  messages(options) {
    return new Messages(this, options);
  }

  ackMany(messages) {
    const count = messages.length;
    const places = this._placesFor(count);
    let used = 0;
    let done = 0;
    for (let i = 0; i < count; ++i) {
      const message = messages[i];
      if (message._isHeld()) {
        if (message._consumer !== this) throw new BeltwayError('misuse', 'ackMany: a message is of another consumer');
        places[used++] = message._slot();
        places[used++] = message._generation();
      } else if (message._end()) {
        ++done;
      }
    }
    return used === 0 ? done : done + this._ackPlaces(used);
  }
  _placesFor(count) {
    if (this._places.length < 2 * count) {
      this._places = new Uint32Array(4 * count);
      this._placeBytes = new Uint8Array(this._places.buffer);
    }
    return this._places;
  }
  _ackPlaces(used) {
    return this._handle.ackMany(this._placeBytes, used);
  }

  close() {
    this._count = 0;
    this._end((call) => call.late());
  }

  /** Now if possible and if nobody waits already, else in line. `none`: the answer when there is none. */
  _start(attempt, options, none) {
    try {
      if (options !== undefined && options !== null) checkWait('receive', options);
      if (this._line.length === 0) {
        const value = attempt();
        if (value !== nothing) return --turn.left > 0 ? Promise.resolve(value) : settle(value);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return this._wait(attempt, options, (resolve) => resolve(none));
  }

  /** The next message, null at the end of the stream, or `nothing`. */
  _take() {
    if (this._count === 0) {
      const got = this._fill(this._oneByOne ? 1 : mostAhead);
      if (got <= 0) return got === endOfStream ? this._end_of_stream(null) : nothing;
    }
    --this._count;
    const message = new Message(this, this._chunk, this._at);
    this._at = after(this._chunk, this._at);
    return message;
  }

  _takeMany(most) {
    const messages = [];
    while (messages.length < most) {
      if (this._count === 0) {
        if (messages.length > 0) {
          if (!this._more || !this._fillAgain(most - messages.length)) break;
        } else {
          const got = this._fill(most);
          if (got <= 0) return got === endOfStream ? this._end_of_stream(messages) : nothing;
        }
      }
      this._takeCopied(messages, most);
    }
    return messages;
  }
  /** Adds messages that were copied already, until `messages` has `most` of them. */
  _takeCopied(messages, most) {
    const chunk = this._chunk;
    const count = Math.min(this._count, most - messages.length);
    let at = this._at;
    for (let i = 0; i < count; ++i) {
      messages.push(new Message(this, chunk, at));
      at = after(chunk, at);
    }
    this._at = at;
    this._count -= count;
  }

  _takeInto(buffer) {
    this._reused ??= new ReusedMessage(this);
    if (this._count > 0) return this._takeAhead(buffer);
    for (;;) {
      const got = this._handle.receiveInto(buffer, this._reused._chunk.bytes);
      if (got === 1) return this._reused._begin(buffer);
      if (got > -leastChunk) return got === endOfStream ? this._end_of_stream(null) : nothing;
      this._reused._chunk = new Chunk((-got + 7) & ~7);
    }
  }
  /** Of a message that was copied already. */
  _takeAhead(buffer) {
    const message = new Message(this, this._chunk, this._at);
    if (message.size > buffer.byteLength) {
      throw new BeltwayError('too_large', `receiveInto: the next message has ${message.size} bytes, and the buffer has ` +
        `${buffer.byteLength}: give a larger one, or call receive(); the message was not taken`);
    }
    this._reused._begin(buffer)._take(message, this._reused._target);
    --this._count;
    this._at = after(this._chunk, this._at);
    return this._reused;
  }

  _takeBatch(most) {
    const batch = (this._batch ??= new Batch(this));
    batch.length = 0;
    batch._secure();
    if (this._count > 0) return this._takeBatchAhead(batch, Math.min(most, this._count));
    for (;;) {
      const got = this._receiveBatch(most);
      if (got > 0) {
        batch.length = got;
        return batch;
      }
      if (got > -leastChunk) return got === endOfStream ? this._end_of_stream(null) : nothing;
      batch._grow(-got);
    }
  }
  /** Of messages that were copied already. */
  _takeBatchAhead(batch, count) {
    this._at = batch._copy(this._chunk, this._at, count);
    this._count -= count;
    return batch;
  }

  _end_of_stream(answer_) {
    this._ended = true;
    return answer_;
  }

  /** Takes up to `most` messages that are there. Returns how many, or the native side's reason why there is none. */
  _fill(most) {
    if (this._chunk === undefined || this._chunk.isGone) this._go(new Chunk(chunkBytes), 0);
    else if (this._inUse !== this._chunk) this._use(this._chunk, this._at);
    for (;;) {
      const got = this._receive(most);
      if (got > -leastChunk) {
        this._count = got > 0 ? Math.floor(got) : 0;
        this._more = got > 0 && !Number.isInteger(got);
        if (got > 0) this._ended = false;
        return got;
      }
      this._makeRoom(-got);
    }
  }

  /** For a call that has messages already: what fails now the next call says. */
  _fillAgain(most) {
    try {
      return this._fill(most) > 0;
    } catch {
      return false;
    }
  }

  _makeRoom(needed) {
    const small = this._small;
    if (needed >= largeBytes) {
      if (this._chunk?.bytes.length === chunkBytes) this._small = { chunk: this._chunk, used: this._at };
      this._go(new Chunk(needed), 0);
    } else if (small !== undefined && small.chunk !== this._chunk && small.used + needed <= chunkBytes) {
      this._go(small.chunk, small.used);
    } else {
      this._go(new Chunk(chunkBytes), 0);
      this._small = undefined;
    }
  }
  /** Goes on in another chunk. */
  _go(chunk, used) {
    this._use(chunk, used);
    this._chunk = chunk;
    this._at = used;
  }
  _use(chunk, used) {
    this._handle.setChunk(chunk.bytes, used);
    this._inUse = chunk;
  }
}

function checkedMost(call, most) {
  if (!Number.isInteger(most) || most < 1)
    throw new BeltwayError('invalid_option', `${call}: the first argument is the most messages to take, 1 or more`);
  return Math.min(most, mostAtOnce);
}
function checkBuffer(buffer) {
  const isBytes = ArrayBuffer.isView(buffer) && buffer.BYTES_PER_ELEMENT === 1;
  if (!isBytes && !isArrayBuffer(buffer))
    throw new BeltwayError('invalid_option', 'receiveInto: buffer takes a Buffer, a Uint8Array or an ArrayBuffer');
}

/** The iterator of `for await`. */
class Messages {
  constructor(consumer, options) {
    this._consumer = consumer;
    this._options = options;
    this._isPlain = options === undefined;
  }
  next() {
    const consumer = this._consumer;
    if (consumer._closed) return Promise.resolve({ value: undefined, done: true });
    if (this._isPlain && consumer._line.length === 0) {
      try {
        const message = consumer._take();
        if (message === null) return Promise.resolve({ value: undefined, done: true });
        if (message !== nothing) {
          const result = { value: message, done: false };
          return --turn.left > 0 ? Promise.resolve(result) : settle(result);
        }
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return consumer
      .receive(this._options)
      .then((message) => (message === null ? { value: undefined, done: true } : { value: message, done: false }));
  }
  return(value) {
    if (!this._consumer._closed) this._consumer._handle.acknowledgeReceived();
    return Promise.resolve({ value, done: true });
  }
  [Symbol.asyncIterator]() {
    return this;
  }
}

module.exports = { Consumer };
