// What the page can do to a queue: for each act the question that comes first.
import { act } from './api.js';

const by_group = (queue, name, group) => () => act(queue, name, { group });

/** A question of dialog.js. `subject`: a group's name, a consumer, or nothing. */
export function question_of(name, queue, subject, groups) {
  switch (name) {
    case 'pause':
      return {
        title: `Pause ${subject}`,
        confirm: 'Pause',
        run: by_group(queue, name, subject),
        text: 'Its consumers get no messages until it goes on. It keeps its messages: producers wait when the ring is full.',
      };
    case 'resume':
      return {
        title: `Resume ${subject}`,
        confirm: 'Resume',
        run: by_group(queue, name, subject),
        text: 'Its consumers get messages again.',
      };
    case 'purge':
      return {
        title: `Purge ${subject}`,
        confirm: 'Purge',
        danger: true,
        run: by_group(queue, name, subject),
        text: 'All messages of the group that no consumer holds are acknowledged: nobody gets them any more.',
      };
    case 'reset':
      return {
        title: `Reset ${subject}`,
        confirm: 'Reset',
        danger: true,
        text: 'Messages before the place are acknowledged. Those from there on are delivered, also again.',
        fields: [{ id: 'to', label: 'To oldest, latest, or a position', value: 'oldest' }],
        run: ({ to }) => act(queue, name, { group: subject, to: to.trim() }),
      };
    case 'evict':
      return {
        title: `Evict consumer ${subject.index}`,
        confirm: 'Evict',
        danger: true,
        run: () => act(queue, name, { consumer: subject.index }),
        text:
          `The messages that it holds (${subject.held}) go to other consumers of its group. ` +
          `Its process, pid ${subject.pid ?? 'unknown'}, is told when it asks next.`,
      };
    case 'move':
      return {
        title: `Move the message at ${subject.position}`,
        confirm: 'Move',
        text: `It is published to the other queue, and then acknowledged for ${subject.group}.`,
        fields: [{ id: 'to', label: 'To the queue' }],
        run: ({ to }) => act(queue, name, { ...subject, to: to.trim() }),
      };
    case 'requeue':
      return {
        title: 'Requeue dead letters',
        confirm: 'Requeue',
        text: 'Each message goes back to the queue that it comes from, or to the one that you name.',
        fields: [
          { id: 'group', label: 'Group', value: groups[0] ?? '', options: groups },
          { id: 'to', label: 'To', hint: 'its origin' },
          { id: 'count', label: 'At most', hint: 'all' },
        ],
        run: ({ group, to, count }) => {
          const most = Number(count.trim() || 0);
          if (!Number.isSafeInteger(most) || most < 0) throw new Error('At most: a number of messages is expected');
          return act(queue, name, { group, ...(to.trim() ? { to: to.trim() } : {}), ...(most ? { count: most } : {}) });
        },
      };
    default:
      return {
        title: `Remove ${queue}`,
        confirm: 'Remove',
        danger: true,
        type_name: queue,
        run: () => act(queue, 'remove', { confirm: queue }),
        text: 'The queue and all of its messages are gone. Attached processes are told.',
      };
  }
}
