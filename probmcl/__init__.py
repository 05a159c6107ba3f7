"""ProbMCL: probabilistic contrastive learning for multi-label images.

The rooms of this package stand in the order in which the data flows: :mod:`probmcl.data`,
:mod:`probmcl.model`, :mod:`probmcl.loss`, :mod:`probmcl.train`, :mod:`probmcl.evaluate`. A room imports only
the rooms before it. The book's own code stands beside it, in ``book/probmcl_book``.

The method is read from A. Sajedi, S. Khaki, Y. A. Lawryshyn and K. N. Plataniotis, "ProbMCL: Simple
Probabilistic Contrastive Learning for Multi-label Visual Classification", ICASSP 2024, arXiv 2401.01448.
Docstrings cite the rows of the book's ledger (C, M, R, F) for what was read and what is our choice.
"""

__version__ = "0.1.0"
