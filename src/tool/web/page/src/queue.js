// The page of one queue: asked for again after each sample, while the tab is in sight.
import { useEffect, useRef, useState } from 'preact/hooks';
import { question_of } from './acts.js';
import { Ages } from './ages.js';
import { get_queue } from './api.js';
import { Charts } from './charts.js';
import { Question } from './dialog.js';
import { Consumers, Groups, Producers, Routes } from './endpoints.js';
import { bytes, rate, span, whole } from './format.js';
import { on_keys } from './keys.js';
import { Messages } from './messages.js';
import { Ring } from './ring.js';
import { Bar, html, Severity, Verdicts } from './view.js';

const k_history_s = 3600;

/** The queue's detail, renewed with each version. History comes in pieces: only what is new. */
function use_detail(name, version) {
  const [detail, set_detail] = useState({ now: null, error: '' });
  const history = useRef([]);
  const busy = useRef(false);
  const ask = async () => {
    if (busy.current || document.hidden) return;
    busy.current = true;
    try {
      const last = history.current.at(-1)?.at_s ?? 0;
      const now = await get_queue(name, last ? last + 1 : 0);
      const fresh = now.history.filter((point) => point.at_s > last);
      history.current = [...history.current, ...fresh].slice(-k_history_s);
      set_detail({ now, error: '' });
    } catch (failure) {
      set_detail((before) => ({ ...before, error: failure.message }));
    }
    busy.current = false;
  };
  useEffect(() => void ask(), [version]);
  useEffect(() => {
    document.addEventListener('visibilitychange', ask);
    return () => document.removeEventListener('visibilitychange', ask);
  }, []);
  return { ...detail, history: history.current, ask };
}

function Figures({ now }) {
  const { queue, state, view } = now;
  const figure = (id, title, value) =>
    html`<div class="figure" data-field=${id}><dt>${title}</dt><dd>${value}</dd></div>`;
  return html`<dl class="figures">
    ${figure('used', 'slots used', html`${whole(state.used)}<span class="quiet">/${whole(queue.slots)}</span>`)}
    ${figure('in', 'messages in/s, N/T', rate(view.rates.in_per_s))}
    ${figure('out', 'messages out/s, N/T', rate(view.rates.out_per_s))}
    ${figure('lag', 'lag', whole(view.lag))}
    ${figure('delay', 'delay N/R', span(view.delay_ns))}
    ${figure('oldest', 'oldest', span(view.oldest_age_ns))}
    ${figure('position', 'next position', whole(state.position))}
    ${figure('parked', 'parked', whole(state.parked))}
  </dl>`;
}

function text_of(value) {
  if (value === null) return '–';
  if (Array.isArray(value)) return value.map(text_of).join(', ') || '–';
  if (typeof value === 'object')
    return (
      Object.entries(value)
        .map(([key, each]) => `${key} ${text_of(each)}`)
        .join(', ') || '–'
    );
  return typeof value === 'number' ? whole(value) : String(value);
}

/** All that the daemon says of it, as `beltway show --format json` has it. */
function Facts({ queue }) {
  const left_out = ['endpoints', 'groups', 'name'];
  return html`<details class="facts"><summary>Options and facts</summary>
    <p class="quiet">${queue.description || ''} Shared memory: ${bytes(queue.shared_bytes)}</p>
    <dl>${Object.entries(queue)
      .filter(([key]) => !left_out.includes(key))
      .map(([key, value]) => html`<div><dt>${key}</dt><dd data-option=${key}>${text_of(value)}</dd></div>`)}</dl>
  </details>`;
}

export function QueuePage({ name, feed, version, live }) {
  const { now, error, history, ask } = use_detail(name, version);
  const [question, set_question] = useState(null);
  const [said, set_said] = useState('');
  useEffect(() => on_keys({ Escape: () => (location.hash = '#/') }), []);
  const row = feed.rows.get(name);
  const verdicts = now?.view.verdicts ?? row?.verdicts ?? [];
  const may_act = !feed.head.server.read_only;
  const groups = now ? now.state.groups.map((group) => group.name) : [];
  const ask_first = (act, subject) => {
    set_said('');
    set_question(question_of(act, name, subject, groups));
  };
  const done = (text) => {
    if (text !== null && question.type_name) return (location.hash = '#/');
    set_question(null);
    if (text === null) return;
    set_said(text);
    ask();
  };
  return html`<main class="queue" aria-busy=${!live}>
    <div class="title">
      <a href="#/" class="back" aria-label="All queues">←</a>
      <h1>${name}</h1><${Severity} severity=${verdicts[0]?.severity} />
      ${now ? html`<${Bar} used=${now.state.used} slots=${now.queue.slots} />` : null}
      ${
        may_act && now
          ? html`<span class="buttons">
        <button class="small" onClick=${() => ask_first('requeue')}>Requeue …</button>
        <button class="small" onClick=${() => ask_first('remove')}>Remove …</button></span>`
          : null
      }
    </div>
    ${said ? html`<p class="banner done" role="status" data-field="done">✓ ${said}</p>` : null}
    ${error ? html`<p class="banner warning" role="alert">▲ ${error}</p>` : null}
    <${Verdicts} verdicts=${verdicts} label="What is wrong, and what to do" />
    ${
      now
        ? html`
      <${Figures} now=${now} />
      <${Ring} strip=${now.strip} slots=${now.queue.slots} />
      <${Charts} history=${history} has_ages=${history.some((point) => point.oldest_age_s > 0)} />
      <${Ages} counts=${now.age_counts} state=${now.state} />
      <${Groups} state=${now.state} views=${now.view.groups} act=${ask_first} may_act=${may_act} />
      <${Consumers} state=${now.state} views=${now.endpoints_view} act=${ask_first} may_act=${may_act} />
      <${Producers} state=${now.state} views=${now.endpoints_view} />
      <${Routes} routes=${now.view.routes} />
      <${Messages} queue=${name} groups=${groups} act=${ask_first} may_act=${may_act} />
      <${Facts} queue=${now.queue} />`
        : null
    }
    ${question ? html`<${Question} question=${question} on_done=${done} />` : null}
  </main>`;
}
