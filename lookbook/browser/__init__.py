"""A model on a page: one HTML file that looks at photos in a browser, with no network.

In comes an exported model with its card; out comes the text of a page that holds the model,
LiteRT's web runtime, and the scripts that prepare a picture as `lookbook.pictures` does and answer
as `lookbook.inference` does.
"""
