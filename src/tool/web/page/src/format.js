// Numbers, times and sizes as the page writes them.

/** 12345678 as "12 345 678", with narrow spaces that do not break. */
export function whole(number) {
  if (number === null || number === undefined) return '–';
  return Math.round(number)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

function scaled(value, units, step) {
  let at = 0;
  while (Math.abs(value) >= step && at + 1 < units.length) {
    value /= step;
    at += 1;
  }
  const digits = at === 0 && Number.isInteger(value) ? 0 : Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}\u202f${units[at]}`.trim();
}

/** Of messages a second: "0", "0.4", "12.3 k". */
export function rate(value) {
  if (!value) return '0';
  if (value < 10) return value.toFixed(1);
  return value < 1000 ? value.toFixed(0) : scaled(value, ['', 'k', 'M', 'G'], 1000);
}

export const bytes = (value) => scaled(value, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);

/** A time in nanoseconds, in one or two units: "340 µs", "12 s", "3 min 5 s". */
export function span(ns) {
  if (ns === null || ns === undefined) return '–';
  if (ns === 0) return '0';
  if (ns < 1e3) return `${Math.round(ns)}\u202fns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(ns < 1e4 ? 1 : 0)}\u202fµs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(ns < 1e7 ? 1 : 0)}\u202fms`;
  const s = ns / 1e9;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : s.toFixed(0)}\u202fs`;
  const whole_s = Math.floor(s);
  if (s < 3600) return `${Math.floor(whole_s / 60)}\u202fmin ${whole_s % 60}\u202fs`;
  if (s < 86400) return `${Math.floor(whole_s / 3600)}\u202fh ${Math.floor((whole_s % 3600) / 60)}\u202fmin`;
  return `${Math.floor(whole_s / 86400)}\u202fd ${Math.floor((whole_s % 86400) / 3600)}\u202fh`;
}

export const share = (value) => `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)}\u202f%`;

/** The words of a verdict, as `beltway doctor` prints them, without its remedy. */
export function words(verdict) {
  let text = verdict.subject;
  if (verdict.cause) text += `: ${verdict.cause}`;
  for (const part of [verdict.evidence, verdict.forecast]) if (part) text += `; ${part}`;
  return text;
}

const k_severities = ['note', 'warning', 'trouble'];
const k_icons = { note: '•', warning: '▲', trouble: '✖' };

/** 0: nothing, 3: trouble. */
export const gravity = (verdicts) => (verdicts.length ? k_severities.indexOf(verdicts[0].severity) + 1 : 0);
export const icon = (severity) => k_icons[severity] ?? '✓';
