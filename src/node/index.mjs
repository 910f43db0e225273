// Beltway for Node.js, as an ES module.
import beltway from './index.js';

export const { connect, BeltwayError, Connection, Consumer, Message, Producer, Queue, version } = beltway;
export default beltway;
