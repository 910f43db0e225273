// The ring as a strip, from its oldest position to the latest, with the floor of each group below it.
import { whole } from './format.js';
import { html } from './view.js';

const k_looks = {
  free: 'free',
  claimed: 'being written',
  waiting: 'waits for a consumer',
  leased: 'held by a consumer',
  acknowledged: 'acknowledged',
  delayed: 'waits to be delivered again',
  parked: 'parked: held, and out of the way',
  voided: 'gap: its producer died',
  lane: 'waits, with its payload in a lane',
};

/** Neighbours that look the same, as [look, first, count]. */
function runs(cells) {
  const list = [];
  cells.forEach((look, i) => {
    const last = list.at(-1);
    if (last && last[0] === look) last[2] += 1;
    else list.push([look, i, 1]);
  });
  return list;
}

export function Ring({ strip, slots }) {
  const cells = strip.cells;
  const count = Math.max(1, cells.length);
  const counts = new Map();
  for (const look of cells) counts.set(look, (counts.get(look) ?? 0) + 1);
  const told = [...counts]
    .map(([look, number]) => `${Math.round((100 * number) / count)} % ${k_looks[look] ?? look}`)
    .join(', ');
  const left_of = (position) =>
    Math.max(0, Math.min(100, (100 * (position - strip.first + strip.never_used)) / (strip.slots_per_cell * count)));
  const per_cell = strip.slots_per_cell;
  const grain = per_cell > 1 ? `; a cell is ${per_cell.toFixed(per_cell % 1 ? 1 : 0)} slots` : '';
  const from = strip.never_used ? 'first lap' : `from position ${whole(strip.first)}`;
  return html`<section class="ring" aria-labelledby="ring-title">
    <h2 id="ring-title">Ring <span class="quiet">${whole(slots)} slots,${' '}
      <span data-field="from">${from}</span>${grain}</span></h2>
    <svg class="strip" viewBox="0 0 ${count} 10" preserveAspectRatio="none" role="img" aria-label="The ring: ${told}">
      ${runs(cells).map(
        ([look, first, number]) => html`<rect class="look ${look}" x=${first} y="0" width=${number}
        height="10"><title>${k_looks[look] ?? look}</title></rect>`,
      )}
    </svg>
    <div class="floors" aria-label="Floors">
      ${strip.floors.map(
        (floor) => html`<span class="floor" style=${{ '--at': `${left_of(floor.position)}%` }} data-field="floor">
        <i aria-hidden="true">▲</i><b>${floor.group || `consumer ${floor.consumer}`}</b></span>`,
      )}
    </div>
    <ul class="legend">${Object.entries(k_looks)
      .filter(([look]) => counts.has(look))
      .map(([look, text]) => html`<li><i class="swatch ${look}" aria-hidden="true"></i>${text}</li>`)}</ul>
  </section>`;
}
