"""Research notebooks and reproducible policy-evaluation briefs for petition work (信访工作法治化).

The parts, in the order of the data; each imports only what stands before it and what the import contract
in ``pyproject.toml`` names::

    ground    errors, periods, regions, codebooks
    corpus    documents in
    text      what the documents say
    facts     the numbers they state
    cases     case tables in, indicators out
    effects   what changed, and whether claims hold
    display   fonts, theme, charts, tables, findings
    briefs    notebooks run, rendered, published
    cli       parses and calls

The unit of evaluation is the institution and the policy, never a person.
"""

__version__ = "0.1.0"
