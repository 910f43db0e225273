"""Long jobs beside short ones: a job of a second stops neither the other workers nor the producer, though the ring has
16 slots only. The workers are processes of their own. Each makes its own connection."""

import multiprocessing
import time

import beltway

JOBS = 1000


def work(name, done, long_job_runs, beside):
    # The default prefetch is right for jobs: a worker leases only the job that it receives.
    with beltway.connect() as link:
        jobs = link.open_queue(name)
        for job in jobs.consumer(group="workers", end_of_stream="after_producer"):
            with job.process():
                if job.bytes() == b"long":
                    long_job_runs.value = True
                    time.sleep(1)
                    long_job_runs.value = False
                elif long_job_runs.value:
                    with beside.get_lock():
                        beside.value += 1
            with done.get_lock():
                done.value += 1


def main():
    start = multiprocessing.get_context("spawn")  # a forked worker could not use objects of its parent
    done, long_job_runs, beside = start.Value("i"), start.Value("b"), start.Value("i")
    with beltway.connect() as link:
        jobs = link.declare("long_jobs", slots=16, groups=["workers"])
        workers = [start.Process(target=work, args=(jobs.name, done, long_job_runs, beside)) for _ in range(2)]
        for worker in workers:
            worker.start()
        jobs.wait_for_consumers(2, timeout=60)
        with jobs.producer() as producer:
            # Waits only while the workers are busy.
            producer.publish_many(b"long" if i == 10 else b"short" for i in range(JOBS))
        for worker in workers:
            worker.join()
    print(f"{done.value} jobs done, {beside.value} of them beside the long one")


if __name__ == "__main__":
    main()
