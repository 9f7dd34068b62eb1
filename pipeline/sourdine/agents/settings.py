"""What a worker is set to: read once, from the environment, because `faust worker` takes no options of ours."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sourdine import broker, calibration, keys, policy
from sourdine.errors import ConfigError

if TYPE_CHECKING:
    from dsp_core.zone import Sealer

    from sourdine.broker import BrokerSettings
    from sourdine.policy import LoadedPolicy

STAGES: Final = ("describe", "classify", "gate")
#: Option of `sourdine worker` to variable of `faust worker`.
VARIABLES: Final = {
    "stage": "SOURDINE_STAGE",
    "instance": "SOURDINE_INSTANCE",
    "kafka": broker.VARIABLE,
    "key": "SOURDINE_KEY",
    "policy": "SOURDINE_POLICY",
    "calibration": "SOURDINE_CALIBRATION",
    "metrics": "SOURDINE_METRICS",
}
_INSTANCE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """One worker.

    Parameters
    ----------
    stage : str
        One of `STAGES`.
    instance : str
        Its name in the group of its stage, the same after every restart.
    broker : BrokerSettings
        Where the broker is, and who the worker is to it.
    sealer : Sealer
        With the zone's key.
    policy : LoadedPolicy
        What may leave.
    calibration : pathlib.Path or None, default=None
        Folder of the sensors' calibrations; None: levels are dBFS.
    metrics : str or None, default=None
        Where its pages are shown, as ``PORT`` or ``ADDRESS:PORT``; None: nowhere.
    """

    stage: str
    instance: str
    broker: BrokerSettings
    sealer: Sealer
    policy: LoadedPolicy
    calibration: Path | None = None
    metrics: str | None = None

    @property
    def group(self) -> str:
        """Name of the group whose members share the partitions."""
        return f"sourdine-{self.stage}"

    def full_scale_of(self, sensor_id: int) -> float | None:
        """Return what full scale is at a sensor.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.

        Returns
        -------
        float or None
            In dB re 20 µPa; None if it is not calibrated.
        """
        if self.calibration is None or not (self.calibration / calibration.file_name(sensor_id)).exists():
            return None
        return calibration.load(self.calibration, sensor_id).full_scale_db


def from_environment() -> WorkerSettings:
    """Read what the environment names; every file is opened, and nothing is connected to.

    Returns
    -------
    WorkerSettings
        Of this process.

    Raises
    ------
    ConfigError
        If something is missing or does not hold.
    """
    stage = os.environ.get(VARIABLES["stage"], "")
    if stage not in STAGES:
        raise ConfigError(
            f"{VARIABLES['stage']}: expected {', '.join(STAGES[:-1])} or {STAGES[-1]}, got {stage or 'nothing'}"
        )
    instance = os.environ.get(VARIABLES["instance"]) or f"{stage}-1"
    if not _INSTANCE.fullmatch(instance):
        raise ConfigError(f"{VARIABLES['instance']}: expected 1 to 64 signs of a-z, A-Z, 0-9, '.', '_' and '-'")
    key = os.environ.get(VARIABLES["key"])
    if not key:
        raise ConfigError(f"{VARIABLES['key']}: expected the file of the zone's key: sourdine key new FILE makes one")
    folder = os.environ.get(VARIABLES["calibration"])
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"--calibration ({VARIABLES['calibration']}): expected a folder, got {folder}")
    return WorkerSettings(
        stage=stage,
        instance=instance,
        broker=broker.load(),
        sealer=keys.sealer(Path(key)),
        policy=policy.load(os.environ.get(VARIABLES["policy"], "street"), today=datetime.now(UTC).date()),
        calibration=Path(folder) if folder else None,
        metrics=os.environ.get(VARIABLES["metrics"]) or None,
    )
