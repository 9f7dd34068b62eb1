"""Sound over loopback: this machine alone, one caller at a time."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from tests.gateways import PCM, tcp_stream
from tests.sounds import noise, pcm16

from sourdine.errors import ConfigError
from sourdine.gateway.inputs import TcpInput
from sourdine.live.pipe import PcmReader


def test_one_caller_is_heard_at_a_time_and_the_next_when_it_has_gone() -> None:
    port, sound = tcp_stream(1).port, pcm16(noise(0.1))
    with closing(TcpInput(port, PcmReader(PCM, 1))) as heard:
        assert heard.n_ready() == 0
        with socket.create_connection(("127.0.0.1", port)) as first:
            first.sendall(sound)
            with socket.create_connection(("127.0.0.1", port)) as second:
                second.sendall(sound[:100])
                assert heard.n_ready() == 1600
                heard.begin()
                block = heard.read(1600)
                assert block is not None
                assert (block.n_samples, block.sensor_id) == (1600, 1)
                assert heard.n_ready() == 0
                first.close()
                assert heard.n_ready() is None
                assert heard.reopen()
                assert heard.n_ready() == 50


def test_a_port_is_of_loopback_and_of_one_stream() -> None:
    port = tcp_stream(1).port
    with closing(TcpInput(port, PcmReader(PCM, 1))) as heard:
        assert heard._server.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ConfigError, match="Address already in use"):
            TcpInput(port, PcmReader(PCM, 2))
