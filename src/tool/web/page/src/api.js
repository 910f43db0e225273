// Requests to the server. The token is this origin's own: no other port of the address can read it.
const k_token = 'beltway-token';

/** From the address, once; it leaves the address at once. Null: this browser has none. */
export function take_token() {
  const found = /^#([0-9a-f]{64})$/.exec(location.hash);
  if (found) {
    localStorage.setItem(k_token, found[1]);
    history.replaceState(null, '', '/');
  }
  return localStorage.getItem(k_token);
}

/** The answer's object. Throws an Error whose text is for the user. */
async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      ...options,
      headers: { 'X-Beltway-Token': localStorage.getItem(k_token), 'Content-Type': 'application/json' },
      cache: 'no-store',
    });
  } catch {
    throw new Error('beltway web does not answer');
  }
  const text = await answer.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(text.trim() || `status ${answer.status}`);
  }
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `status ${answer.status}`), { status: answer.status });
  return body;
}

const path_of = (queue) => `/api/queues/${encodeURIComponent(queue)}`;

export const get_queue = (queue, since_s) => ask(path_of(queue) + (since_s ? `?history_since=${since_s}` : ''));
export const get_messages = (queue, query) => ask(`${path_of(queue)}/messages?${new URLSearchParams(query)}`);
export const act = (queue, name, body) =>
  ask(`${path_of(queue)}/${name}`, { method: 'POST', body: JSON.stringify(body) });
