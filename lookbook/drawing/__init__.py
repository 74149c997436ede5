"""How everything that is drawn looks: charts' style, tables, galleries of pictures.

In come figures, tables and pixels; out come SVG, PNG and Markdown, the same bytes for the same
content.
"""
