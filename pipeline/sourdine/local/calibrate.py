"""`sourdine calibrate`: the tone of a calibrator to what full scale is at a sensor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Calibrate

from sourdine.calibration import Calibration
from sourdine.errors import ConfigError
from sourdine.local.inputs import Refusal, open_source, refusal_of

if TYPE_CHECKING:
    from sourdine.local.inputs import Input
    from sourdine.pcm import PcmFormat

_BLOCK_S: Final = 0.5


def calibrate(item: Input, pcm: PcmFormat | None, *, tone_hz: float, tone_db: float) -> Calibration:
    """Measure the tone in a recording.

    Parameters
    ----------
    item : Input
        The recording or standard input, and the number of the sensor.
    pcm : PcmFormat or None
        Layout of standard input.
    tone_hz : float
        Frequency of the calibrator in Hz.
    tone_db : float
        Level of the calibrator in dB re 20 µPa.

    Returns
    -------
    Calibration
        What full scale is, as of now.

    Raises
    ------
    ConfigError
        If it cannot be heard or holds no steady, pure, unclipped tone of the calibrator.
    """
    source = open_source(item, pcm)
    if isinstance(source, Refusal):
        raise ConfigError(f"{item.name}: {source.reason}: {source.text}")
    stage = Calibrate(sample_rate=source.sample_rate, tone_hz=tone_hz, tone_db=tone_db)
    try:
        while (block := source.read(int(_BLOCK_S * source.sample_rate))) is not None:
            stage.push(block)
        full_scale_db, spread_db = stage.finish()
    except BlockError as error:
        refusal = refusal_of(error)
        raise ConfigError(f"{item.name}: {refusal.reason}: {refusal.text}") from None
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Calibration(item.sensor_id, now, tone_hz, tone_db, full_scale_db, spread_db)
