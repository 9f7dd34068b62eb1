"""`sourdine listen`: hears live sound by the clock and writes down what the gates release."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from sourdine.keys import do, sealer
from sourdine.live.chain import WholeChains
from sourdine.live.listener import Listener
from sourdine.live.pipe import PcmReader, PipeInput
from sourdine.operations.told import Told
from sourdine.outgoing.continued import ContinuedFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dsp_core.zone import Sealer

    from sourdine.config import ListenSettings
    from sourdine.ledger import Ledger
    from sourdine.live.ear import Ear
    from sourdine.local.interrupt import Stop

KEY_NAME: Final = "zone.key"

_LOOK_S: Final = 0.25
_BLOCK_S: Final = 0.1


def source_of(settings: ListenSettings) -> PipeInput:
    """Return where a live run's sound comes from.

    Parameters
    ----------
    settings : ListenSettings
        Of the run.

    Returns
    -------
    PipeInput
        Open.
    """
    return PipeInput(settings.path, PcmReader(settings.pcm, settings.sensor_id, settings.channel))


def files_of(settings: ListenSettings) -> ContinuedFiles:
    """Return the files that a live run goes on with.

    Parameters
    ----------
    settings : ListenSettings
        Of the run.

    Returns
    -------
    ContinuedFiles
        In its output folder.
    """
    return ContinuedFiles(settings.out, settings.full_scale_db)


def hear(
    settings: ListenSettings,
    source: PipeInput,
    files: ContinuedFiles,
    sealer: Sealer,
    ear: Ear,
    stop: Stop,
    clock: Callable[[], float] = time.time,
) -> Ledger:
    """Hear a source until it ends or someone says stop.

    Parameters
    ----------
    settings : ListenSettings
        Of the run.
    source : PipeInput
        Where the sound comes from.
    files : ContinuedFiles
        Where records and state go.
    sealer : Sealer
        Seals the state.
    ear : Ear
        Who is told.
    stop : Stop
        Looked at between two blocks.
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z, with a fraction.

    Returns
    -------
    Ledger
        What was heard and released.
    """
    listener = Listener(
        sensor_id=settings.sensor_id,
        source=source,
        chains=WholeChains(
            sensor_id=settings.sensor_id,
            sample_rate=settings.pcm.sample_rate,
            policy=settings.policy.core,
            full_scale_db=settings.full_scale_db,
        ),
        store=files,
        sealer=sealer,
        full_scale_db=settings.full_scale_db,
        ear=ear,
        clock=clock,
    )
    goes_on = True
    while goes_on and not stop.requested:
        source.wait(_BLOCK_S, _LOOK_S)
        goes_on = listener.step()
    listener.end("stopped", "stopped")
    return listener.ledger


def listen(settings: ListenSettings, ear: Ear, stop: Stop) -> Ledger:
    """Hear live sound until it ends or someone says stop.

    Parameters
    ----------
    settings : ListenSettings
        What to hear, under which policy, and where to write.
    ear : Ear
        Who is told.
    stop : Stop
        Says when to end.

    Returns
    -------
    Ledger
        What was heard and released.

    Raises
    ------
    ConfigError
        If the input is no live one, the key cannot be used, or another process writes there.
    OutputError
        If records or state cannot be written.
    LiveError
        If the sound comes faster than the clock goes.
    """
    with closing(source_of(settings)) as source, closing(files_of(settings)) as files:
        zone_sealer = _sealer(settings.key or settings.out / KEY_NAME, is_given=settings.key is not None, ear=ear)
        return hear(settings, source, files, zone_sealer, ear, stop)


def _sealer(path: Path, *, is_given: bool, ear: Ear) -> Sealer:
    if not is_given and not path.exists():
        do("new", path)
        ear.note(Told.STARTED, f"made {path}: the state opens with it alone")
    return sealer(path)
