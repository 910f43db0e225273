// Hello World with callbacks: each call takes a function (error, result) as its last argument.
//
//   NODE_PATH=build/release/node_modules node examples/node/callback.js
'use strict';

const beltway = require('beltway');

function check(error) {
  if (error) throw error;
}

beltway.connect((error, link) => {
  check(error);
  link.declare('hello-callback', { groups: ['listeners'] }, (error, queue) => {
    check(error);
    queue.consumer({ group: 'listeners' }, (error, consumer) => {
      check(error);
      consumer.consume((error, message) => {
        check(error);
        if (message === null) return; // the consumer was closed
        console.log(`received ${message.text()}`);
        message.ack();
        consumer.close();
      });
    });
    queue.producer((error, producer) => {
      check(error);
      producer.publish('Hello World!', (error) => {
        check(error);
        console.log('sent Hello World!');
      });
    });
  });
});
