"""The zone: opaque handles on sound, spectra and scores, and the stages that pass them on."""

__all__: list[str] = []
