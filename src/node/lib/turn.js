// The share of the event loop that messages take. An await of a promise that is settled lets no timer and no socket have its
// turn. So whoever hands out settled promises counts here. When a stream of them has lasted for long enough, the next promise is
// settled in the next turn of the loop.
'use strict';

const { performance } = require('node:perf_hooks');

const longestMs = 0.5;
const mostBetweenLooks = 64; // at the clock

/** `left`: how many promises may be given before the next look at the clock. */
const turn = { left: 1 };
let granted = 1;
let began = performance.now();
let looked = began;

function begin() {
  began = looked = performance.now();
  turn.left = granted;
}

/** Called when `left` has run out. Handlers that take long make the looks more frequent. */
function isOver() {
  const now = performance.now();
  granted = now - looked > longestMs / 8 ? Math.max(1, granted >> 1) : Math.min(mostBetweenLooks, granted * 2);
  looked = now;
  turn.left = granted;
  return now - began >= longestMs;
}

/** A promise of `value`: of the next turn if this one is over, else `now`. */
function settle(value, now) {
  if (!isOver()) return now === undefined ? Promise.resolve(value) : now;
  return new Promise((resolve) => {
    setImmediate(() => {
      begin();
      resolve(value);
    });
  });
}

module.exports = { turn, begin, settle };
