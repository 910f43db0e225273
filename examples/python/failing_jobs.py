"""Messages that fail: a job that fails is tried again after a pause, newer jobs go on meanwhile, and a job that never
succeeds is dropped and counted."""

import beltway


def work(job):
    name = job.text()
    print(f"{name}, delivery {job.deliveries}: ", end="")
    if name == "not a job":
        print("rejected")
        job.reject()  # no later delivery can succeed
    elif name == "broken":
        print("failed")
        job.nack()  # again after 10 ms, then 20 ms; after the third delivery it is dropped
    elif name == "server away" and job.deliveries == 1:
        print("later")
        job.nack(delay=0.1)  # again after this pause
    else:
        print("done")
        job.ack()


with beltway.connect() as link:
    workers = beltway.NamedGroup("workers", retry_delay=0.01, max_deliveries=3, discard=True)
    jobs = link.declare("failing_jobs", groups=[workers])
    with jobs.producer() as producer:
        producer.publish_many([b"broken", b"server away", b"not a job", b"good"])
    # A delayed message is not delivered yet: the stream ends after it.
    consumer = jobs.consumer(group="workers", end_of_stream="drained")
    for job in consumer:
        work(job)
    counters = consumer.counters()
    print(f"{counters.acks} done, {counters.discarded} dropped")
