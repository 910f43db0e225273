"""Requests that say where their answer goes, and answers that say what they answer. The server knows no client beforehand.

    properties.py serve
    properties.py ask QUESTION...
"""

import os
import sys

import beltway


def serve(link, questions):
    for question in questions.consumer(group="servers"):
        with question.process():
            asked = question.properties
            try:
                answers = link.open_queue(asked.reply_to)
            except beltway.NotFound:
                continue  # whoever asked is gone, and its queue with it
            answer = beltway.Properties(
                correlation_id=asked.correlation_id, content_type="text/plain", trace_id=asked.trace_id,
                publish_time="now")
            answers.producer().publish_parts([b"you asked: ", question], properties=answer)


def ask(link, questions, texts):
    mine = f"answers/{os.getpid()}"
    # Exclusive: the queue ends with this process.
    answers = link.declare(mine, slots=64, exclusive=True).consumer(follow=True)
    producer = questions.producer()
    for number, text in enumerate(texts):
        asked = beltway.Properties(correlation_id=str(number), reply_to=mine, content_type="text/plain")
        producer.publish(text.encode(), properties=asked)
    for _ in texts:
        answer = answers.receive(timeout=5)
        if answer is None:
            sys.exit("no server answers")
        print(f"{answer.properties.correlation_id}: {answer.text()}")


if __name__ == "__main__":
    with beltway.connect() as link:
        queue = link.declare("questions", groups=["servers"])
        if sys.argv[1:] == ["serve"]:
            serve(link, queue)
        else:
            ask(link, queue, sys.argv[2:])
