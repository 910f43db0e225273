"""A work queue: each job goes to one worker, and is gone only when that worker acknowledges it. Start as many workers
as you like; kill one in the middle of a job, and another gets the job again.

    work_queue.py submit COUNT
    work_queue.py work
"""

import signal
import sys

import beltway


def submit(jobs, count):
    jobs.producer().publish_many(b"job %d" % i for i in range(1, count + 1))


def work(jobs):
    # A worker leases only the job that it receives: the others stay for workers that have time.
    consumer = jobs.consumer(group="workers")
    signal.signal(signal.SIGTERM, lambda *_: consumer.interrupt())  # the job in hand is finished first
    try:
        while (job := consumer.receive(timeout=1)) is not None:
            # The first try of every tenth job goes wrong here, to show what happens then.
            try:
                with job.process():  # acknowledges at its end; an exception gives the job back
                    if job.text().endswith("0") and job.deliveries == 1:
                        raise RuntimeError("failed " + job.text())
                    print("done", job.text(), flush=True)
            except RuntimeError as error:
                print(error, flush=True)
    except (KeyboardInterrupt, beltway.Interrupted):
        pass


if __name__ == "__main__":
    with beltway.connect() as link:
        queue = link.declare("jobs", groups=["workers"])
        if sys.argv[1:2] == ["submit"] and len(sys.argv) == 3:
            submit(queue, int(sys.argv[2]))
        elif sys.argv[1:] == ["work"]:
            work(queue)
        else:
            sys.exit("usage: work_queue.py submit COUNT | work_queue.py work")
