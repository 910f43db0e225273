// Random SIGKILLs under load, of producers and workers in Node.js: no committed message is lost, none is torn or made up, the
// survivors go on, and nothing is left behind. BELTWAY_SOAK_S sets the length in seconds (2).
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { assert, eventually, pause, start, test, useDaemon } = require('./support');

const daemon = useDaemon();
const producers = [0, 1];
const groups = ['workers', 'archive'];
const logOf = (name) => path.join(daemon.folder, `${name}.log`);
const lines = (name) => (fs.existsSync(logOf(name)) ? fs.readFileSync(logOf(name), 'utf8').split('\n').filter(Boolean) : [])
  .map((line) => line.split(' '));

function begin(role) {
  const begun = lines(role.log).filter(([what]) => what === 'b').length;
  const [kind, ...rest] = role.group === undefined ? ['producer', String(role.id), String(begun)] : ['worker', role.group];
  return start([path.join(__dirname, 'soak_actor.js'), kind, process.env.BELTWAY_SOCKET, 'soak', ...rest, logOf(role.log)]);
}

/** What producers committed and what a group saw: empty if the group saw each, and nothing that was never begun. */
function judge(group) {
  const seen = new Set(lines(group).map(([, producer, number]) => `${producer} ${number}`));
  const faults = [];
  for (const id of producers) {
    const log = lines(`producer${id}`);
    const begun = new Set(log.filter(([what]) => what === 'b').map(([, number]) => number));
    for (const [what, number] of log) if (what === 'c' && !seen.has(`${id} ${number}`)) faults.push(`${id} ${number} is lost`);
    for (const each of seen) {
      const [producer, number] = each.split(' ');
      if (Number(producer) === id && !begun.has(number)) faults.push(`${each} was never sent`);
    }
  }
  return faults;
}

test('killed producers and workers lose nothing', async () => {
  const queue = await daemon.link.declare('soak', { slots: 64, laneBytes: 65536, groups, retryDelay: 1 });
  const roles = producers.map((id) => ({ id, log: `producer${id}` }));
  for (const group of groups) roles.push({ group, log: group }, { group, log: group });
  const actors = roles.map(begin);
  const end = Date.now() + 1000 * Number(process.env.BELTWAY_SOAK_S ?? 2);
  let kills = 0;
  const has_done_enough = () => kills > 3 && lines('workers').length > 100;
  while (Date.now() < end || !has_done_enough()) {
    // Longer and longer: on a loaded machine the actors must come to work before they are killed.
    await pause(20 + Math.random() * (150 + 10 * kills));
    const index = Math.floor(Math.random() * roles.length);
    actors[index].child.kill('SIGKILL');
    const { code, signal, error } = await actors[index].ended;
    assert.equal(signal, 'SIGKILL', `it had ended before: ${code} ${error}`);
    actors[index] = begin(roles[index]);
    ++kills;
  }
  const terminate = async (chosen) => {
    for (const index of chosen) {
      // A process that has just started does not handle the signal yet.
      await eventually(async () => (await queue.describe()).endpoints.some(({ pid }) => pid === actors[index].child.pid));
      actors[index].child.kill('SIGTERM');
      const { code, error } = await actors[index].ended;
      assert.deepEqual([code, error], [0, '']);
    }
  };
  await terminate(producers);
  await eventually(async () => (await queue.snapshot()).groups.every(({ depth }) => depth === 0));
  await terminate(roles.map((_, index) => index).slice(producers.length));
  for (const group of groups) assert.deepEqual(judge(group).slice(0, 5), [], `group ${group}`);
  assert.deepEqual((await queue.describe()).endpoints, []);
  console.log(`killed ${kills} times, ${lines('workers').length} messages`);
});
