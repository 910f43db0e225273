// The first page: what is wrong, what flows, and a table of all queues.
//
// Rows are virtual: only those in sight exist, so thousands of queues sort and filter at once.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes, gravity, icon, rate, span, whole, words } from './format.js';
import { on_keys } from './keys.js';
import { Bar, html, Severity, Spark, Verdicts } from './view.js';

const k_row_px = 34;
const k_card_px = 66; // a row on a phone: two lines
const k_margin_rows = 8;
const k_told = 2; // troubles that stand in full above the table

// key: how a click on the head sorts, first from `down`.
const k_columns = [
  { id: 'trouble', head: 'State', value: (row) => gravity(row.verdicts), down: true },
  { id: 'name', head: 'Queue', value: (row) => row.name },
  { id: 'in', head: 'In/s', value: (row) => row.rates.in_per_s, down: true, number: true },
  { id: 'out', head: 'Out/s', value: (row) => row.rates.out_per_s, down: true, number: true },
  { id: 'used', head: 'Used', value: (row) => row.used / row.slots, down: true, number: true },
  { id: 'lag', head: 'Lag', value: (row) => row.lag, down: true, number: true },
  { id: 'age', head: 'Oldest', value: (row) => row.oldest_age_ns ?? -1, down: true, number: true },
  { id: 'ends', head: 'Prod/cons', value: (row) => row.producers + row.consumers, down: true, number: true },
];

const since_of = (row) => row.verdicts[0]?.since_ns ?? 0;

/** By the column; among equals by trouble, then by name. */
function sorted(rows, sort) {
  const column = k_columns.find((each) => each.id === sort.id);
  const sign = sort.down ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: column.value(row), grave: gravity(row.verdicts) }));
  keyed.sort((a, b) => {
    if (a.key !== b.key) return (a.key < b.key ? -1 : 1) * sign;
    if (a.grave !== b.grave) return b.grave - a.grave;
    if (sort.id === 'trouble' && since_of(a.row) !== since_of(b.row)) return since_of(b.row) - since_of(a.row);
    return a.row.name < b.row.name ? -1 : 1;
  });
  return keyed.map((each) => each.row);
}

