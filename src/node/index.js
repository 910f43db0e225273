// Beltway for Node.js. index.d.ts says what each call does; README.md shows how to begin.
'use strict';

const native = require('./lib/native');
const { BeltwayError } = require('./lib/errors');
const { Connection, connect } = require('./lib/connection');
const { Consumer } = require('./lib/consumer');
const { Message } = require('./lib/message');
const { Producer } = require('./lib/producer');
const { Queue } = require('./lib/queue');

for (const { prototype } of [Connection, Consumer, Producer]) {
  for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) {
    if (symbol === undefined) continue; // not in this version of Node.js
    Object.defineProperty(prototype, symbol, {
      value() {
        this.close();
        return symbol === Symbol.asyncDispose ? Promise.resolve() : undefined;
      },
    });
  }
}

module.exports = { connect, BeltwayError, Connection, Consumer, Message, Producer, Queue, version: native.version };
