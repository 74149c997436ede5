"""Large pictures are decoded one at a time, and small ones pass them."""

import threading
from concurrent.futures import ThreadPoolExecutor

from support import flat

from lookbook.inference import Classifier

LARGE, SMALL = flat(250, side=300), flat(0)


def test_small_pictures_pass_large_ones_which_wait_for_each_other(listen, monkeypatch):
    go_on, running, most = threading.Event(), [], []
    classify = Classifier.classify

    def slowly(classifier, content):
        if content == LARGE:
            running.append(content)
            most.append(len(running))
            assert go_on.wait(20)
            running.pop()
        return classify(classifier, content)

    monkeypatch.setattr(Classifier, "classify", slowly)
    client = listen(large_bytes=100_000)

    def answer(content):
        return client.ask(content)[2]["pictures"][0]["answer"]

    with ThreadPoolExecutor(4) as clients:
        large = [clients.submit(answer, LARGE) for _ in range(4)]
        assert [answer(SMALL) for _ in range(10)] == ["dark"] * 10
        assert not any(one.done() for one in large)
        go_on.set()
        assert [one.result() for one in large] == ["bright"] * 4
    assert most == [1] * 4
