// What the parts of the page share: htm bound to preact, and small pieces.
import { h } from 'preact';
import htm from 'htm';
import { icon, span, words } from './format.js';

export const html = htm.bind(h);

/** "✖ trouble": never by colour alone. */
export function Severity({ severity, text }) {
  const name = severity ?? 'ok';
  return html`<span class="severity ${name}"><span aria-hidden="true">${icon(severity)}</span> ${text ?? name}</span>`;
}

export function Copy({ text }) {
  const copy = async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  };
  return html`<button class="small" onClick=${copy} aria-label="Copy the command ${text}">Copy</button>`;
}

/** One finding in full, with the commands that mend it. */
export function Verdict({ verdict }) {
  // What was seen for a moment only, and was there before, says nothing of how long it has lasted. Or the words say it.
  const told = words(verdict);
  const since = (verdict.since_is_least && verdict.since_ns < 1e9) || /ed for \d/.test(told) ? 0 : verdict.since_ns;
  return html`<li class="verdict ${verdict.severity}">
    <p>
      <${Severity} severity=${verdict.severity} />
      <span class="words">${told}</span>${' '}
      ${since ? html`<span class="quiet"> for ${verdict.since_is_least ? 'at least ' : ''}${span(since)}</span>` : null}
    </p>
    ${(verdict.remedies ?? []).map(
      (remedy) => html`<p class="remedy"><code>${remedy.command}</code><${Copy} text=${remedy.command} />
        <span class="quiet">${remedy.effect}</span></p>`,
    )}
  </li>`;
}

/** The head of a table's column; a name that begins with ">" has numbers below it. */
export const column_head = (head) =>
  html`<th scope="col" class=${head.startsWith('>') ? 'number' : ''}>${head.replace('>', '')}</th>`;

export function Verdicts({ verdicts, label }) {
  if (!verdicts.length) return null;
  return html`<ul class="verdicts" aria-label=${label}>${verdicts.map((each) => html`<${Verdict} verdict=${each} />`)}</ul>`;
}

/** The last minute as a line. `points`: [[in, out, lag], ...]. */
export function Spark({ points, label }) {
  const width = 120;
  const height = 22;
  const values = points.map((point) => point[0]);
  const most = Math.max(1e-9, ...values);
  const at = (value, i) =>
    `${(width - (values.length - 1 - i) * (width / 59)).toFixed(1)},${(height - 1 - (value / most) * (height - 3)).toFixed(1)}`;
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label=${label}>
    <polyline points=${values.map(at).join(' ')} />
  </svg>`;
}

/** How full the ring is. */
export function Bar({ used, slots }) {
  const part = Math.min(1, used / Math.max(1, slots));
  const full = part >= 0.95 ? 'full' : '';
  return html`<span class="bar ${full}" aria-hidden="true"><i style=${{ width: `${100 * part}%` }}></i></span>`;
}
