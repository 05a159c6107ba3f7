"""Grade notebooks: student code and truth in different processes.

A package of its own: whoever reads the book or answers an assignment needs none of it.
:mod:`~grading.grade` runs the tests, :mod:`~grading.kernels` starts students' kernels,
:mod:`~grading.sandbox` is the process they are forked from, :mod:`~grading.layout` says what they can import;
of the course that is :mod:`grading.inside`.
"""
