// How old messages with a stamp were when they were received: bars for each group and private consumer.
import { span, whole } from './format.js';
import { html } from './view.js';

const k_bar_px = 18;
const k_height_px = 40;

/** The bound of a bucket, in nanoseconds: each is twice the one before. The last bucket has none. */
const bound_of = (bucket) => 1000 * 2 ** bucket;
const sum_of = (counts) => counts.reduce((sum, count) => sum + count, 0);

/** The buckets that any of them uses, as [first, end]. */
function used(all) {
  const is_used = (count, i) => all.some(({ counts }) => counts[i]);
  const { counts } = all[0];
  return [counts.findIndex(is_used), counts.findLastIndex(is_used) + 1];
}

const owner_of = ({ group, consumer }) => group ?? `consumer ${consumer}`;

function ages_of({ group, consumer }, state) {
  return group === null
    ? state.consumers.find((each) => each.index === consumer)?.ages
    : state.groups.find((each) => each.name === group)?.ages;
}

function Bars({ one, ages, first, end }) {
  const counts = one.counts.slice(first, end);
  const most = Math.max(1, ...counts);
  const us = (key) => span(ages && ages[`${key}_us`] * 1000);
  const told = `half within ${us('p50')}, 99 % within ${us('p99')}, all within ${us('max')}`;
  const age = (part, key) =>
    html`<span class="key">${part} <b class="number" data-field=${key}>${us(key)}</b></span>`;
  const label_of = (i) =>
    i + 1 === one.counts.length ? `older than ${span(bound_of(i - 1))}` : `within ${span(bound_of(i))}`;
  const label = `${owner_of(one)}: ${whole(sum_of(one.counts))} messages; ${told}`;
  return html`<figure class="chart" data-ages=${owner_of(one)}>
    <figcaption><b>${owner_of(one)}</b> ${age('half', 'p50')} ${age('99 %', 'p99')} ${age('all', 'max')}</figcaption>
    <svg class="bars" viewBox="0 0 ${counts.length * k_bar_px} ${k_height_px}" preserveAspectRatio="none" role="img"
      aria-label=${label}>
      ${counts.map((count, i) => {
        // A bucket with one message is seen beside one with a million.
        const height = count ? Math.max(2, (k_height_px * count) / most) : 0;
        return html`<rect x=${i * k_bar_px + 1} y=${k_height_px - height} width=${k_bar_px - 2} height=${height}
          data-count=${count}><title>${label_of(first + i)}: ${whole(count)}</title></rect>`;
      })}
    </svg>
    <p class="edges quiet" aria-hidden="true"><span>${label_of(first)}</span><span>${label_of(end - 1)}</span></p>
  </figure>`;
}

/** `counts`: age_counts of the queue. Nothing in a queue without stamps. */
export function Ages({ counts, state }) {
  if (!counts.length) return null;
  const [first, end] = used(counts);
  return html`<section aria-labelledby="ages-title">
    <h2 id="ages-title">Age when received</h2>
    <div class="pair">${counts.map(
      (one) => html`<${Bars} one=${one} ages=${ages_of(one, state)} first=${first} end=${end} />`,
    )}</div>
  </section>`;
}
