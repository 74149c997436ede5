# An exported model behind HTTP, see docs/serve.md.
#
#     docker build --build-arg MODEL=models/export/train_cnn.tflite --tag pets .
#     docker run --rm --read-only --tmpfs /tmp --publish 127.0.0.1:8000:8000 pets
FROM python:3.12-slim

WORKDIR /opt/lookbook
COPY locks/serve.txt LICENSE NOTICE ./
RUN pip install --no-cache-dir --compile --require-hashes --requirement serve.txt
COPY lookbook lookbook
RUN python -m compileall -q lookbook \
    && useradd --system --uid 10001 --no-create-home lookbook

ARG MODEL=models/export/train_cnn.tflite
COPY ${MODEL} model.tflite

# Without a name: some platforms check by the number that it is not root.
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "lookbook", "serve", "--model", "model.tflite", "--host", "0.0.0.0"]
