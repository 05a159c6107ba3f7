"""Configuration of the environment's kernels; the Makefile copies it to ``.venv/etc/ipython``.

A kernel that Jupyter starts on this machine warns at every start that it talks over unencrypted TCP. A build
starts a dozen of them, so this one message is left out, and no other.
"""

import logging

logging.getLogger("IPKernelApp").addFilter(
    lambda record: not record.getMessage().startswith("Kernel is running over TCP without encryption")
)
