"""Results to tables, charts and self-contained HTML pages, in English and Japanese."""
