"""Each example of the Python package runs and prints what it should."""

import signal
import subprocess
import sys

from support import SOURCES, DaemonTest, main

EXAMPLES = SOURCES / "examples/python"

# By other tests: pattern programs.
ELSEWHERE = {"hello_send.py", "hello_receive.py", "hello_asyncio.py"}

PRINTS = {
    "broadcast.py": "first saw 10, lost 0\nsecond saw 10, lost 0\nfirst saw 10, lost 0\nsecond saw 10, lost 0\n"
                    r"tap saw \d+, lost \d+\na full queue takes one more: False\n",
    "newest_value.py": r"drawn \d+, skipped \d+, the last value is 2000\n",
    "failing_jobs.py": r"(.|\n)*2 done, 2 dropped\n",
    "job_queue.py": r"resize a.png: done, delivery 2\n(not a job: rejected in job_queue/workers after 1 deliveries\n|"
                    r"broken: too_many_deliveries in job_queue/workers after 3 deliveries\n){2}",
    "long_jobs.py": r"1000 jobs done, \d+ of them beside the long one\n",
    "thread_pool.py": "sum: 50005000\n",
    "image_loan.py": "30 of 30 images arrived as drawn\n",
    "resumed_import.py": "100 lines received, 60 not stored again\n",
    "typed_messages.py": "100 orders published\n100 orders received, the last is 100, all cost 950.0\n",
    "event_loop.py": "10 events through a ring of 4\n",
    "aio_server.py": "CLIENT 0, CLIENT 1, CLIENT 2, CLIENT 3, CLIENT 4\n",
}


class Examples(DaemonTest):
    def run_example(self, name, *arguments):
        done = subprocess.run([sys.executable, EXAMPLES / name, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def start_example(self, name, *arguments):
        child = subprocess.Popen([sys.executable, "-u", EXAMPLES / name, *arguments], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (child.kill(), child.wait(), child.stdout.close()))
        return child

    def test_each_example_prints_what_it_should(self):
        for name, pattern in PRINTS.items():
            with self.subTest(name):
                self.assertRegex(self.run_example(name), "^" + pattern + "$")

    def test_each_example_has_a_test_and_is_short(self):
        names = {each.name for each in EXAMPLES.glob("*.py")} - ELSEWHERE
        self.assertEqual(names, set(PRINTS) | {"work_queue.py", "properties.py", "graceful_shutdown.py"})
        for name in names:
            lines = (EXAMPLES / name).read_text().splitlines()
            self.assertLess(len(lines), 60, name)
            self.assertTrue(lines[0].startswith('"""'), name)
            self.assertLessEqual(max(map(len, lines)), 130, name)

    def test_program_of_the_readme_runs(self):
        block = (SOURCES / "README.md").read_text().split("```python\n")[1]
        self.assertEqual(self.run_python(block[:block.index("```")]), "one order\n")

    def test_programs_of_the_guide_run(self):
        blocks = (SOURCES / "examples/PYTHON.md").read_text().split("```python\n")[1:]
        first, images, asynchronous = [block[:block.index("```")] for block in blocks]
        self.assertEqual(self.run_python(first), "one order\n")
        before = "import beltway, numpy\nlink = beltway.connect()\nimage = numpy.ones((300, 200, 4), 'u1')\n" \
                 "queue = link.declare('guide')\nconsumer, producer = queue.consumer(), queue.producer()\n"
        self.assertEqual(self.run_python(before + images + "print((seen == image).all())"), "True\n")
        body = "".join(f"    {line}\n" for line in asynchronous.splitlines()[2:])
        ended = body.replace("...", "return print(message.text())")
        program = f"import asyncio\nfrom beltway import aio\nasync def main():\n{ended}\nasyncio.run(main())"
        self.assertEqual(self.run_python(program), "one order\n")

    def test_work_queue_does_each_job_once(self):
        workers = [self.start_example("work_queue.py", "work") for _ in range(2)]
        self.run_example("work_queue.py", "submit", "100")
        lines = "".join(worker.communicate(timeout=60)[0] for worker in workers).splitlines()
        done = sorted(int(line.split()[-1]) for line in lines if line.startswith("done"))
        self.assertEqual(done, list(range(1, 101)))
        self.assertEqual(len([line for line in lines if line.startswith("failed")]), 10)

    def test_work_queue_ends_by_sigterm(self):
        worker = self.start_example("work_queue.py", "work")
        self.link.declare("jobs", groups=["workers"]).producer().publish(b"job 1")
        self.assertEqual(worker.stdout.readline(), "done job 1\n")  # so it has said what it does at SIGTERM
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(20), 0)

    def test_server_answers_questions(self):
        server = self.start_example("properties.py", "serve")
        text = self.run_example("properties.py", "ask", "one", "two")
        self.assertEqual(sorted(text.splitlines()), ["0: you asked: one", "1: you asked: two"])
        server.terminate()
        server.wait(20)

    def test_worker_leaves_in_order(self):
        worker = self.start_example("graceful_shutdown.py")
        queue = self.link.declare("long-jobs", groups=["workers"])
        queue.producer().publish_many([b"job %d" % i for i in range(5)])
        self.assertRegex(worker.stdout.readline(), "done job")
        worker.send_signal(signal.SIGTERM)
        self.assertTrue(worker.stdout.read().endswith("left in order\n"))
        self.assertEqual(worker.wait(20), 0)


if __name__ == "__main__":
    main()
