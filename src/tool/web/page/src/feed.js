// The live state of all queues, and the stream that brings it.
//
// A stream's first event is the whole state; each later one has the rows that changed. Feed merges them. Stream reads them, and
// comes back after each end.

const k_minute = 60;
const k_first_pause_ms = 500;
const k_longest_pause_ms = 5000;
// The server tells something each second, even if nothing has changed.
const k_silence_ms = 8000;

/** The queues as the last event left them. */
export class Feed {
  constructor() {
    this.head = null;
    this.rows = new Map();
    this.minutes = new Map();
  }

  apply(event) {
    const { rows, gone, minutes, whole, ...head } = event;
    this.head = head;
    if (whole) {
      this.rows.clear();
      this.minutes = new Map(Object.entries(minutes));
    }
    for (const row of rows) this.rows.set(row.name, row);
    for (const name of gone) {
      this.rows.delete(name);
      this.minutes.delete(name);
    }
    if (!whole) this.add_second();
  }

  // An unchanged row still is a second more of its minute.
  add_second() {
    for (const [name, row] of this.rows) {
      let minute = this.minutes.get(name);
      if (!minute) this.minutes.set(name, (minute = []));
      minute.push([row.rates.in_per_s, row.rates.out_per_s, row.lag]);
      if (minute.length > k_minute) minute.shift();
    }
  }

  /** An event that gives all of it to a new reader. */
  whole() {
    return {
      ...this.head,
      whole: true,
      rows: [...this.rows.values()],
      gone: [],
      minutes: Object.fromEntries(this.minutes),
    };
  }
}

/** Reads /api/events with the token, for ever. Calls on_event({...}) and on_state("live" | "lost" | "refused"). */
export class Stream {
  constructor(token, on_event, on_state) {
    this.token = token;
    this.on_event = on_event;
    this.on_state = on_state;
    this.stopper = new AbortController();
    this.run();
  }

  stop() {
    this.stopped = true;
    this.stopper.abort();
  }

  async run() {
    let pause = k_first_pause_ms;
    while (!this.stopped) {
      let came = false;
      try {
        const status = await this.read_once(() => (came = true));
        if (status === 401) return this.on_state('refused');
      } catch {
        // The server is gone, or was silent: told below.
      }
      if (this.stopped) return;
      this.on_state('lost');
      pause = came ? k_first_pause_ms : Math.min(2 * pause, k_longest_pause_ms);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Until the stream ends. Returns the status of an answer that is no stream. */
  async read_once(on_first) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    this.stopper.signal.addEventListener('abort', abort);
    let timer = setTimeout(abort, k_silence_ms);
    try {
      const answer = await fetch('/api/events', {
        headers: { 'X-Beltway-Token': this.token },
        signal: attempt.signal,
        cache: 'no-store',
      });
      if (!answer.ok) return answer.status;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return 0;
        clearTimeout(timer);
        timer = setTimeout(abort, k_silence_ms);
        text = this.take_events(text + value, on_first);
      }
    } finally {
      clearTimeout(timer);
      this.stopper.signal.removeEventListener('abort', abort);
    }
  }

  /** Tells the events of `text` that are whole; returns the rest. */
  take_events(text, on_first) {
    const parts = text.split('\n\n');
    const rest = parts.pop();
    for (const part of parts) {
      on_first();
      this.on_event(JSON.parse(part.slice('data: '.length)));
      this.on_state('live');
    }
    return rest;
  }
}
