"""The package works as it is installed: by cmake, as a wheel, and from the build folder; each finds its daemon."""

import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest
import zipfile

from support import SOURCES, main

BUILD = pathlib.Path(os.environ["BELTWAY_TEST_BUILD"])

PROGRAM = """
import beltway, sys
with beltway.connect() as link:
    queue = link.declare("orders", groups=["workers"])
    queue.producer().publish(b"one order")
    print(queue.consumer(group="workers").receive_bytes(10).decode())
    print(beltway.__file__)
    print(link.ping().pid)
"""


@unittest.skipIf("BELTWAY_TEST_SANITIZED" in os.environ, "nobody installs what is built for tests")
class Package(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="beltway-package-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def run_command(self, *command, **options):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def check_package(self, packages):
        """A program imports the package from that folder, and starts the daemon that was installed with it."""
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages), "XDG_RUNTIME_DIR": self.folder.name,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        os.chmod(self.path, 0o700)
        text, file, pid = self.run_command(sys.executable, "-c", PROGRAM, env=environment, cwd="/").splitlines()
        try:
            self.assertEqual(text, "one order")
            self.assertEqual(pathlib.Path(file).parent, packages / "beltway")
            return pathlib.Path(os.readlink(f"/proc/{pid}/exe"))
        finally:
            self.end_daemon(int(pid))

    def end_daemon(self, pid):
        """Ends the daemon and waits for it, and for the process that keeps it."""
        keeper = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        watched = [os.pidfd_open(each) for each in {pid, keeper} - {1}]
        os.kill(pid, signal.SIGTERM)
        for each in watched:
            self.assertTrue(select.select([each], [], [], 20)[0], "the daemon does not end")
            os.close(each)

    def test_package_works_from_the_build_folder(self):
        daemon = self.check_package(BUILD / "python")
        self.assertEqual(daemon, BUILD / "bin/beltwayd")

    def test_package_works_as_cmake_installs_it(self):
        prefix = self.path / "prefix"
        for component in ("python", "daemon"):
            self.run_command("cmake", "--install", str(BUILD), "--prefix", str(prefix), "--component", component)
        daemon = self.check_package(prefix / "lib/python3/dist-packages")
        self.assertEqual(daemon, prefix / "bin/beltwayd")

    def test_package_works_as_a_wheel_with_its_daemon_inside(self):
        try:
            import build  # noqa: F401
        except ImportError:
            self.skipTest("python3-build is not installed")
        # A copy: a build writes beside its sources. Only what setup.py reads is needed with a build folder that exists.
        copy = self.path / "source"
        for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "examples/PYTHON.md", "include/beltway/version.hpp"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((SOURCES / name).read_bytes())
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder.name, "BELTWAY_BUILD_DIR": str(BUILD)}
        self.run_command(sys.executable, "-m", "build", "--no-isolation", "--wheel", str(copy), env=environment)
        [wheel] = (copy / "dist").glob("*.whl")
        self.assertRegex(wheel.name, r"^beltway-[0-9.]+-cp311-abi3-linux_.*\.whl$")
        packages = self.path / "packages"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
            for each in archive.infolist():
                os.chmod(packages / each.filename, each.external_attr >> 16)
        daemon = self.check_package(packages)
        self.assertEqual(daemon, packages / "beltway/bin/beltwayd")


if __name__ == "__main__":
    main()
