// The messages of a queue, looked at without taking them. Names and payloads are texts of the document, never its markup.
import { useState } from 'preact/hooks';
import { get_messages } from './api.js';
import { bytes, span, whole } from './format.js';
import { column_head, html } from './view.js';

const k_page = 50;
const k_views = [
  ['text', 'text'],
  ['json', 'JSON'],
  ['hex', 'hex'],
];
const k_heads = ['>Position', '>Age', '>Size', '>Deliveries', '>Holder', 'Payload'];

function bytes_of(message) {
  if (message.text !== undefined) return new TextEncoder().encode(message.text);
  return Uint8Array.from(atob(message.base64 ?? ''), (c) => c.charCodeAt(0));
}

/** Sixteen bytes a line: offset, digits, characters. */
function hex(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += 16) {
    const part = [...data.subarray(at, at + 16)];
    const digits = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const signs = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${digits.padEnd(47)}  ${signs}`);
  }
  return lines.join('\n');
}

/** Control characters as pictures of themselves. */
const printable = (text) =>
  text
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421');

function payload(message, view) {
  if (view === 'hex' || message.text === undefined) return hex(bytes_of(message));
  if (view === 'json') {
    try {
      return JSON.stringify(JSON.parse(message.text), null, 2);
    } catch {
      return printable(message.text);
    }
  }
  return printable(message.text);
}

function Message({ message, view, move }) {
  const [open, set_open] = useState(false);
  const text = payload(message, open ? view : view === 'json' ? 'text' : view);
  return html`<tr data-position=${message.position}>
    <th scope="row" class="number"><button class="plain" aria-expanded=${open} onClick=${() => set_open(!open)}>
      ${open ? '▾' : '▸'} ${whole(message.position)}</button></th>
    <td class="number">${message.age_us === undefined ? '–' : span(message.age_us * 1000)}</td>
    <td class="number">${bytes(message.size)}</td>
    <td class="number">${message.deliveries ?? message.tries ?? '–'}</td>
    <td class="number">${message.holder ?? '–'}</td>
    <td class="payload"><pre class=${open ? 'open' : ''}>${open ? text : text.slice(0, 200).split('\n')[0]}</pre>
      ${open && message.cut ? html`<p class="quiet">cut: the message has ${bytes(message.size)}</p>` : null}
      ${
        open && message.properties
          ? html`<pre class="open quiet">${JSON.stringify(message.properties, null, 2)}</pre>`
          : null
      }
      ${open && move ? html`<button class="small" onClick=${() => move(message)}>Move …</button>` : null}</td>
  </tr>`;
}

function counted(found, { messages, next }) {
  if (!messages.length) return 'There are no messages here.';
  return `${found.length} of ${messages.length} messages${next === null ? ', the last ones' : ''}`;
}

export function Messages({ queue, groups, act, may_act }) {
  const [group, set_group] = useState('');
  const [from, set_from] = useState('');
  const [view, set_view] = useState('text');
  const [search, set_search] = useState('');
  const [shown, set_shown] = useState(null);
  const [error, set_error] = useState('');
  const load = async (position, before = []) => {
    try {
      const query = { count: k_page, ...(group ? { group } : {}), ...(position === '' ? {} : { from: position }) };
      const page = await get_messages(queue, query);
      set_shown({ messages: [...before, ...page.messages], next: page.next });
      set_error('');
    } catch (failure) {
      set_error(failure.message);
    }
  };
  const submit = (event) => {
    event.preventDefault();
    if (/^\d*$/.test(from.trim())) load(from.trim());
    else set_error('From: a position is a number');
  };
  const move = may_act && group ? (message) => act('move', { group, position: message.position }) : null;
  const wanted = search.toLowerCase();
  const found =
    shown?.messages.filter(
      (message) =>
        !wanted ||
        (message.text ?? hex(bytes_of(message))).toLowerCase().includes(wanted) ||
        JSON.stringify(message.properties ?? '')
          .toLowerCase()
          .includes(wanted),
    ) ?? [];
  return html`<section class="messages" aria-labelledby="messages-title">
    <h2 id="messages-title">Messages <span class="quiet">looked at, not taken</span></h2>
    <form class="tools" onSubmit=${submit}>
      <label>Of <select value=${group} onChange=${(event) => set_group(event.currentTarget.value)}>
        <option value="">the whole ring</option>${groups.map((name) => html`<option value=${name}>${name}</option>`)}
      </select></label>
      <label>From <input size="8" inputmode="numeric" placeholder="oldest" value=${from}
        onInput=${(event) => set_from(event.currentTarget.value)} /></label>
      <button class="main">${shown ? 'Look again' : 'Look'}</button>
      <span class="choice" role="group" aria-label="Show as">${k_views.map(
        ([id, name]) => html`<button type="button"
        aria-pressed=${view === id} onClick=${() => set_view(id)}>${name}</button>`,
      )}</span>
      <label>Search <input type="search" value=${search} onInput=${(event) => set_search(event.currentTarget.value)} /></label>
    </form>
    ${error ? html`<p class="error" role="alert">✖ ${error}</p>` : null}
    ${
      shown
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="Messages"><table>
      <thead><tr>${k_heads.map(column_head)}</tr></thead>
      <tbody>${found.map((message) => html`<${Message} key=${message.position} message=${message} view=${view}
        move=${move} />`)}</tbody>
      </table></div>
      <p class="quiet" role="status">${counted(found, shown)}${' '}${
        shown.next === null
          ? null
          : html`<button
        class="small" onClick=${() => load(String(shown.next), shown.messages)}>More</button>`
      }</p>`
        : null
    }
  </section>`;
}
