"""Grade notebooks: student code and truth in different processes.

:mod:`~probmcl_book.course.grading.grade` runs the tests, :mod:`~probmcl_book.course.grading.kernels` starts
students' kernels, :mod:`~probmcl_book.course.grading.sandbox` is the process they are forked from,
:mod:`~probmcl_book.course.grading.layout` says what they can import; of the course that is
:mod:`probmcl_book.course.inside`.
"""
