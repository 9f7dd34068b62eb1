# What Rust defines, by faces: records and arrays have files of their own.
import os
from collections.abc import Sequence
from typing import Final, final

from dsp_core._dsp_core_arrays import (
    ArrayLogMel as ArrayLogMel,
)
from dsp_core._dsp_core_arrays import (
    ArrayPowerSpectrum as ArrayPowerSpectrum,
)
from dsp_core._dsp_core_arrays import (
    ArrayScorer as ArrayScorer,
)
from dsp_core._dsp_core_arrays import (
    LevelMeter as LevelMeter,
)
from dsp_core._dsp_core_arrays import (
    array_mel_filterbank as array_mel_filterbank,
)
from dsp_core._dsp_core_arrays import (
    array_n_resampled as array_n_resampled,
)
from dsp_core._dsp_core_arrays import (
    array_resample as array_resample,
)
from dsp_core._dsp_core_arrays import (
    band_rows as band_rows,
)
from dsp_core._dsp_core_arrays import (
    leq_rows as leq_rows,
)
from dsp_core._dsp_core_arrays import (
    time_weight_rows as time_weight_rows,
)
from dsp_core._dsp_core_arrays import (
    weight_rows as weight_rows,
)
from dsp_core._dsp_core_records import (
    HEALTH_STATES as HEALTH_STATES,
)
from dsp_core._dsp_core_records import (
    METRICS as METRICS,
)
from dsp_core._dsp_core_records import (
    SOUND_CLASSES as SOUND_CLASSES,
)
from dsp_core._dsp_core_records import (
    Capacity as Capacity,
)
from dsp_core._dsp_core_records import (
    Event as Event,
)
from dsp_core._dsp_core_records import (
    LevelRecord as LevelRecord,
)
from dsp_core._dsp_core_records import (
    Policy as Policy,
)
from dsp_core._dsp_core_records import (
    SensorHealth as SensorHealth,
)
from dsp_core._dsp_core_records import (
    bits_per_record as bits_per_record,
)
from dsp_core._dsp_core_records import (
    capacity as capacity,
)

__all__ = [
    "HEALTH_STATES",
    "METRICS",
    "SOUND_CLASSES",
    "ArrayLogMel",
    "ArrayPowerSpectrum",
    "ArrayScorer",
    "AudioBlock",
    "Background",
    "BlockError",
    "Calibrate",
    "Candidate",
    "Capacity",
    "Checkpoint",
    "Classify",
    "Describe",
    "DescribeMany",
    "Description",
    "DspCoreError",
    "Event",
    "FeatureWindow",
    "Gate",
    "LevelGate",
    "LevelMeter",
    "LevelRecord",
    "Mark",
    "ParameterError",
    "Policy",
    "SealedHeader",
    "Sealer",
    "SensorHealth",
    "Source",
    "Trigger",
    "__version__",
    "array_mel_filterbank",
    "array_n_resampled",
    "array_resample",
    "band_rows",
    "bits_per_record",
    "capacity",
    "create_key",
    "key_ids",
    "leq_rows",
    "rotate_key",
    "sealed_header",
    "simd_path",
    "time_weight_rows",
    "weight_rows",
    "withheld",
]

__version__: Final[str]

class DspCoreError(Exception): ...
class ParameterError(DspCoreError, ValueError): ...

class BlockError(DspCoreError):
    reason: str

@final
class AudioBlock:
    @property
    def sensor_id(self) -> int: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def start_sample(self) -> int: ...
    @property
    def n_samples(self) -> int: ...

@final
class Description:
    @property
    def sensor_id(self) -> int: ...
    @property
    def n_frames(self) -> int: ...

