"""One stream of a gateway, and the streams that are heard in one call."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sourdine.errors import SourdineError
from sourdine.operations.lines import type_of
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsp_core.zone import AudioBlock, DescribeMany

    from sourdine.gateway.inputs import Reconnecting
    from sourdine.live.ear import Ear
    from sourdine.live.listener import Listener

#: A stream that cannot be live is left alone for so long.
_REST_S: Final = 60.0


class Stream:
    """One stream of a gateway: whatever happens to it stays with it.

    Parameters
    ----------
    source : Reconnecting
        Where its sound comes from.
    listener : Listener
        Its chain.
    ear : Ear
        Who is told.
    """

    def __init__(self, source: Reconnecting, listener: Listener, ear: Ear) -> None:
        self.listener = listener
        self._source, self._ear, self._is_out = source, ear, False

    def look(self) -> AudioBlock | None:
        """Return what is there; a source that breaks, or cannot be live, is left alone for a while."""
        with self.apart():
            return None if self._is_out else self.listener.look()
        return None

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Keep to this stream whatever happens to it."""
        try:
            yield
        except SourdineError as error:
            self._rest(str(error))
        except OSError as error:
            self._rest(f"the source broke: {error.strerror}")
        except Exception as error:  # noqa: BLE001  a fault of ours, whose words may tell of the sound
            self._is_out = True
            self._source.close()
            words = f"unexpected {type(error).__name__}: out until the next start"
            self._ear.note(Told.STREAM_OUT, words, error=type_of(error))

    def stop(self) -> None:
        """End it in order."""
        if self._is_out:
            return
        self.listener.end("stopped", "stopped")
        self._source.close()

    def _rest(self, why: str) -> None:
        self._ear.note(Told.RESTING, f"{why}; left alone for {_REST_S:g} s", seconds=round(_REST_S))
        self._source.rest(_REST_S)


def hear_together(streams: Sequence[Stream], many: DescribeMany) -> None:
    """Hear what is there, of all that describe in one call.

    Parameters
    ----------
    streams : sequence of Stream
        The streams.
    many : DescribeMany
        Describes.
    """
    looked = [(stream, block) for stream in streams if (block := stream.look()) is not None]
    described = []
    for stream, block in looked:
        chain = stream.listener.chain
        if chain.hearing is None:
            with stream.apart():
                stream.listener.take(chain.push(block))
        else:
            described.append((stream, chain, chain.hearing, block))
    heard = many.push([hearing for *_, hearing, _ in described], [block for *_, block in described])
    for (stream, chain, *_), made in zip(described, heard, strict=True):
        with stream.apart():
            if isinstance(made, Exception):
                raise made
            stream.listener.take(chain.pass_on(*made))
