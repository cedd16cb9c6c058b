"""The one thing that pyproject.toml cannot say: conf/ is a package beside those that are found."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["sketch2paint*"]), "sketch2paint.conf"])
