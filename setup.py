"""What pyproject.toml cannot say: a wheel carries conf/ inside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConf(build_py):
    """Copies conf/ to symbotunes/conf; an editable install reads it where it lies."""

    def run(self):
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "symbotunes" / "conf"
            shutil.copytree("conf", target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithConf})
