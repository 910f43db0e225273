// The way to the daemon: declares, opens, lists and removes queues.
'use strict';

const native = require('./native');
const { answer } = require('./callbacks');
const { Queue } = require('./queue');
const { repeat } = require('./repeat');

class Connection {
  constructor(handle) {
    Object.defineProperty(this, '_handle', { value: handle });
  }

  declare(name, options, callback) {
    if (typeof options === 'function') return this.declare(name, undefined, options);
    return answer(callback, () => native.declare(this._handle, name, options).then((handle) => new Queue(handle)));
  }
  declareSome(name, options, callback) {
    return answer(callback, () => native.declareSome(this._handle, name, options)
      .then(({ queue, created, changed }) => ({ queue: new Queue(queue), created, changed })));
  }

  openQueue(name, options, callback) {
    if (typeof options === 'function') return this.openQueue(name, undefined, options);
    const open = () => native.openQueue(this._handle, name).then((handle) => new Queue(handle));
    return answer(callback, () => (options === undefined || options === null ? open() : this._openLater(open, options)));
  }
  _openLater(open, options) {
    let missing;
    const ask = async () => {
      try {
        return await open();
      } catch (error) {
        if (error.code !== 'not_found') throw error;
        missing = error;
        return undefined;
      }
    };
    return repeat('openQueue', ask, options, () => {
      throw missing;
    });
  }

  remove(name, options, callback) {
    if (typeof options === 'function') return this.remove(name, undefined, options);
    return answer(callback, () => native.remove(this._handle, name, options?.force ?? false));
  }
  list(callback) {
    return answer(callback, () => native.list(this._handle));
  }
  describe(name, callback) {
    return answer(callback, () => native.describe(this._handle, name));
  }
  events(options, callback) {
    if (typeof options === 'function') return this.events(undefined, options);
    return answer(callback, () => native.events(this._handle, options?.since ?? 0, options?.count));
  }
  ping(callback) {
    return answer(callback, () => native.ping(this._handle));
  }

  close() {
    native.close(this._handle);
  }
}

function connect(options, callback) {
  if (typeof options === 'function') return connect(undefined, options);
  return answer(callback, () => native.connect(options).then((handle) => new Connection(handle)));
}

module.exports = { Connection, connect };
