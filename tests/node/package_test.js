// The package that `npm pack` makes: it has the binary, and its installation needs no network.
'use strict';

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { assert, package_, test, useDaemon } = require('./support');

useDaemon();

const hasNpm = spawnSync('npm', ['--version']).status === 0;
if (!hasNpm) console.log('NOT TESTED: the package needs npm');

test('the packed package has the binary and is installed without a network', { skip: !hasNpm && 'no npm' }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'beltway-package-'));
  const run = (program, args) => execFileSync(program, args, {
    cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_cache: path.join(folder, 'cache'), npm_config_update_notifier: 'false' },
  });
  try {
    const [packed] = JSON.parse(run('npm', ['pack', '--json', package_]));
    const files = packed.files.map((file) => file.path);
    const binary = files.filter((name) => name.endsWith('.node'));
    assert.equal(binary.length, 1);
    // As prebuildify has it, so that tools that know its layout find the binary.
    assert.match(binary[0], new RegExp(`^prebuilds/${process.platform}-${process.arch}/node\\.napi\\.glibc\\.node$`));
    for (const name of ['index.js', 'index.mjs', 'index.d.ts', 'info.d.ts', 'message.d.ts', 'README.md'])
      assert.ok(files.includes(name), name);
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name": "user", "version": "1.0.0"}');
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', path.join(folder, packed.filename)]);
    const text = 'const link = await connect(); console.log((await link.ping()).version === version);';
    fs.writeFileSync(path.join(folder, 'user.mjs'), `import { connect, version } from 'beltway'; ${text}`);
    fs.writeFileSync(path.join(folder, 'user.cjs'),
      `const { connect, version } = require('beltway'); (async () => { ${text} })();`);
    for (const file of ['user.mjs', 'user.cjs']) assert.equal(run(process.execPath, [file]), 'true\n');
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('the binary asks for no symbol that Node.js does not have and shows no other than its entry', () => {
  const prebuilds = path.join(package_, 'prebuilds', `${process.platform}-${process.arch}`);
  const binary = path.join(prebuilds, fs.readdirSync(prebuilds)[0]);
  const names = (flag) => execFileSync('nm', ['-D', flag, binary], { encoding: 'utf8' }).trim().split('\n')
    .map((line) => line.trim().split(/\s+/).pop().split('@')[0]);
  const entries = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
  assert.deepEqual(names('--defined-only').filter((name) => !entries.includes(name)), []);
  assert.deepEqual(names('--undefined-only').filter((name) => /^_ZN2v8|^_ZN4node/.test(name)), []); // Node-API alone is stable
});
