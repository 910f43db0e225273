// The declarations for TypeScript. Needs tsc, and the declarations of Node.js that Debian's nodejs brings.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { assert, package_, test } = require('./support');

const compiler = process.env.BELTWAY_TSC ?? 'tsc';
const types = process.env.BELTWAY_NODE_TYPES ?? '/usr/share/nodejs/@types';
const missing = spawnSync(compiler, ['--version']).status !== 0 ? 'tsc (Debian: node-typescript)'
  : fs.existsSync(path.join(types, 'node')) ? undefined : `the declarations of Node.js in ${types} (Debian: nodejs)`;
if (missing) console.log(`NOT TESTED: the declarations for TypeScript need ${missing}`);

test('tsc accepts what is right and refuses what is wrong', { skip: missing }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-types-'));
  try {
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(package_, path.join(folder, 'node_modules', 'beltway'));
    fs.copyFileSync(path.join(__dirname, 'api.ts'), path.join(folder, 'api.ts'));
    const { status, stdout } = spawnSync(compiler, ['--noEmit', '--strict', '--target', 'es2022', '--module', 'node16',
      '--moduleResolution', 'node16', '--preserveSymlinks', '--typeRoots', types, '--types', 'node', path.join(folder, 'api.ts')],
    { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
