"""The parts of a page, one module each: what a part asks of the release, and the words around its answer.

What belongs here: questions to the marts (`ask`), as plain data, and the HTML of what needs no choice of importer or
year (`shown`). What does need one is filled by the scripts in `web`. Not here: charts (see `figures`).
"""
