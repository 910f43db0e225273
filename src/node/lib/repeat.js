// Waits for something that only a question to the daemon tells: asks again and again, with short pauses that hold no thread.
'use strict';

const { setTimeout: pause } = require('node:timers/promises');
const { checkWait } = require('./waiting');

const shortestMs = 1;
const longestMs = 20;

/** For `call`: asks until the answer is not undefined, for `options.timeout` ms at most; then the answer is that of `late`. */
async function repeat(call, ask, options, late) {
  if (options !== undefined && options !== null) checkWait(call, options);
  const { timeout = Infinity, signal } = options ?? {};
  const end = performance.now() + timeout;
  for (let next = shortestMs; ; next = Math.min(2 * next, longestMs)) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    const left = end - performance.now();
    if (left <= 0) return late();
    try {
      await pause(Math.min(next, left), undefined, { signal: signal ?? undefined });
    } catch {
      throw signal.reason;
    }
  }
}

module.exports = { repeat };