/** Each word must stand in the name, a group, or a verdict. */
function matching(rows, filter) {
  const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return rows;
  return rows.filter((row) => {
    const text = [row.name, ...row.groups, ...row.verdicts.map(words)].join(' ').toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

function Head({ sort, set_sort }) {
  const click = (column) =>
    set_sort(sort.id === column.id ? { ...sort, down: !sort.down } : { id: column.id, down: Boolean(column.down) });
  return html`<div class="row head" role="row">
    ${k_columns.map((column) => {
      const is_sorted = sort.id === column.id;
      const order = sort.down ? 'descending' : 'ascending';
      const arrow = sort.down ? ' ▾' : ' ▴';
      return html`<div role="columnheader" class="cell ${column.id}" aria-sort=${is_sorted ? order : 'none'}>
        <button onClick=${() => click(column)}>${column.head}<span aria-hidden="true">${is_sorted ? arrow : ''}</span></button>
      </div>`;
    })}
    <div role="columnheader" class="cell spark-cell">Last minute</div>
    <div role="columnheader" class="cell why">Why</div>
  </div>`;
}

/** Its gravest verdict, without what the row says already. */
function why(row) {
  if (!row.verdicts.length) return row.readable ? '' : 'you may not read it';
  const text = words(row.verdicts[0]);
  const rest = row.verdicts.length > 1 ? ` (and ${row.verdicts.length - 1} more)` : '';
  const said = `${row.name} is `;
  return (text.startsWith(said) ? text.slice(said.length) : text) + rest;
}

const used_of = (row) => [
  html`<${Bar} used=${row.used} slots=${row.slots} />`,
  html`<span>${whole(row.used)}<span class="quiet">/${whole(row.slots)}</span></span>`,
];

function Row({ row, minute, index, top, selected }) {
  const verdict = row.verdicts[0];
  return html`<a class="row ${selected ? 'selected' : ''}" role="row" aria-rowindex=${index + 2}
    href=${`#/q/${encodeURIComponent(row.name)}`} style=${{ transform: `translateY(${top}px)` }}
    data-queue=${row.name} aria-selected=${selected}>
    <div role="cell" class="cell trouble"><${Severity} severity=${verdict?.severity} /></div>
    <div role="cell" class="cell name" title=${row.name}>${row.name}</div>
    <div role="cell" class="cell in">${rate(row.rates.in_per_s)}</div>
    <div role="cell" class="cell out">${rate(row.rates.out_per_s)}</div>
    <div role="cell" class="cell used">${row.readable ? used_of(row) : '–'}</div>
    <div role="cell" class="cell lag">${row.readable ? whole(row.lag) : '–'}</div>
    <div role="cell" class="cell age">${span(row.oldest_age_ns ?? row.delay_ns)}</div>
    <div role="cell" class="cell ends">${row.producers}<span class="quiet">/</span>${row.consumers}</div>
    <div role="cell" class="cell spark-cell"><${Spark} points=${minute ?? []} label="messages/s, last minute" /></div>
    <div role="cell" class="cell why" title=${why(row)}>${why(row)}</div>
  </a>`;
}

function Totals({ feed }) {
  const { head, rows } = feed;
  const counts = { trouble: 0, warning: 0 };
  for (const row of rows.values()) if (row.verdicts.length) counts[row.verdicts[0].severity] += 1;
  const figure = (id, name, value, minor) =>
    html`<div class="figure ${minor ? 'minor' : ''}" data-field=${id}><dt>${name}</dt><dd>${value}</dd></div>`;
  const grave = (name) =>
    counts[name] ? html`<span class=${name}><span aria-hidden="true">${icon(name)} </span>${counts[name]}</span>` : '0';
  return html`<dl class="figures">
    ${figure('queues', 'queues', whole(rows.size))}
    ${figure('troubles', 'in trouble', grave('trouble'))}
    ${figure('warnings', 'with a warning', grave('warning'))}
    ${figure('in', 'messages in/s', rate(head.rates.in_per_s))}
    ${figure('out', 'messages out/s', rate(head.rates.out_per_s))}
    ${figure('bytes', 'payload in/s', bytes(head.rates.bytes_in_per_s), true)}
    ${figure('memory', 'shared memory', bytes(head.shared_bytes), true)}
  </dl>`;
}

/** The gravest of all queues in full: what an operator came for. */
function Gravest({ rows }) {
  const grave = sorted(
    rows.filter((row) => gravity(row.verdicts) === 3),
    { id: 'trouble', down: true },
  );
  return html`<${Verdicts} label="The gravest troubles" verdicts=${grave.slice(0, k_told).map((row) => row.verdicts[0])} />`;
}

/** Where the scroller is, in rows. */
function use_window(scroller) {
  const [view, set_view] = useState({ top: 0, height: 600, row_px: k_row_px });
  useLayoutEffect(() => {
    const phone = matchMedia('(max-width: 640px)');
    const measure = () =>
      set_view({
        top: scroller.current.scrollTop,
        height: scroller.current.clientHeight,
        row_px: phone.matches ? k_card_px : k_row_px,
      });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    scroller.current.addEventListener('scroll', measure, { passive: true });
    return () => observer.disconnect();
  }, []);
  return view;
}

const no_queues = html`There are no queues. Make one: <code>beltway declare orders --group billing</code>`;

// Kept while a queue's page is open.
const kept = { sort: { id: 'trouble', down: true }, filter: '', selected: null, top: 0 };

export function Overview({ feed, version, live }) {
  const [sort, set_sort] = useState(kept.sort);
  const [filter, set_filter] = useState(kept.filter);
  const [selected, set_selected] = useState(kept.selected);
  Object.assign(kept, { sort, filter, selected });
  const scroller = useRef(null);
  const search = useRef(null);
  const view = use_window(scroller);
  const rows = useMemo(() => sorted(matching([...feed.rows.values()], filter), sort), [version, sort, filter]);
  useLayoutEffect(() => {
    scroller.current.scrollTop = kept.top;
    return () => (kept.top = scroller.current?.scrollTop ?? 0);
  }, []);

  // Not as of the last drawing: keys may come faster than that.
  const at = () => rows.findIndex((row) => row.name === kept.selected);
  const select = (index) => {
    if (!rows.length) return;
    const next = Math.max(0, Math.min(rows.length - 1, index));
    kept.selected = rows[next].name;
    set_selected(kept.selected);
    const top = next * view.row_px;
    if (top < scroller.current.scrollTop) scroller.current.scrollTop = top;
    if (top + view.row_px > scroller.current.scrollTop + view.height - view.row_px)
      scroller.current.scrollTop = top + 2 * view.row_px - view.height;
  };
  useEffect(() =>
    on_keys({
      j: () => select(at() + 1),
      ArrowDown: () => select(at() + 1),
      k: () => select(at() - 1),
      ArrowUp: () => select(at() - 1),
      g: () => select(0),
      G: () => select(rows.length - 1),
      Enter: () => at() >= 0 && (location.hash = `#/q/${encodeURIComponent(kept.selected)}`),
      '/': () => search.current.focus(),
      Escape: () => (filter ? set_filter('') : set_selected(null)),
    }),
  );

  const first = Math.max(0, Math.floor(view.top / view.row_px) - k_margin_rows);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.row_px) + k_margin_rows);
  return html`<main class="overview">
    <${Totals} feed=${feed} />
    <${Verdicts} verdicts=${feed.head.verdicts} label="The daemon and the machine" />
    <${Gravest} rows=${[...feed.rows.values()]} />
    <div class="tools">
      <label class="search"><span class="hidden">Filter the queues</span>
        <input ref=${search} type="search" placeholder="Filter by queue, group or trouble  ( / )" value=${filter}
          onInput=${(event) => set_filter(event.currentTarget.value)}
          onKeyDown=${(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
            if (event.key === 'Enter' && rows.length) {
              event.currentTarget.blur();
              select(0);
            }
          }} />
      </label>
      <label class="sort-choice">Sort by <select value=${sort.id} onChange=${(event) => {
        const column = k_columns.find((each) => each.id === event.currentTarget.value);
        set_sort({ id: column.id, down: Boolean(column.down) });
      }}>${k_columns.map((column) => html`<option value=${column.id}>${column.head}</option>`)}</select></label>
      <span class="quiet" role="status">${filter ? `${whole(rows.length)} of ${whole(feed.rows.size)} queues` : ''}</span>
    </div>
    <div class="table" role="table" aria-label="Queues" aria-rowcount=${rows.length + 1} aria-busy=${!live} ref=${scroller}
      tabindex="-1">
      <${Head} sort=${sort} set_sort=${set_sort} />
      <div class="rows" role="rowgroup" style=${{ height: `${rows.length * view.row_px}px` }}>
        ${rows.slice(first, last).map(
          (row, i) => html`<${Row} key=${row.name} row=${row} minute=${feed.minutes.get(row.name)}
          index=${first + i} top=${(first + i) * view.row_px} selected=${row.name === selected} />`,
        )}
      </div>
      ${rows.length ? null : html`<p class="empty">${feed.rows.size ? 'No queue matches the filter.' : no_queues}</p>`}
    </div>
  </main>`;
}
