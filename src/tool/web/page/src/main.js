// The page: which part of it is shown, whether its news are fresh, and what is told of new troubles.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { take_token } from './api.js';
import { Help } from './dialog.js';
import { Feed, Stream } from './feed.js';
import { gravity, span, words } from './format.js';
import { on_keys } from './keys.js';
import { Overview } from './overview.js';
import { QueuePage } from './queue.js';
import { html } from './view.js';

const feed = new Feed();
const k_links = { live: '● live', connecting: '○ connecting' };
const place_of = ({ server, daemon }) =>
  `${server.user}@${server.host} · beltwayd ${daemon.version}, pid ${daemon.pid}`;

/** One stream for all tabs where the browser has shared workers. */
function subscribe(token, on_event, on_state) {
  if (typeof SharedWorker === 'undefined') {
    const stream = new Stream(token, on_event, on_state);
    return () => stream.stop();
  }
  const worker = new SharedWorker('/worker.js', { name: 'beltway' });
  worker.port.onmessage = ({ data }) => (data.event ? on_event(data.event) : on_state(data.state));
  worker.port.start();
  worker.port.postMessage({ token });
  const bye = () => worker.port.postMessage({ bye: true });
  const again = (event) => event.persisted && worker.port.postMessage({ token });
  addEventListener('pagehide', bye);
  addEventListener('pageshow', again);
  return bye;
}

function use_feed(token) {
  const [state, set_state] = useState({ link: token ? 'connecting' : 'refused', since: Date.now(), version: 0 });
  useEffect(() => {
    if (!token) return undefined;
    return subscribe(
      token,
      (event) => {
        feed.apply(event);
        set_state((before) => ({ ...before, version: before.version + 1 }));
      },
      (link) =>
        set_state((before) => {
          // Until the first state has come, a lost stream is one that has not begun.
          const now = link === 'lost' && !feed.head && Date.now() - before.since < 2000 ? 'connecting' : link;
          return now === before.link ? before : { ...before, link: now, since: Date.now() };
        }),
    );
  }, []);
  return state;
}

function use_route() {
  const [hash, set_hash] = useState(location.hash);
  useEffect(() => {
    const change = () => set_hash(location.hash);
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return hash.startsWith('#/q/') ? decodeURIComponent(hash.slice('#/q/'.length)) : null;
}

function use_clock() {
  const [now, set_now] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set_now(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** What is not as usual between here and the queues. */
function Banner({ state }) {
  const now = use_clock();
  const head = feed.head;
  if (state.link === 'refused')
    return html`<p class="banner trouble" role="alert">✖ The token is not valid any more, or this browser has none.${' '}
      Open the address that <code>beltway web</code> printed when it was started last.</p>`;
  if (state.link === 'lost')
    return html`<p class="banner trouble" role="alert">✖ <b>beltway web does not answer</b> for${' '}
      ${span((now - state.since) * 1e6)}. What you see is old; the page comes back by itself.${' '}
      If it was ended, start it again: <code>beltway web</code></p>`;
  if (head && !head.daemon_answers)
    return html`<p class="banner warning" role="alert">▲ <b>The daemon does not answer</b>
      ${head.daemon_gone_ns ? ` for ${span(head.daemon_gone_ns)}` : ''}. Messages flow on without it;${' '}
      what you see is read from shared memory.</p>`;
  return null;
}

/** Tells a screen reader each queue that gets into trouble. */
function News({ version }) {
  const before = useRef(null);
  const text = useRef('');
  const grave = new Map(
    [...feed.rows.values()]
      .filter((row) => gravity(row.verdicts) === 3)
      .map((row) => [row.name, words(row.verdicts[0])]),
  );
  if (before.current?.version !== version) {
    const known = before.current?.grave;
    const fresh = known ? [...grave].filter(([name]) => !known.has(name)).map(([, said]) => said) : [];
    if (fresh.length)
      text.current = fresh.slice(0, 3).join('. ') + (fresh.length > 3 ? `. And ${fresh.length - 3} more.` : '');
    before.current = { version, grave };
  }
  return html`<div class="hidden" aria-live="polite" data-field="news">${text.current}</div>`;
}

function App({ token }) {
  const state = use_feed(token);
  const queue = use_route();
  const [help, set_help] = useState(false);
  useEffect(() => on_keys({ '?': () => set_help(true) }), []);
  useEffect(() => {
    const grave = [...feed.rows.values()].filter((row) => gravity(row.verdicts) === 3).length;
    document.title = `${grave ? `(${grave}) ` : ''}${queue ? `${queue} – ` : ''}Beltway`;
  });
  const live = state.link === 'live';
  const daemon = feed.head?.daemon;
  return html`
    <header>
      <a class="brand" href="#/">Beltway</a>
      <span class="quiet place" title=${daemon?.socket}>${daemon ? place_of(feed.head) : ''}</span>
      <span class="link ${live ? 'live' : 'old'}" role="status" data-field="link">${k_links[state.link] ?? '○ not live'}</span>
      <button class="small" onClick=${() => set_help(true)} aria-label="Help and keys">?</button>
    </header>
    <${Banner} state=${state} />
    <${News} version=${state.version} />
    ${
      !feed.head
        ? null
        : queue !== null
          ? html`<${QueuePage} key=${queue} name=${queue} feed=${feed} version=${state.version} live=${live} />`
          : html`<${Overview} feed=${feed} version=${state.version} live=${live} />`
    }
    ${help ? html`<${Help} on_close=${() => set_help(false)} />` : null}`;
}

const page = document.getElementById('page');
page.textContent = '';
render(html`<${App} token=${take_token()} />`, page);
