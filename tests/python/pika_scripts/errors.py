"""What fails, and how: the exceptions, their codes and texts."""
import os

import pika
from pika import exceptions
from pika.exceptions import AMQPChannelError, AMQPConnectionError, ChannelClosedByBroker

parameters = pika.ConnectionParameters("localhost", int(os.environ["AMQP_PORT"]))
connection = pika.BlockingConnection(parameters)


def attempt(what, call):
    try:
        result = call()
        print(what, "->", result)
    except Exception as error:
        kinds = [kind.__name__ for kind in (AMQPChannelError, AMQPConnectionError) if isinstance(error, kind)]
        code = getattr(error, "reply_code", "")
        print(what, "->", type(error).__name__, kinds, code, getattr(error, "reply_text", ""))


channel = connection.channel()
attempt("passive declare", lambda: channel.queue_declare("nowhere", passive=True))
print("open:", channel.is_open, channel.is_closed, connection.is_open)
attempt("use of a closed channel", lambda: channel.queue_declare("x"))
attempt("publish on a closed channel", lambda: channel.basic_publish("", "x", "y"))
attempt("close of a closed channel", channel.close)

channel = connection.channel()
attempt("consume", lambda: channel.basic_consume("nowhere", print))
channel = connection.channel()
attempt("get", lambda: channel.basic_get("nowhere"))
channel = connection.channel()
attempt("purge", lambda: channel.queue_purge("nowhere"))
channel = connection.channel()
attempt("bind a queue that is not there", lambda: channel.queue_bind("nowhere", "amq.fanout"))
channel = connection.channel()
channel.queue_declare("errors", exclusive=True)
attempt("bind to an exchange that is not there", lambda: channel.queue_bind("errors", "nowhere"))
channel = connection.channel()
attempt("delete of what is not there", lambda: channel.queue_delete("nowhere").method.message_count)

channel.basic_consume("errors", print, consumer_tag="one")
attempt("a second consumer of one tag", lambda: channel.basic_consume("errors", print, consumer_tag="one"))
attempt("delete of a used queue", lambda: channel.queue_delete("errors", if_unused=True))
channel = connection.channel()
channel.basic_publish("", "errors", "x")
attempt("delete of a queue with messages", lambda: channel.queue_delete("errors", if_empty=True))

other = pika.BlockingConnection(parameters)
locked = other.channel()
attempt("consume another connection's queue", lambda: locked.basic_consume("errors", print))
locked = other.channel()
attempt("declare another connection's queue", lambda: locked.queue_declare("errors", exclusive=True))
other.close()

channel = connection.channel()
channel.confirm_delivery()
attempt("publish to no queue", lambda: channel.basic_publish("", "nowhere", "x"))
attempt("mandatory to no queue", lambda: channel.basic_publish("", "nowhere", "x", mandatory=True))
try:
    channel.basic_publish("", "nowhere", "body", pika.BasicProperties(app_id="me"), mandatory=True)
except exceptions.UnroutableError as error:
    returned = error.messages[0]
    print(error, returned.method.reply_code, returned.method.reply_text, returned.method.routing_key, returned.body,
          returned.properties.app_id)
attempt("publish to a queue", lambda: channel.basic_publish("", "errors", "x", mandatory=True))
attempt("publish to no exchange", lambda: channel.basic_publish("nowhere", "", "x"))
channel = connection.channel()
attempt("a body that is no body", lambda: channel.basic_publish("", "errors", 5))
attempt("a callback that is none", lambda: channel.basic_consume("errors", "callback"))
attempt("a queue that is no name", lambda: channel.queue_declare(5))
returned = []
channel.add_on_return_callback(lambda ch, method, properties, body: returned.append((method.reply_text, body)))
channel.basic_publish("", "nowhere", "back", mandatory=True)
connection.sleep(0.2)
print("returned", returned)
channel.queue_delete("errors")
connection.close()
attempt("close of a closed connection", connection.close)
attempt("a channel of a closed connection", connection.channel)
for name in ("AMQPError", "AMQPConnectionError", "ConnectionClosed", "ConnectionClosedByBroker", "ConnectionWrongStateError",
             "ConnectionBlockedTimeout", "StreamLostError", "AMQPHeartbeatTimeout", "AMQPChannelError", "ChannelClosed",
             "ChannelClosedByBroker", "ChannelWrongStateError", "DuplicateConsumerTag", "ConsumerCancelled", "UnroutableError",
             "NackError", "ReentrancyError", "ProbableAuthenticationError", "IncompatibleProtocolError"):
    print(name, [base.__name__ for base in getattr(exceptions, name).__mro__[1:-1]])
