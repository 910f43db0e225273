// Both ways to take an answer: a callback (error, result) as the last argument, or a promise.
'use strict';

const { BeltwayError } = require('./errors');

/** Gives what `start` promises to the callback, or returns the promise if there is none. What `start` throws is a rejection. */
function answer(callback, start) {
  if (callback !== undefined && typeof callback !== 'function')
    throw new BeltwayError('invalid_option', `the last argument is a callback (error, result), not ${typeof callback}`);
  let promise;
  try {
    promise = start();
  } catch (error) {
    promise = Promise.reject(error);
  }
  return callback === undefined ? promise : tell(promise, callback);
}

/** Outside of the promise, so that an exception of the callback is uncaught as that of any callback of Node. */
function tell(promise, callback) {
  promise.then((result) => process.nextTick(callback, null, result), (error) => process.nextTick(callback, error));
}

module.exports = { answer, tell };
