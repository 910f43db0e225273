// What the tests of the Node.js package share: a daemon of the test file's own, programs of the test, and waits.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const programs = process.env.BELTWAY_TEST_PROGRAMS; // where beltwayd lies
const package_ = process.env.BELTWAY_TEST_PACKAGE; // build/PRESET/node
const beltway = require(package_);

/** One daemon for all tests of a file, on a socket of its own, in $BELTWAY_SOCKET. It is ended, and must end well. */
function useDaemon() {
  const shared = { folder: undefined, link: undefined, process: undefined };
  before(async () => {
    shared.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-node-'));
    process.env.BELTWAY_SOCKET = path.join(shared.folder, 'socket');
    const log = fs.openSync(path.join(shared.folder, 'log'), 'w');
    shared.process = spawn(path.join(programs, 'beltwayd'), ['--no-keeper', '--socket', process.env.BELTWAY_SOCKET],
      { stdio: ['ignore', log, log] });
    fs.closeSync(log);
    shared.link = await eventually(() => beltway.connect({ startDaemon: false }).catch(() => undefined));
  });
  after(async () => {
    shared.link?.close();
    const ended = new Promise((resolve) => shared.process.once('exit', (code, signal) => resolve({ code, signal })));
    shared.process.kill('SIGTERM');
    const result = await ended;
    const text = fs.readFileSync(path.join(shared.folder, 'log'), 'utf8');
    fs.rmSync(shared.folder, { recursive: true });
    assert.deepEqual(result, { code: 0, signal: null }, text);
  });
  return shared;
}

/** Asks until the answer is true for JavaScript; for 20 s at most. */
async function eventually(ask) {
  const end = Date.now() + 20000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `it never came: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a program of Node.js to its end. Its text may use `beltway`, which is loaded, and `await`. */
function runText(text, { flags = [], args = [] } = {}) {
  const prologue = `const beltway = require(${JSON.stringify(package_)}); (async () => {`;
  return start([...flags, '-e', `${prologue}${text}\n})()`, ...args]).ended;
}

/** Starts Node.js. `ended`: {code, signal, out, error}. */
function start(args, options = {}) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const ended = new Promise((resolve) => {
    let out = '';
    let error = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (error += data));
    child.once('close', (code, signal) => resolve({ code, signal, out, error }));
  });
  return { child, ended };
}

/** An error of that code whose text has all of `parts`. */
function failure(code, ...parts) {
  return (error) => {
    assert.ok(error instanceof beltway.BeltwayError, `${error} is no BeltwayError`);
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`);
    return true;
  };
}

module.exports = { assert, beltway, eventually, failure, package_, pause, programs, runText, start, test, useDaemon };
