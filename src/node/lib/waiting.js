// What producers and consumers have in common: a line of calls that wait until their endpoint is ready.
'use strict';

const { BeltwayError } = require('./errors');
const { begin } = require('./turn');

const nothing = Symbol('nothing'); // what an attempt gives that has to wait
const mostInTurn = 64; // calls that one turn of the loop answers
const longestTimer = 2147483647; // ms: setTimeout() ends a longer one at once

/** The options `timeout` and `signal` of a call that may wait. Throws if the signal is aborted. */
function checkWait(call, options) {
  if (typeof options !== 'object') throw new BeltwayError('invalid_option', `${call}: the options are {timeout, signal}`);
  const { timeout, signal } = options;
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0))
    throw new BeltwayError('invalid_option', `${call}: timeout takes milliseconds, 0 or more`);
  if (signal === undefined || signal === null) return;
  if (typeof signal.throwIfAborted !== 'function')
    throw new BeltwayError('invalid_option', `${call}: signal takes an AbortSignal`);
  signal.throwIfAborted();
}

class Waiting {
  constructor(handle) {
    Object.defineProperties(this, {
      _handle: { value: handle },
      _line: { value: [] },
      _onReady: { value: () => this._serve() }, // the native side holds it only while a call waits
      _closed: { value: false, writable: true },
    });
    handle.onReady(this._onReady);
  }

  /** A promise of what `attempt` gives once it does not give `nothing`. `late()` makes the answer when `timeout` ms are over. */
  _wait(attempt, options, late) {
    const { timeout, signal } = options ?? {};
    return new Promise((resolve, reject) => {
      const call = { attempt, reject, resolve, late: () => late(resolve, reject), end: undefined };
      const leave = (settle) => {
        const wasFirst = this._line[0] === call;
        this._leave(call);
        settle();
        // What the next one wants may be there, and then the descriptor does not say so.
        if (wasFirst && this._line.length > 0) setImmediate(this._onReady);
      };
      let timer;
      const onAbort = () => leave(() => reject(signal.reason));
      const onTimeout = () => {
        this._serve(); // a program that was busy has not seen what came in time
        if (this._line.includes(call)) leave(call.late);
      };
      const startTimer = (left) => {
        const isLast = left <= longestTimer;
        timer = setTimeout(() => (isLast ? onTimeout() : startTimer(left - longestTimer)), isLast ? left : longestTimer);
      };
      if (timeout !== undefined && timeout !== Infinity) startTimer(timeout);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (timer !== undefined || signal !== undefined) {
        call.end = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
        };
      }
      this._line.push(call);
      try {
        if (this._line.length === 1) this._handle.beginWait();
      } catch (error) {
        leave(() => reject(error));
      }
    });
  }

  _leave(call) {
    const at = this._line.indexOf(call);
    if (at >= 0) this._line.splice(at, 1);
    call.end?.();
    if (this._line.length === 0 && !this._closed) this._handle.endWait();
  }

  _serve() {
    begin();
    for (let i = 0; i < mostInTurn && this._line.length > 0; ++i) {
      const call = this._line[0];
      try {
        const value = call.attempt();
        if (value === nothing) return;
        call.resolve(value);
      } catch (error) {
        call.reject(error);
      }
      this._leave(call);
    }
  }

  /** Detaches. Calls that wait are settled by `settle(call)`. */
  _end(settle) {
    if (this._closed) return;
    this._closed = true;
    this._handle.close();
    for (const call of this._line.splice(0)) {
      call.end?.();
      settle(call);
    }
  }
}

module.exports = { Waiting, checkWait, nothing };
