// Names and values of options and codes of errors are those of the one table that all languages share.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { assert, beltway, failure, package_, programs, test, useDaemon } = require('./support');

const daemon = useDaemon();
const native = require(path.join(package_, 'lib', 'native.js'));
const table = JSON.parse(execFileSync(path.join(programs, 'option_table'), { encoding: 'utf8' }));
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const rowsOf = (kind) => table.filter((row) => row.of === kind);

test('each option of the table has its name in camel case and no other option exists', () => {
  const names = native.optionNames();
  for (const kind of ['queue', 'group', 'producer', 'consumer']) {
    assert.ok(names[kind].length > 3);
    assert.deepEqual(names[kind], rowsOf(kind).map(({ name }) => camel(name)), kind);
  }
});

test('the declarations for TypeScript have each option and each word and no other one', () => {
  const text = fs.readFileSync(path.join(package_, 'index.d.ts'), 'utf8');
  const interfaces = { queue: 'QueueOptions', group: 'GroupOptions', producer: 'ProducerOptions', consumer: 'ConsumerOptions' };
  for (const [kind, name] of Object.entries(interfaces)) {
    const body = text.match(new RegExp(`interface ${name} \\{([^]*?)\\n\\}`))[1];
    const declared = [...body.matchAll(/^  (\w+)\?: (.*);$/gm)];
    assert.deepEqual(declared.map((match) => match[1]).sort(), rowsOf(kind).map((row) => camel(row.name)).sort(), name);
    for (const row of rowsOf(kind).filter((each) => each.words !== undefined)) {
      const [, , words] = declared.find((match) => match[1] === camel(row.name));
      assert.deepEqual(words.split(' | ').map((word) => word.slice(1, -1)), row.words, `${name}.${row.name}`);
    }
  }
});

test('each option of a queue takes its default value and a declare without options agrees', async () => {
  const options = {};
  for (const row of rowsOf('queue')) {
    if (row.kind === 'type' || row.kind === 'groups' || row.optional) continue;
    const value = { number: Number, time: Number, flag: (text) => text === 'true', text: JSON.parse, word: String }[row.kind];
    options[camel(row.name)] = row.unit === 'mode' ? parseInt(row.default, 8) : value(row.default);
  }
  await daemon.link.declare('defaults');
  const queue = await daemon.link.declare('defaults', options);
  for (const [name, value] of Object.entries(options)) assert.equal(queue.options[name], value, name);
});

test('a value of another type or word is refused by the name of its option', async () => {
  for (const row of rowsOf('queue')) {
    const name = camel(row.name);
    const wrong = row.kind === 'text' || row.kind === 'word' ? 5 : row.kind === 'number' || row.kind === 'time' ? '5' : 5;
    await assert.rejects(daemon.link.declare('wrong', { [name]: wrong }), failure('invalid_option', `declare: ${name}`), name);
    if (row.kind === 'word')
      await assert.rejects(daemon.link.declare('wrong', { [name]: 'none' }), failure('invalid_option', name, row.words[0]));
  }
  await assert.rejects(daemon.link.declare('wrong', { retryDelay: 0.5 }), failure('invalid_option', 'retryDelay', 'whole'));
  await assert.rejects(daemon.link.declare('wrong', { slots: 2 ** 40 }), failure('invalid_option', 'slots'));
  await assert.rejects(daemon.link.declare('wrong', { groups: [{ name: 'g', slots: 1 }] }), failure('invalid_option', '"slots"'));
  await assert.rejects(daemon.link.declare('wrong', 'slots'), failure('invalid_option', 'object'));
});

test('codes of errors are the names of the reasons of the library', () => {
  const { errors } = JSON.parse(execFileSync(path.join(programs, 'option_table'), ['--outcomes'], { encoding: 'utf8' }));
  const inOrder = Object.keys(errors).sort((left, right) => errors[left] - errors[right]);
  const declared = fs.readFileSync(path.join(package_, 'index.d.ts'), 'utf8').match(/type ErrorCode =([^;]*);/)[1];
  const words = [...declared.matchAll(/'(\w+)'/g)].map((match) => match[1]);
  assert.deepEqual(words, [...inOrder, 'timeout']);
  assert.equal(new beltway.BeltwayError('misuse', 'text').name, 'BeltwayError');
});
