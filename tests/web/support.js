// What the browser tests share: a daemon, `beltway web` and a browser of the test file's own, and waits.
'use strict';

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, afterEach, before, test } = require('node:test');

const programs = process.env.BELTWAY_TEST_PROGRAMS; // where beltwayd and beltway lie
const { chromium } = require(path.join(process.env.BELTWAY_TEST_MODULES, 'playwright-core'));
const k_patience_ms = 100000; // a browser on a loaded machine

/** Asks until the answer is true for JavaScript. */
async function eventually(ask, what) {
  const end = Date.now() + k_patience_ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `it never came: ${what ?? ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ended(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', resolve);
  });
}

class World {
  constructor(daemon_options = []) {
    this.daemon_options = daemon_options;
    this.children = [];
    this.complaints = [];
  }

  async start() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-web-'));
    this.socket = path.join(this.folder, 'socket');
    await this.startDaemon();
    await this.startWeb();
    const flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--crash-dumps-dir=${this.folder}`];
    this.browser = await chromium.launch({ executablePath: process.env.BELTWAY_TEST_BROWSER, args: flags });
  }

  spawn(program, args) {
    const child = spawn(path.join(programs, program), args, {
      stdio: ['ignore', 'pipe', fs.openSync(path.join(this.folder, 'log'), 'a')],
      env: { ...process.env, BELTWAY_SOCKET: this.socket },
    });
    this.children.push(child);
    return child;
  }

  async startDaemon() {
    this.daemon = this.spawn('beltwayd', ['--no-keeper', '--socket', this.socket, ...this.daemon_options]);
    await eventually(() => this.run('ping').status === 0, 'the daemon answers');
  }

  /** The same port and token as before, so that open pages find it again. */
  async startWeb() {
    const args = [
      'web',
      '--format',
      'json',
      '--token-file',
      path.join(this.folder, 'token'),
      '--port',
      String(this.port ?? 0),
    ];
    this.web = this.spawn('beltway', args);
    const line = await new Promise((resolve, reject) => {
      let text = '';
      this.web.stdout.on('data', (data) => {
        text += data;
        if (text.endsWith('\n')) resolve(text);
      });
      this.web.once('exit', () => reject(new Error(fs.readFileSync(path.join(this.folder, 'log'), 'utf8'))));
    });
    Object.assign(this, JSON.parse(line));
  }

  run(...args) {
    return spawnSync(path.join(programs, 'beltway'), args, {
      encoding: 'utf8',
      env: { ...process.env, BELTWAY_SOCKET: this.socket },
    });
  }

  /** A command that must succeed. */
  tool(...args) {
    const { status, stdout, stderr } = this.run(...args);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  show(queue) {
    return JSON.parse(this.tool('show', queue, '--format', 'json'));
  }

  /** A tab of a browser window of its own, or of `context`. What it complains of fails the test file. */
  async open({ context, address = '', ...options } = {}) {
    const window = context ?? (await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }));
    const page = await window.newPage();
    page.setDefaultTimeout(k_patience_ms);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // A server that is away on purpose is told by the browser itself.
      const is_expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|status of (404|503)/.test(
        message.text(),
      );
      if (['error', 'warning'].includes(message.type()) && !is_expected) this.complaints.push(message.text());
    });
    await page.goto(this.url);
    await this.live(page);
    if (address) await page.evaluate((hash) => (location.hash = hash), address);
    return page;
  }

  /** Windows of a test that has ended would only draw, and slow down the next one. */
  async closeWindows() {
    for (const context of this.browser.contexts()) await context.close();
  }

  live(page) {
    return page.waitForSelector('[data-field=link].live');
  }

  async end() {
    await this.browser?.close();
    for (const child of this.children.reverse()) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended(child);
    }
    const log = fs.readFileSync(path.join(this.folder, 'log'), 'utf8');
    fs.rmSync(this.folder, { recursive: true });
    assert.deepEqual(this.complaints, [], log);
  }
}

/** One world for all tests of a file. */
function useWorld(daemon_options = []) {
  const world = new World(daemon_options);
  before(() => world.start());
  afterEach(() => world.closeWindows());
  after(() => world.end());
  return world;
}

const row_of = (page, queue) => page.locator(`.row[data-queue="${queue}"]`);
/** Only the digits: "1 024" is 1024. */
const number_in = async (locator) => Number((await locator.innerText()).replace(/\D/g, ''));

module.exports = { World, assert, ended, eventually, number_in, row_of, test, useWorld };
