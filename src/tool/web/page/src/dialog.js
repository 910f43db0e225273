// Questions before an act, and the help.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './view.js';

function Dialog({ title, on_close, children }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} onClose=${on_close} aria-label=${title}>
    <h2>${title}</h2>
    ${children}
  </dialog>`;
}

/**
 * Asks before an act. `question`: {title, text, fields: [{id, label, value, hint, options}], confirm, danger,
 * type_name, run(values)}.
 * With `type_name` that name must be typed first.
 */
export function Question({ question, on_done }) {
  const fields = question.fields ?? [];
  const [values, set_values] = useState(Object.fromEntries(fields.map((field) => [field.id, field.value ?? ''])));
  const [typed, set_typed] = useState('');
  const [error, set_error] = useState('');
  const [busy, set_busy] = useState(false);
  const ready = !busy && (!question.type_name || typed === question.type_name);
  const submit = async (event) => {
    event.preventDefault();
    if (!ready) return;
    set_busy(true);
    set_error('');
    try {
      on_done((await question.run(values)).text);
    } catch (failure) {
      set_error(failure.message);
      set_busy(false);
    }
  };
  const change = (id) => (event) => set_values({ ...values, [id]: event.currentTarget.value });
  return html`<${Dialog} title=${question.title} on_close=${() => on_done(null)}>
    <form onSubmit=${submit}>
      <p>${question.text}</p>
      ${fields.map(
        (field) => html`<label class="field">${field.label}
        ${
          field.options
            ? html`<select value=${values[field.id]} onChange=${change(field.id)}>
                ${field.options.map((each) => html`<option value=${each}>${each}</option>`)}</select>`
            : html`<input value=${values[field.id]} onInput=${change(field.id)} placeholder=${field.hint ?? ''}
                autocomplete="off" />`
        }
      </label>`,
      )}
      ${
        question.type_name
          ? html`<label class="field">Type the queue's name, <b>${question.type_name}</b>
        <input name="confirm" value=${typed} onInput=${(event) => set_typed(event.currentTarget.value)}
          autocomplete="off" /></label>`
          : null
      }
      ${error ? html`<p class="error" role="alert">✖ ${error}</p>` : null}
      <div class="buttons">
        <button type="button" onClick=${() => on_done(null)}>Cancel</button>
        <button class=${question.danger ? 'danger' : 'main'} disabled=${!ready}>
          ${busy ? 'Working …' : question.confirm}
        </button>
      </div>
    </form>
  <//>`;
}

const k_keys = [
  ['j, k', 'the next, the previous queue (also ↓ ↑)'],
  ['g, G', 'the first, the last queue'],
  ['Enter', 'open the queue'],
  ['/', 'filter the queues'],
  ['Esc', 'back; clear the filter'],
  ['?', 'this help'],
];
const k_terms = [
  ['Used', 'slots that the slowest reliable group still needs, of all slots; a full ring makes producers wait'],
  ['In/s, Out/s', 'throughput N/T: messages N in a time T'],
  ['Delay', 'delay N/R: messages N that wait, divided by the rate R of receipt'],
  ['Age when received', 'a bar stands for twice the age of the one before'],
  ['Lag', 'messages that the slowest group or private consumer has not acknowledged yet'],
  ['Oldest', 'the age of the oldest unfinished message; without stamps, lag divided by the rate of receipt'],
  ['Floor', 'the first position that a group still needs: producers cannot pass it by more than a lap'],
  ['Leased', 'held by a consumer that has not acknowledged it yet'],
  ['Parked', 'held or delayed for long, and out of the way: producers go around it'],
  ['Busy', 'the share of time in which a consumer or producer does not wait'],
];

export function Help({ on_close }) {
  const list = (rows) =>
    html`<dl class="help">${rows.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>`;
  return html`<${Dialog} title="Help" on_close=${on_close}>
    <h3>Keys</h3>${list(k_keys)}<h3>Terms</h3>${list(k_terms)}
    <div class="buttons"><button class="main" onClick=${on_close}>Close</button></div>
  <//>`;
}
