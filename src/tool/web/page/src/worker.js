// One stream for all tabs of a browser: it opens only six connections to an address, so eight tabs could not have one each.
import { Feed, Stream } from './feed.js';

const ports = new Set();
let feed = new Feed();
let stream = null;
let state = 'lost';

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function begin(token) {
  if (stream && stream.token === token && state !== 'refused') return;
  stream?.stop();
  feed = new Feed();
  state = 'lost';
  stream = new Stream(
    token,
    (event) => {
      feed.apply(event);
      tell({ event });
    },
    (now) => {
      state = now;
      tell({ state });
    },
  );
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.bye) {
      ports.delete(port);
      if (ports.size === 0) {
        stream?.stop();
        stream = null;
      }
      return;
    }
    begin(data.token);
    ports.add(port);
    if (feed.head) port.postMessage({ event: feed.whole() });
    port.postMessage({ state });
  };
};
