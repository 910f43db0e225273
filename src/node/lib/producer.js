// The sending end of a queue.
'use strict';

const { isArrayBuffer } = require('node:util').types;
const { answer } = require('./callbacks');
const { BeltwayError } = require('./errors');
const { turn, settle } = require('./turn');
const { Waiting, checkWait, nothing } = require('./waiting');

const full = 0; // these are those of producer_endpoint.cpp
const published = 1;

const packedBytes = 16384;
const mostPacked = 256;

// One promise for all messages that need no wait: a publish then allocates nothing.
const done = Promise.resolve(true);

class Producer extends Waiting {
  constructor(handle) {
    super(handle);
    Object.defineProperties(this, {
      _tryPublish: { value: handle.tryPublish },
      _pack: { value: undefined, writable: true },
    });
  }

  get index() {
    return this._handle.index;
  }
  get queueName() {
    return this._handle.queueName;
  }
  get maxMessageBytes() {
    return this._handle.maxMessageBytes;
  }
  get maxInlineBytes() {
    return this._handle.maxInlineBytes;
  }
  get lastSequence() {
    return this._handle.lastSequence();
  }
  counters() {
    return this._handle.counters();
  }

  publish(message, options, callback) {
    if (options !== undefined || callback !== undefined) return this._publishWith(message, options, callback);
    try {
      if (this._line.length === 0 && this._tryPublish(message) === published) {
        return --turn.left > 0 ? done : settle(true, done);
      }
      const copy = copyOf(message);
      return this._wait(() => (this._tryPublish(copy) === full ? nothing : true));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  _publishWith(message, options, callback) {
    if (typeof options === 'function') return answer(options, () => this.publish(message));
    return answer(callback, () => {
      if (options === undefined || options === null) return this.publish(message);
      checkWait('publish', options);
      if (this._line.length === 0) {
        const outcome = this._handle.tryPublishWith(message, options);
        if (outcome !== full) return --turn.left > 0 ? Promise.resolve(outcome === published) : settle(outcome === published);
      }
      const copy = copyOf(message);
      const kept = { ...options };
      const attempt = () => {
        const outcome = this._handle.tryPublishWith(copy, kept);
        return outcome === full ? nothing : outcome === published;
      };
      return this._wait(attempt, options, (resolve, reject) => reject(this._late(`publish: "${this.queueName}"`, options)));
    });
  }

  tryPublish(message, options) {
    if (this._line.length > 0) return false; // others are first
    const outcome = options === undefined ? this._tryPublish(message) : this._handle.tryPublishWith(message, options);
    return outcome !== full;
  }

  publishMany(messages, options, callback) {
    if (options === undefined && callback === undefined && this._line.length === 0 && Array.isArray(messages))
      return this._publishNow(messages);
    if (typeof options === 'function') return this.publishMany(messages, undefined, options);
    return answer(callback, () => {
      if (options !== undefined && options !== null) checkWait('publishMany', options);
      const size = options?.size;
      if (size !== undefined) return this._publishAll(this._packed(messages, size), options);
      if (!Array.isArray(messages))
        throw new BeltwayError('invalid_option', 'publishMany: messages takes an array, or bytes and the option size');
      return this._publishAll(this._listed(messages), options);
    });
  }

  /** publishMany() of an array while no call waits: it makes no closure unless it has to wait. */
  _publishNow(messages) {
    let sent = 0;
    try {
      for (let some = 1; some > 0 && sent < messages.length; sent += some) some = this._publishSome(messages, sent);
    } catch (error) {
      return Promise.reject(withCount(error, sent));
    }
    if (sent < messages.length) return this._publishAll(this._listed(messages), undefined, sent);
    return --turn.left > 0 ? Promise.resolve(sent) : settle(sent);
  }

  /**
   * Publishes `count()` messages, of which `sent` were published. `publish(first)` publishes some from there on, and returns how
   * many; 0: there is no room.
   */
  _publishAll({ count, publish }, options, sent = 0) {
    const attempt = () => {
      while (sent < count()) {
        const some = publish(sent);
        if (some === 0) return nothing;
        sent += some;
      }
      return sent;
    };
    try {
      if (this._line.length === 0) {
        const value = attempt();
        if (value !== nothing) return --turn.left > 0 ? Promise.resolve(value) : settle(value);
      }
    } catch (error) {
      return Promise.reject(withCount(error, sent));
    }
    const late = (resolve, reject) => reject(this._late(`publishMany: "${this.queueName}"`, options));
    return this._wait(attempt, options, late).catch((error) => {
      throw withCount(error, sent);
    });
  }

  _listed(messages) {
    return { count: () => messages.length, publish: (first) => this._publishSome(messages, first) };
  }
  /** Messages of `size` bytes each that lie one behind the other. */
  _packed(messages, size) {
    if (!Number.isInteger(size) || size < 1)
      throw new BeltwayError('invalid_option', 'publishMany: size takes the bytes of each message, 1 or more');
    if (!ArrayBuffer.isView(messages) && !isArrayBuffer(messages)) {
      throw new BeltwayError('invalid_option', 'publishMany: with the option size, messages takes a Buffer, a typed array or ' +
        'an ArrayBuffer that has all of them');
    }
    const total = messages.byteLength;
    if (total % size !== 0)
      throw new BeltwayError('invalid_option', `publishMany: ${total} bytes are no whole number of messages of ${size} bytes`);
    if (total === 0 && isDetached(messages.buffer ?? messages)) throw new BeltwayError('invalid_option', taken);
    const publish = (first) => {
      if (messages.byteLength !== total) throw new BeltwayError('misuse', taken);
      return this._handle.tryPublishEqual(messages, size, first);
    };
    return { count: () => total / size, publish };
  }

  /** Publishes some of `messages` from `first` on. Returns how many; 0: there is no room. */
  _publishSome(messages, first) {
    const packed = this._packFrom(messages, first);
    return packed > 0 ? this._handle.tryPublishPacked(packed) : this._handle.tryPublishMany(messages, first);
  }
  /** Lays small messages end to end: one call of the native side that reads them is cheaper than one that asks for each. */
  _packFrom(messages, first) {
    if (this._pack === undefined) {
      this._pack = { bytes: Buffer.allocUnsafeSlow(packedBytes), sizes: new Uint32Array(mostPacked) };
      this._handle.setPack(this._pack.bytes, new Uint8Array(this._pack.sizes.buffer));
    }
    const { bytes, sizes } = this._pack;
    const most = Math.min(messages.length - first, mostPacked);
    let used = 0;
    let count = 0;
    for (; count < most; ++count) {
      const message = messages[first + count];
      if (!(message instanceof Uint8Array)) break;
      const size = message.length; // once: shared memory may grow
      if (used + size > packedBytes) break;
      bytes.set(message, used);
      used += size;
      sizes[count] = size;
    }
    return count;
  }

  close() {
    this._end((call) => call.reject(new BeltwayError('misuse', `publish: the producer of "${this.queueName}" was closed ` +
      'while the call waited for room: the message was not published')));
  }

  _late(what, options) {
    return new BeltwayError('timeout', `${what}: no room in ${options.timeout} ms: a group does not take its messages; see ` +
      '`beltway show`');
  }
}

const taken = 'publishMany: the memory of the messages was transferred or resized; leave it as it is until publishMany() is done';

/** The error of a call that has published `sent` messages. */
function withCount(error, sent) {
  if (error !== null && typeof error === 'object' && !Object.isFrozen(error)) error.published = sent;
  return error;
}

/** Memory whose bytes a program has given away. */
function isDetached(memory) {
  try {
    return new Uint8Array(memory) === undefined;
  } catch {
    return true;
  }
}

/** Of bytes that must stay as they are until there is room. */
function copyOf(message) {
  if (typeof message === 'string') return message;
  if (ArrayBuffer.isView(message)) return Buffer.from(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  if (isArrayBuffer(message)) return Buffer.from(Buffer.from(message));
  throw new BeltwayError('invalid_option', 'a message takes a Buffer, a typed array, an ArrayBuffer or a string');
}

module.exports = { Producer };
