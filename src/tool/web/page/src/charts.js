// Rates and lag over time, up to an hour.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { rate, span, whole } from './format.js';
import { html } from './view.js';

const k_ranges = [
  ['1 min', 60],
  ['10 min', 600],
  ['1 h', 3600],
];
const k_height_px = 140;

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function options(width, series, write) {
  const clock = new Intl.DateTimeFormat(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const axis = {
    stroke: color('quiet'),
    grid: { stroke: color('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  };
  return {
    width,
    height: k_height_px,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (plot, low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, space: 80, size: 26, values: (plot, ticks) => ticks.map((s) => clock.format(s * 1000)) },
      { ...axis, size: 56, values: (plot, ticks) => ticks.map(write) },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: color(one.color),
        width: 1.5,
        dash: one.dash,
        points: { show: false },
      })),
    ],
  };
}

const key_of = (one, value) =>
  html`<span class="key"><i class="line ${one.color}" aria-hidden="true"></i>${one.label} <b class="number">${value}</b></span>`;

/** "Lag, 60 points: messages 0 to 12": what a screen reader has instead of the lines. */
function told(title, series, data, write) {
  const one = ({ label }, i) => {
    const values = data[i + 1];
    return values.length ? `${label} ${write(Math.min(...values))} to ${write(Math.max(...values))}` : label;
  };
  return `${title}, ${data[0].length} points: ${series.map(one).join(', ')}`;
}

/** `data`: [times, values of each series...]. What the pointer is at stands in the caption. */
function Chart({ title, series, data, write }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [at, set_at] = useState(null);
  useLayoutEffect(() => {
    const make = () => {
      plot.current?.destroy();
      const settings = options(box.current.clientWidth, series, write);
      settings.hooks = { setCursor: [(one) => set_at(one.cursor.idx ?? null)] };
      plot.current = new uPlot(settings, data, box.current);
    };
    make();
    const observer = new ResizeObserver(() =>
      plot.current.setSize({ width: box.current.clientWidth, height: k_height_px }),
    );
    observer.observe(box.current);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', make);
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current.setData(data), [data]);
  const index = at !== null && at < data[0].length ? at : data[0].length - 1;
  return html`<figure class="chart">
    <figcaption>
      <b>${title}</b> ${series.map((one, i) => key_of(one, index >= 0 ? write(data[i + 1][index]) : '–'))}
    </figcaption>
    <div ref=${box} role="img" aria-label=${told(title, series, data, write)}></div>
  </figure>`;
}

/** `history`: [{at_s, in_per_s, out_per_s, lag, oldest_age_s}, ...]. */
export function Charts({ history, has_ages }) {
  const [range_s, set_range] = useState(60);
  const from = (history.at(-1)?.at_s ?? 0) - range_s;
  const points = history.filter((point) => point.at_s > from);
  const column = (key) => points.map((point) => point[key]);
  const times = column('at_s');
  return html`<section class="charts" aria-labelledby="charts-title">
    <h2 id="charts-title">Past <span class="choice" role="group" aria-label="Range">${k_ranges.map(
      ([text, seconds]) => html`<button
      aria-pressed=${seconds === range_s} onClick=${() => set_range(seconds)}>${text}</button>`,
    )}</span></h2>
    <div class="pair">
      <${Chart} title="Messages/s" write=${rate} data=${[times, column('in_per_s'), column('out_per_s')]}
        series=${[
          { label: 'in', color: 'accent' },
          { label: 'out', color: 'second', dash: [5, 3] },
        ]} />
      <${Chart} title="Lag" write=${whole} data=${[times, column('lag')]} series=${[{ label: 'messages', color: 'accent' }]} />
      ${
        has_ages
          ? html`<${Chart} title="Oldest" write=${(s) => span(s * 1e9)} data=${[times, column('oldest_age_s')]}
        series=${[{ label: 'age', color: 'accent' }]} />`
          : null
      }
    </div>
  </section>`;
}
