// Groups and the processes at a queue, as tables.
import { rate, share, span, whole } from './format.js';
import { column_head, html } from './view.js';

function Table({ label, heads, children }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${heads.map(column_head)}</tr></thead>
    <tbody>${children}</tbody></table></div>`;
}

const number = (field, value, text) => html`<td class="number" data-field=${field}>${text ?? whole(value)}</td>`;

/** "4711 worker mara, stopped". */
function Process({ endpoint }) {
  // One that lives has only not asked for anything since the daemon was started anew.
  const ended = endpoint.orphan && endpoint.pid && !endpoint.process;
  const state = ended ? 'ended, memory kept' : endpoint.stopped ? 'stopped' : '';
  return html`<td data-field="process"><span class="pid">${endpoint.pid ?? '–'}</span> ${endpoint.process ?? ''}
    <span class="quiet" data-field="user">${endpoint.user}</span>
    ${state ? html` <span class="trouble">✖ ${state}</span>` : null}</td>`;
}

const paused = (group) => html`<span class="warning"> ▲ paused ${span(group.paused_ms * 1e6)}</span>`;

export function Groups({ state, views, act, may_act }) {
  if (!state.groups.length)
    return html`<section><h2>Groups</h2><p class="quiet">No named group: private consumers alone read this queue.</p></section>`;
  const heads = [
    'Group',
    '>Lag',
    '>Available',
    '>Held',
    '>Delayed',
    '>Parked',
    '>In/s',
    '>Out/s',
    '>Delay',
    '>Full in',
    '>Oldest',
    '>Consumers',
    '',
  ];
  return html`<section aria-labelledby="groups-title"><h2 id="groups-title">Groups</h2>
    <${Table} label="Groups" heads=${heads}>${state.groups.map((group) => {
      const view = views.find((each) => each.name === group.name) ?? {};
      const is_paused = group.paused_ms !== null;
      return html`<tr data-group=${group.name}>
        <th scope="row">${group.name}${is_paused ? paused(group) : null}</th>
        ${number('depth', group.depth)}${number('available', group.available)}${number('leased', group.leased)}
        ${number('delayed', group.delayed)}${number('parked', group.parked)}
        ${number('in', 0, rate(view.in_per_s))}${number('out', 0, rate(view.out_per_s))}
        ${number('delay', 0, span(view.delay_ns))}${number('full', 0, span(view.time_to_full_ns))}
        ${number('oldest', 0, span(view.oldest_age_ns))}${number('consumers', group.consumers.length)}
        <td class="acts">${
          may_act
            ? html`
          <button class="small" onClick=${() => act(is_paused ? 'resume' : 'pause', group.name)}>
            ${is_paused ? 'Resume' : 'Pause'}</button>
          <button class="small" onClick=${() => act('reset', group.name)}>Reset …</button>
          <button class="small" onClick=${() => act('purge', group.name)}>Purge …</button>`
            : null
        }</td>
      </tr>`;
    })}<//></section>`;
}

const evicted = html`<span class="warning">▲ evicted</span>`;

export function Consumers({ state, views, act, may_act }) {
  if (!state.consumers.length) return html`<section><h2>Consumers</h2><p class="quiet">None is attached.</p></section>`;
  const heads = [
    '>No.',
    'Process',
    'Group',
    '>Held',
    '>Lag',
    '>Received/s',
    '>Received',
    '>Again',
    '>Busy',
    '>Wakes/message',
    'Does',
    '',
  ];
  return html`<section aria-labelledby="consumers-title"><h2 id="consumers-title">Consumers</h2>
    <${Table} label="Consumers" heads=${heads}>${state.consumers.map((consumer) => {
      const view = views.find((each) => each.role === 'consumer' && each.index === consumer.index) ?? {};
      return html`<tr data-consumer=${consumer.index}>
        <th scope="row" class="number">${consumer.index}</th><${Process} endpoint=${consumer} />
        <td>${consumer.group ?? html`<span class="quiet">private${consumer.lossy ? ', lossy' : ''}</span>`}</td>
        ${number('held', consumer.held)}${number('lag', consumer.lag)}${number('rate', 0, rate(view.messages_per_s))}
        ${number('messages', consumer.counters.messages)}${number('redelivered', consumer.counters.redelivered)}
        ${number('busy', 0, view.busy === undefined ? '–' : share(view.busy))}
        ${number('wakes', 0, view.wakes_per_message === undefined ? '–' : view.wakes_per_message.toFixed(2))}
        <td>${consumer.evicted ? evicted : consumer.sleep === 'asleep' ? 'waits' : 'runs'}</td>
        <td class="acts">${
          may_act && !consumer.evicted
            ? html`<button class="small" onClick=${() => act('evict', consumer)}>Evict …</button>`
            : null
        }</td>
      </tr>`;
    })}<//></section>`;
}

export function Producers({ state, views }) {
  if (!state.producers.length) return html`<section><h2>Producers</h2><p class="quiet">None is attached.</p></section>`;
  const heads = [
    '>No.',
    'Process',
    'Name',
    '>Published/s',
    '>Published',
    '>Refused',
    '>Lane',
    '>Busy',
    '>Wakes/message',
    'Does',
  ];
  return html`<section aria-labelledby="producers-title"><h2 id="producers-title">Producers</h2>
    <${Table} label="Producers" heads=${heads}>${state.producers.map((producer) => {
      const view = views.find((each) => each.role === 'producer' && each.index === producer.index) ?? {};
      const waits = {
        ring: 'waits for room',
        lane: 'waits for room in its lane',
        claim: 'waits for another producer',
        own_loans: 'waits for its own loans',
      };
      return html`<tr data-producer=${producer.index}>
        <th scope="row" class="number">${producer.index}</th><${Process} endpoint=${producer} />
        <td>${producer.name ?? ''}</td>${number('rate', 0, rate(view.messages_per_s))}
        ${number('messages', producer.counters.messages)}${number('refused', producer.counters.refused)}
        ${number('lane', producer.lane_messages)}${number('busy', 0, view.busy === undefined ? '–' : share(view.busy))}
        ${number('wakes', 0, view.wakes_per_message === undefined ? '–' : view.wakes_per_message.toFixed(2))}
        <td>${waits[producer.waits_for] ? html`<span class="warning">▲ ${waits[producer.waits_for]}</span>` : 'runs'}</td>
      </tr>`;
    })}<//></section>`;
}

/** Of the bridges that carry this queue's messages. */
export function Routes({ routes }) {
  if (!routes.length) return null;
  const heads = ['Route', 'State', '>Remaining', '>In flight', '>Confirmed', '>Duplicates', 'Last error'];
  return html`<section aria-labelledby="routes-title"><h2 id="routes-title">Routes</h2>
    <${Table} label="Routes" heads=${heads}>${routes.map(
      (route) => html`<tr data-route=${route.direction}>
        <th scope="row">${route.direction} ${route.exchange && `${route.exchange}//`}${route.remote}</th>
        <td data-field="state">${route.state}</td>${number('remaining', route.remaining)}${number('in_flight', route.in_flight)}
        ${number('confirmed', route.confirmed)}${number('duplicates', route.duplicates)}
        <td class="quiet">${route.last_error}</td></tr>`,
    )}<//></section>`;
}
