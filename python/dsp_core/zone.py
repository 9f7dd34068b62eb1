"""The zone: opaque handles on sound, spectra and scores, and the stages that pass them on.

Nothing here gives a sample, a spectrum or a score to Python. `AudioBlock`, `Description`, `FeatureWindow`, `Candidate`,
`Background` and `Checkpoint` have no constructor, no array access, no buffer and no pickle; they print ids and sizes.
What leaves the zone are the records that `Gate` and `LevelGate` mint. What goes from one process of the zone to another
are bytes that a `Sealer` sealed: it turns handles into bytes and bytes into handles.
"""

from dsp_core._dsp_core import (
    AudioBlock,
    Background,
    BlockError,
    Calibrate,
    Candidate,
    Checkpoint,
    Classify,
    Describe,
    Description,
    DspCoreError,
    FeatureWindow,
    Gate,
    LevelGate,
    Mark,
    ParameterError,
    SealedHeader,
    Sealer,
    Source,
    Trigger,
    create_key,
    key_ids,
    rotate_key,
    sealed_header,
    simd_path,
    withheld,
)

__all__ = [
    "AudioBlock",
    "Background",
    "BlockError",
    "Calibrate",
    "Candidate",
    "Checkpoint",
    "Classify",
    "Describe",
    "Description",
    "DspCoreError",
    "FeatureWindow",
    "Gate",
    "LevelGate",
    "Mark",
    "ParameterError",
    "SealedHeader",
    "Sealer",
    "Source",
    "Trigger",
    "create_key",
    "key_ids",
    "rotate_key",
    "sealed_header",
    "simd_path",
    "withheld",
]
