"""Newest value only: a sensor publishes faster than the display draws. The display draws the newest value each time,
and the sensor never waits for it."""

import threading
import time

import beltway

VALUES = 2000


def measure(producer):
    with producer:
        for value in range(1, VALUES + 1):
            producer.publish(str(value).encode())
            time.sleep(20e-6)


with beltway.connect() as link:
    speed = link.declare("speed", slots=16, max_producers=1)
    display = speed.consumer(lossy=True, conflate=True)
    threading.Thread(target=measure, args=(speed.producer(),)).start()
    drawn = skipped = 0
    for value in display:  # until the sensor has gone
        shown = value.text()
        skipped += value.lost
        drawn += 1
        time.sleep(1e-3)  # drawing takes its time
    print(f"drawn {drawn}, skipped {skipped}, the last value is {shown}")
    assert drawn + skipped == VALUES
