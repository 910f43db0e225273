// A handle of one queue.
'use strict';

const native = require('./native');
const { answer } = require('./callbacks');
const { Consumer } = require('./consumer');
const { BeltwayError } = require('./errors');
const { Producer } = require('./producer');
const { repeat } = require('./repeat');
const { checkWait } = require('./waiting');

class Queue {
  constructor(handle) {
    const { name, id, options } = native.queueFacts(handle);
    Object.defineProperty(this, '_handle', { value: handle });
    this.name = name;
    this.id = id;
    this.options = options;
  }

  producer(options, callback) {
    if (typeof options === 'function') return this.producer(undefined, options);
    return answer(callback, () => native.attachProducer(this._handle, options).then((handle) => new Producer(handle)));
  }
  consumer(options, callback) {
    if (typeof options === 'function') return this.consumer(undefined, options);
    return answer(callback, () => native.attachConsumer(this._handle, options).then((handle) => new Consumer(handle)));
  }

  waitForConsumers(count, options, callback) {
    return this._waitFor(false, count, options, callback);
  }
  waitForProducers(count, options, callback) {
    return this._waitFor(true, count, options, callback);
  }
  _waitFor(producers, count, options, callback) {
    if (typeof options === 'function') return this._waitFor(producers, count, undefined, options);
    const call = producers ? 'waitForProducers' : 'waitForConsumers';
    const enough = async () => {
      const { endpoints } = await this.describe();
      const fits = (each) => each.producer === producers && !each.evicted && !each.orphan;
      return endpoints.filter(fits).length >= count ? true : undefined;
    };
    return answer(callback, () => {
      if (!Number.isInteger(count) || count < 0)
        throw new BeltwayError('invalid_option', `${call}: count takes a whole number from 0 on`);
      return repeat(call, enough, options, () => false);
    });
  }

  addGroup(group, start, callback) {
    if (typeof start === 'function') return this.addGroup(group, undefined, start);
    return answer(callback, () => native.addGroup(this._handle, group, start));
  }
  removeGroup(group, options, callback) {
    if (typeof options === 'function') return this.removeGroup(group, undefined, options);
    return answer(callback, () => native.removeGroup(this._handle, group, options?.force ?? false));
  }
  pauseGroup(group, callback) {
    return answer(callback, () => native.pauseGroup(this._handle, group, true));
  }
  resumeGroup(group, callback) {
    return answer(callback, () => native.pauseGroup(this._handle, group, false));
  }
  resetGroup(group, to, callback) {
    const at = to?.published instanceof Date ? { published: to.published.getTime() } : to;
    return answer(callback, () => native.resetGroup(this._handle, group, at));
  }
  evict(consumer, callback) {
    return answer(callback, () => native.evict(this._handle, consumer));
  }
  purge(group, callback) {
    return answer(callback, () => native.purge(this._handle, group));
  }

  ackMessage(group, position, callback) {
    return answer(callback, () => native.ackMessage(this._handle, group, position));
  }
  moveMessage(group, position, target, options, callback) {
    if (typeof options === 'function') return this.moveMessage(group, position, target, undefined, options);
    return answer(callback, () => {
      if (!(target instanceof Queue)) throw new BeltwayError('invalid_option', 'moveMessage: target takes a Queue');
      const { timeout, signal } = options ?? {};
      checkWait('moveMessage', { timeout });
      if (signal !== undefined) throw new BeltwayError('invalid_option', 'moveMessage takes no signal; give a timeout');
      return native.moveMessage(this._handle, group, position, target._handle, timeout);
    });
  }

  describe(callback) {
    return answer(callback, () => native.describeQueue(this._handle));
  }
  snapshot(callback) {
    return answer(callback, () => native.snapshot(this._handle));
  }
  peek(count, options, callback) {
    if (typeof options === 'function') return this.peek(count, undefined, options);
    const { maxBytes = 65536, group = '', from } = options ?? {};
    return answer(callback, () => native.peek(this._handle, count, maxBytes, group, from));
  }
}

module.exports = { Queue };
