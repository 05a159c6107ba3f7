"""Where students' kernels cannot be forked, there is nothing of the grader to collect."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("resource") else ["grading/*", "course_*.py"]
