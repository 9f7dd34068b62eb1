"""A worker that does nothing but carry raw messages from one topic to another, in the app of the shipped workers."""

from __future__ import annotations

import os

import faust

from sourdine.agents.worker_app import make_app
from sourdine.broker import load

app = make_app(load(), group=os.environ["GROUP"], instance=os.environ["INSTANCE"])
inbound = app.topic(os.environ["INBOUND"], value_type=bytes, key_type=bytes)
outbound = app.topic(os.environ["OUTBOUND"], value_type=bytes, key_type=bytes)


@app.agent(inbound)
async def carry(stream: faust.StreamT[bytes]) -> None:
    """Send on what comes in."""
    async for event in stream.events():
        await outbound.send(key=event.key, value=event.value)
