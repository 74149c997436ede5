"""Pictures to answers, on a few threads, so that the event loop goes on talking to clients."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lookbook.inference import Classifier, Fault, Prediction
from lookbook.serving.bodies import Picture
from lookbook.serving.limits import Limits
from lookbook.serving.refusals import too_busy
from lookbook.serving.weighing import decoded_bytes

THREADS = 2  # a worker's; more workers use more cores


class Desk:
    """What answers. Small pictures go by the large ones, which are decoded one at a time."""

    def __init__(self, classifier: Classifier, limits: Limits):
        self.classifier, self.limits = classifier, limits
        self.waiting = 0
        self._threads = ThreadPoolExecutor(THREADS, "answering")
        self._for_large = ThreadPoolExecutor(1, "answering-large")

    async def answers(self, pictures: list[Picture]) -> list[Prediction | Fault]:
        """Return what the model says of each picture, or why it could not be read.

        Raises:
            RefusalError: If too many pictures wait, or these have waited for too long.
        """
        if self.waiting + len(pictures) > self.limits.waiting:
            raise too_busy(f"{self.waiting + len(pictures)}")
        self.waiting += len(pictures)
        try:
            async with asyncio.timeout(self.limits.answer_seconds):
                return await asyncio.gather(*(self._answer(one.content) for one in pictures))
        except TimeoutError:
            seconds = f"{self.limits.answer_seconds:g}"
            raise too_busy(f"more than can be answered within {seconds} seconds") from None
        finally:
            self.waiting -= len(pictures)

    async def _answer(self, content: bytes) -> Prediction | Fault:
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self._threads, self._answer_small, content)
        if said is not None:
            return said
        return await loop.run_in_executor(self._for_large, self.classifier.classify, content)

    def _answer_small(self, content: bytes) -> Prediction | Fault | None:
        """Return what the model says of a picture; None if it is a large one."""
        weight = decoded_bytes(content, self.classifier.form.image_size, self.limits)
        if isinstance(weight, Fault):
            return weight
        return None if weight > self.limits.large_bytes else self.classifier.classify(content)
