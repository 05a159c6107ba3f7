"""What the book needs beside the package: records, recipes and runs, studies, claims, pages and the course.

A room may import those before it: :mod:`probmcl_book.reference`, slow loops that import nothing else of the
project; :mod:`probmcl_book.records`, :mod:`probmcl_book.replicate`, :mod:`probmcl_book.studies` and
:mod:`probmcl_book.claims`. :mod:`probmcl_book.bench` stands on replicate, :mod:`probmcl_book.pages` on
claims, :mod:`probmcl_book.course` on the references and the claims, :mod:`probmcl_book.commands` on all.
"""
