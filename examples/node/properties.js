// Requests that say where their answer goes, and answers that say what they answer. The server knows no client beforehand.
//
//   node properties.js serve
//   node properties.js ask QUESTION...
'use strict';

const beltway = require('beltway');

async function serve(link, questions) {
  const consumer = await questions.consumer({ group: 'servers' });
  process.once('SIGTERM', () => consumer.close());
  for await (const question of consumer) {
    const { replyTo, correlationId } = question.properties;
    try {
      const producer = await (await link.openQueue(replyTo)).producer(); // a real server keeps its producers
      await producer.publish(`you asked: ${question.text()}`, { correlationId, contentType: 'text/plain' });
      producer.close();
    } catch (error) {
      console.error(error.message); // whoever asked may be gone, and its queue with it
    }
    question.ack();
  }
}

async function ask(link, questions, texts) {
  const replyTo = `answers/${process.pid}`;
  // Exclusive: the queue ends with this process. Attached before the request.
  const answers = await (await link.declare(replyTo, { slots: 64, exclusive: true })).consumer({ follow: true });
  const producer = await questions.producer();
  for (const [i, text] of texts.entries()) await producer.publish(text, { correlationId: String(i), replyTo });
  for (let left = texts.length; left > 0; --left) {
    const answer = await answers.receive({ signal: AbortSignal.timeout(5000) });
    console.log(`${answer.properties.correlationId}: ${answer.text()}`);
  }
}

async function main() {
  const [role, ...texts] = process.argv.slice(2);
  const link = await beltway.connect();
  const questions = await link.declare('questions', { groups: ['servers'] });
  await (role === 'serve' ? serve(link, questions) : ask(link, questions, texts));
}

main();