@final
class FeatureWindow:
    @property
    def sensor_id(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def received_ms(self) -> int | None: ...

@final
class Candidate:
    @property
    def sensor_id(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def received_ms(self) -> int | None: ...

@final
class Background: ...

@final
class Source:
    @staticmethod
    def open(path: str | os.PathLike[str], *, sensor_id: int, channel: int | None = 1) -> Source: ...
    @staticmethod
    def pcm(
        fd: int, *, sensor_id: int, sample_rate: int, encoding: str, n_channels: int, channel: int | None = 1
    ) -> Source: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def n_samples(self) -> int | None: ...
    @property
    def bits_per_sample(self) -> int: ...
    @property
    def n_channels(self) -> int: ...
    @property
    def recorded_at(self) -> str | None: ...
    @property
    def position(self) -> int: ...
    def skip(self, n_samples: int) -> int: ...
    def read(self, max_samples: int) -> AudioBlock | None: ...

@final
class Describe:
    def __new__(
        cls, *, sensor_id: int, sample_rate: int, start_slot: int, policy: Policy, first_sample: int = 0
    ) -> Describe: ...
    def longest_sample_life_s(self, max_block_s: float) -> float: ...
    @property
    def hears_events(self) -> bool: ...
    @property
    def position(self) -> int: ...
    def push(self, block: AudioBlock) -> Description: ...
    def finish(self) -> Description: ...
    def refill(self, block: AudioBlock) -> Description: ...

@final
class DescribeMany:
    def __new__(cls, *, n_threads: int = 1) -> DescribeMany: ...
    @property
    def n_threads(self) -> int: ...
    def push(
        self, sensors: Sequence[tuple[Describe, Trigger, LevelGate]], blocks: Sequence[AudioBlock]
    ) -> list[tuple[Description, tuple[FeatureWindow, ...], tuple[LevelRecord | SensorHealth, ...]] | BlockError]: ...

@final
class Trigger:
    def __new__(cls, *, sensor_id: int, alarms_per_day: float, background: Background | None = None) -> Trigger: ...
    def push(self, description: Description) -> list[FeatureWindow]: ...
    def finish(self) -> list[FeatureWindow]: ...
    def lull(self) -> FeatureWindow | None: ...
    def refill(self, description: Description) -> None: ...
    def background(self) -> Background: ...

@final
class Classify:
    def __new__(cls, *, policy: Policy) -> Classify: ...
    @property
    def classes(self) -> list[tuple[str, bool]]: ...
    @property
    def model_id(self) -> str: ...
    def push(self, windows: Sequence[FeatureWindow]) -> list[Candidate]: ...
    def push_sealed(self, windows: Sequence[tuple[int, bytes, int]], *, sealer: Sealer) -> list[bytes | BlockError]: ...

@final
class Gate:
    def __new__(cls, *, sensor_id: int, policy: Policy, full_scale_db: float | None = None) -> Gate: ...
    def push(self, candidates: Sequence[Candidate]) -> None: ...
    def advance(self, description: Description) -> list[Event]: ...
    def receive(self, candidates: Sequence[Candidate]) -> list[Event]: ...
    def advance_to(self, received_ms: int) -> list[Event]: ...
    @property
    def n_out_of_time(self) -> int: ...
    def withhold_hour_of(self, slot: int) -> None: ...
    def withhold_first_hour(self) -> None: ...
    def finish(self) -> list[Event]: ...

def withheld(gates: Sequence[Gate]) -> dict[str, int]: ...

@final
class LevelGate:
    def __new__(
        cls, *, sensor_id: int, policy: Policy, start_slot: int, full_scale_db: float | None = None
    ) -> LevelGate: ...
    def push(self, description: Description) -> list[LevelRecord | SensorHealth]: ...
    def miss(self, slot: int) -> list[LevelRecord | SensorHealth]: ...
    def mark_clock(self) -> None: ...
    @property
    def next_slot(self) -> int: ...
    def finish(self) -> list[LevelRecord | SensorHealth]: ...

@final
class Checkpoint:
    @staticmethod
    def take(describe: Describe, trigger: Trigger, gate: Gate, level_gate: LevelGate) -> Checkpoint: ...
    @staticmethod
    def take_hearing(
        describe: Describe,
        trigger: Trigger,
        level_gate: LevelGate,
        *,
        mark: Mark | None = None,
        kafka_offset: int = 0,
        note: bytes | None = None,
    ) -> Checkpoint: ...
    @staticmethod
    def take_gate(gate: Gate, *, mark: Mark, kafka_offset: int) -> Checkpoint: ...
    @property
    def position(self) -> int: ...
    @property
    def kafka_offset(self) -> int: ...
    @property
    def note(self) -> bytes: ...
    def restore(self, policy: Policy) -> tuple[Describe, Trigger, Gate, LevelGate]: ...
    def restore_hearing(self, policy: Policy) -> tuple[Describe, Trigger, LevelGate, Mark]: ...
    def restore_gate(self, policy: Policy) -> tuple[Gate, Mark]: ...
    def resume(
        self, policy: Policy, *, sample_rate: int, start_slot: int
    ) -> tuple[Describe, Trigger, Gate, LevelGate]: ...
    def resume_hearing(
        self, policy: Policy, *, sample_rate: int, start_slot: int, first_sample: int = 0
    ) -> tuple[Describe, Trigger, LevelGate, Mark]: ...

@final
class Calibrate:
    def __new__(cls, *, sample_rate: int, tone_hz: float, tone_db: float) -> Calibrate: ...
    def push(self, block: AudioBlock) -> None: ...
    def finish(self) -> tuple[float, float]: ...

@final
class Mark:
    def __new__(cls) -> Mark: ...
    @property
    def last(self) -> tuple[int, int] | None: ...

@final
class SealedHeader:
    @property
    def topic(self) -> str: ...
    @property
    def content_version(self) -> int: ...
    @property
    def key_id(self) -> str: ...
    @property
    def sensor_id(self) -> int: ...
    @property
    def boot_ns(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def n_bytes(self) -> int: ...

def sealed_header(sealed: bytes) -> SealedHeader: ...
def simd_path() -> str: ...

@final
class Sealer:
    def __new__(cls, path: str | os.PathLike[str]) -> Sealer: ...
    def seal_block(self, block: AudioBlock, *, encoding: str, boot_ns: int, sequence: int) -> bytes: ...
    def open_block(self, sealed: bytes, *, sensor_id: int, mark: Mark, received_ms: int) -> AudioBlock: ...
    def reopen_block(self, sealed: bytes, *, sensor_id: int) -> AudioBlock: ...
    def seal_window(self, window: FeatureWindow, *, received_ms: int | None = None) -> bytes: ...
    def open_window(self, sealed: bytes, *, sensor_id: int, received_ms: int) -> FeatureWindow: ...
    def seal_candidate(self, candidate: Candidate) -> bytes: ...
    def open_candidate(self, sealed: bytes, *, sensor_id: int, mark: Mark) -> Candidate: ...
    def seal(self, checkpoint: Checkpoint) -> bytes: ...
    def unseal(self, *, sensor_id: int, sealed: bytes) -> Checkpoint: ...

def create_key(path: str | os.PathLike[str]) -> list[str]: ...
def rotate_key(path: str | os.PathLike[str]) -> list[str]: ...
def key_ids(path: str | os.PathLike[str]) -> list[str]: ...
