"""A named producer: an import that is ended in the middle, and starts again from the beginning, stores nothing twice."""

import beltway


def import_lines(lines, last):
    """Publishes the lines 1 to `last` of a file that is always read from its beginning. Returns how many were stored before."""
    with lines.producer(name="importer") as producer:  # one process at a time has the name
        return sum(producer.publish(b"line %d" % line, sequence=line) is None for line in range(1, last + 1))


with beltway.connect() as link:
    lines = link.declare("lines")
    consumer = lines.consumer(follow=True)
    import_lines(lines, 60)  # the first run gets no further: its machine is short of power, say
    skipped = import_lines(lines, 100)
    print(f"{len(consumer.receive_many_bytes(1000))} lines received, {skipped} not stored again")
