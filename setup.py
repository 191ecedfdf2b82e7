"""What pyproject.toml cannot say: cffi compiles the engine, once for every Python from 3.10 on."""

import sysconfig

from setuptools import setup

# A free-threaded Python has no stable ABI to build for; cffi itself leaves it off there.
has_stable_abi = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    cffi_modules=["pastream_cli/engine/_build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if has_stable_abi else {},
)
