r"""Text to tokens, by name; the name is recorded in every result.

==================  =================================================================
``words``           runs of letters, digits and marks, in lower case (``\w+``)
``whitespace``      what stands between whitespace, as written
``lines``           whole lines, without the whitespace around them
``characters:N``    overlapping runs of N characters inside what stands between whitespace
``mixed``           ``words`` where a script has spaces, ``characters:2`` where it has none
``japanese``        morphemes by SudachiPy (short units), in lower case, no punctuation
``auto``            chosen by the scripts of the text, see `hayflick.corpus.tokenizers.auto`
==================  =================================================================
"""
