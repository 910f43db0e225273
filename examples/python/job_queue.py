"""A job queue with retries and dead letters: a job that fails is tried again after a pause. A job that failed three
times, or that its worker rejects, goes to another queue, with the reason. An operator looks at it there."""

import beltway


def work(job):
    name = job.text()
    if name == "not a job":
        job.reject()  # no later delivery can succeed
    elif name == "broken" or job.deliveries == 1:
        job.nack()  # again after 10 ms, then 20 ms
    else:
        print(f"{name}: done, delivery {job.deliveries}")
        job.ack()


def look_at(letter):
    with letter.process():
        why = letter.properties.dead_letter
        print(f"{letter.text()}: {why.reason} in {why.queue}/{why.group} after {why.deliveries} deliveries")


with beltway.connect() as link:
    failed = link.declare("job_queue/failed", groups=["operators"])
    workers = beltway.NamedGroup("workers", retry_delay=0.01, max_deliveries=3, dead_letter="job_queue/failed")
    jobs = link.declare("job_queue", slots=256, lane_bytes=16384, groups=[workers])
    with jobs.producer() as producer:
        producer.publish_many([b"broken", b"not a job", b"resize a.png"])
    # The stream ends after the jobs that wait for their next delivery.
    consumer = jobs.consumer(group="workers", end_of_stream="drained")
    for job in consumer:
        work(job)
    letters = failed.consumer(group="operators")
    for _ in range(consumer.counters().dead_lettered):
        look_at(letters.receive())
