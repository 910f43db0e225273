"""Builds the Python package with CMake, and puts the daemon into it. See pyproject.toml.

$BELTWAY_BUILD_DIR names a build folder that exists already: its module and its daemon are taken as they are.
"""

import os
import pathlib
import re
import shutil
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent
VERSION = re.search(r'k_version = "([0-9.]+)"', (ROOT / "include/beltway/version.hpp").read_text())[1]


class BuildByCMake(build_ext):
    """Builds module and daemon, and copies the package from the build folder."""

    def run(self):
        build = os.environ.get("BELTWAY_BUILD_DIR")
        if build is None:
            build = pathlib.Path(self.build_temp).resolve()
            without = [f"-DBELTWAY_BUILD_{part}=OFF" for part in ("TOOL", "TESTS", "BENCH", "EXAMPLES", "C", "NODE")]
            subprocess.run(["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DBELTWAY_BUILD_PYTHON=ON",
                            "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", *without], check=True)
            subprocess.run(["cmake", "--build", build, "--parallel", str(os.cpu_count() or 1),
                            "--target", "beltway_python", "beltwayd"], check=True)
        package = pathlib.Path(self.build_lib) / "beltway"
        shutil.copytree(pathlib.Path(build) / "python/beltway", package, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))
        (package / "bin").mkdir(exist_ok=True)
        shutil.copy2(pathlib.Path(build) / "bin/beltwayd", package / "bin/beltwayd")

    def get_outputs(self):
        return []


(ROOT / "build").mkdir(exist_ok=True)
setup(
    version=VERSION,
    packages=[],
    ext_modules=[Extension("beltway._beltway", [], py_limited_api=True)],
    cmdclass={"build_ext": BuildByCMake},
    options={"bdist_wheel": {"py_limited_api": "cp311"}, "egg_info": {"egg_base": "build"},
             "build": {"build_base": "build/wheel"}},
)
