"""An exported model behind HTTP: `lookbook serve`.

In come photos, as bodies of requests, and a `.tflite` file of the stage export; out come answers as
JSON, the same that `lookbook.inference` gives, and figures for Prometheus. What a client may ask
for is bounded (`limits`), and what is refused has a code and a sentence (`refusals`).

A worker is one process: an event loop that talks to clients (`protocol`, `bodies`), and a few
threads that decode and classify (`answering`).
"""
