// The blocks of JavaScript in the documents run as they stand.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { assert, package_, start, test, useDaemon } = require('./support');

useDaemon();
const top = path.join(__dirname, '..', '..');

/** What a block prints, in the order of the document. */
const documents = {
  'README.md': ['one order\n'],
  'examples/NODE.md': ['done: resize a.png, delivery 2\n', 'all done\n', '1000\n',
    'the sum of the second numbers is 1000000\n', '2 timeout\n'],
  'src/node/README.md': ['order 1 1\n'],
};

for (const [name, outputs] of Object.entries(documents)) {
  test(`each block of ${name} runs alone and prints what it should`, async () => {
    const text = fs.readFileSync(path.join(top, name), 'utf8');
    const blocks = [...text.matchAll(/```js\n([^]*?)```/g)].map((match) => match[1]);
    assert.equal(blocks.length, outputs.length);
    for (const [i, block] of blocks.entries()) {
      const { child, ended } = start(['-e', `(async () => {${block}})()`],
        { env: { ...process.env, NODE_PATH: path.join(package_, '..', 'node_modules') } });
      // A loop without an end is ended once it has printed.
      if (name === 'src/node/README.md') child.stdout.once('data', () => child.kill('SIGTERM'));
      const { code, signal, out, error } = await ended;
      assert.deepEqual([code ?? signal, out, error], [name === 'src/node/README.md' ? 'SIGTERM' : 0, outputs[i], ''], block);
    }
    assert.ok(name === 'README.md' || text.split('\n').length <= 120, `${name} is long`);
  });
}
