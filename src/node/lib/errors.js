// The one class of errors.
'use strict';

const native = require('./native');

/** What Beltway throws and rejects with. `code` is for programs: "not_found"; `message` names operation, object and remedy. */
class BeltwayError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
  get name() {
    return 'BeltwayError';
  }
}

native.setErrorMaker((code, message) => new BeltwayError(code, message));

module.exports = { BeltwayError };
