"""A real Apache Kafka of one node on loopback: TLS, SCRAM-SHA-512, rights checked; killed and started again."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from tests.kafka.broker.libraries import class_path, tool

from sourdine.broker import BrokerSettings, load

#: Who may do everything: the broker to itself, and the person who sets it up.
SUPER_USER: Final = "operator"

#: Longest that starting may take on a busy machine; some 3 s are usual.
_HANG_S: Final = 90.0
_POLL_S: Final = 0.1
_LOG4J: Final = Path(__file__).with_name("log4j2.properties")


class Broker:
    """One broker and its storage in a folder. It keeps its ports, users and storage over restarts."""

    def __init__(self, folder: Path, proxy_port: int = 0, **properties: str) -> None:
        """Make certificate, settings and storage; `properties` (dots as in the file) go over the shipped ones.

        All users but the operator find it by `proxy_port`, if there is one; what is there must lead to `inner_port`.
        """
        self._folder, self._proxy_port = folder, proxy_port
        self._jars = class_path()
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.inner_port, self._controller_port = _free_ports(3)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.storage = folder / "data"
        self.log = folder / "broker.log"
        (folder / "users").mkdir(parents=True)
        self.ca_file = make_certificate(folder / "broker.p12", password := secrets.token_urlsafe(16))
        self._write_user(SUPER_USER)
        self._write_properties(password, properties)
        self._format()

    @property
    def pid(self) -> int:
        """Id of the running process."""
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["-Xms128m", "-Xmx512m", f"-Dlog4j2.configurationFile={_LOG4J}"]
        with self.log.open("ab") as log:
            command = [*self._java(*options), "kafka.Kafka", str(self._folder / "server.properties")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        client = self.admin()
        deadline = time.monotonic() + _HANG_S
        while True:
            try:
                client.list_topics(timeout=1.0)
                return
            except KafkaException:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"the broker did not start: {self.log.read_text('utf-8')[-3000:]}") from None
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop in order, as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same storage, whatever ended it."""
        self.stop()
        self.start()

    def add_user(self, name: str) -> None:
        """Add a user with a password of its own."""
        password = self._write_user(name)
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(name, info, password.encode())
        client = self.admin()  # its answers end with it
        for future in client.alter_user_scram_credentials([change]).values():
            future.result(timeout=30)

    def file_of(self, user: str) -> Path:
        """Give the file by which a user finds the broker, as an operator writes it."""
        return self._folder / "users" / f"{user}.toml"

    def settings(self, user: str = SUPER_USER) -> BrokerSettings:
        """Read that file."""
        return load(self.file_of(user))

    def admin(self, user: str = SUPER_USER) -> AdminClient:
        """Connect as a user."""
        quick = {"log_level": 0, "reconnect.backoff.max.ms": 200}
        return AdminClient(self.settings(user).for_librdkafka() | quick)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(timeout=_HANG_S)

    def _java(self, *options: str) -> list[str]:
        return [tool("java"), *options, "-cp", f"{self._jars}/*"]

    def _write_user(self, name: str) -> str:
        password = secrets.token_urlsafe(24)
        file = self._folder / "users" / f"{name}.password"
        file.touch(mode=0o600)
        file.write_text(password + "\n", "ascii")
        is_behind = self._proxy_port and name != SUPER_USER
        bootstrap = f"127.0.0.1:{self._proxy_port}" if is_behind else self.bootstrap
        lines = {"bootstrap": bootstrap, "ca_file": self.ca_file, "user": name, "password_file": file}
        text = "".join(f'{key} = "{value}"\n' for key, value in lines.items())
        self.file_of(name).write_text(text, "utf-8")
        return password

    def _write_properties(self, key_password: str, more: dict[str, str]) -> None:
        here, behind = f"127.0.0.1:{self.port}", f"127.0.0.1:{self._proxy_port or self.inner_port}"
        login = f'username="{SUPER_USER}" password="{self.settings().password}"'
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        lines = _PROPERTIES | {
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"SASL_SSL://{here},BEHIND://127.0.0.1:{self.inner_port},"
            f"CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"SASL_SSL://{here},BEHIND://{behind}",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{module} {login};",
            "listener.name.behind.scram-sha-512.sasl.jaas.config": f"{module} {login};",
            "ssl.keystore.location": str(self._folder / "broker.p12"),
            "ssl.keystore.password": key_password,
            "ssl.truststore.location": str(self.ca_file),
            "log.dirs": str(self.storage),
        }
        lines |= {key.replace("_", "."): value for key, value in more.items()}
        file = self._folder / "server.properties"
        file.touch(mode=0o600)
        file.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), "utf-8")

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        login = f"SCRAM-SHA-512=[name={SUPER_USER},password={self.settings().password}]"
        words = [f"--cluster-id={cluster}", "--config", str(self._folder / "server.properties"), "--add-scram", login]
        command = [*self._java(f"-Dlog4j2.configurationFile={_LOG4J}"), "kafka.tools.StorageTool", "format", *words]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]


def make_certificate(store: Path, password: str) -> Path:
    """Make a key and a certificate for 127.0.0.1 that signs itself, valid for two days; give the certificate's file."""
    ca_file = store.with_suffix(".pem")
    keytool, named = tool("keytool"), ["-alias", "broker", "-keystore", str(store), "-storepass:env", "STORE_PASSWORD"]
    key = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12", "-validity", "2"]
    name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-ext", "bc:critical=ca:true"]
    for words in ([*key, *name], ["-exportcert", "-rfc", "-file", str(ca_file)]):
        environment = os.environ | {"STORE_PASSWORD": password}
        subprocess.run([keytool, *words, *named], env=environment, capture_output=True, check=True)
    return ca_file


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


#: What does not differ from one broker to the next. The controller is spoken to by its own process alone.
_PROPERTIES: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "SASL_SSL",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,BEHIND:SASL_SSL",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
    "ssl.keystore.type": "PKCS12",
    "ssl.truststore.type": "PEM",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:{SUPER_USER};User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed may register again when its old session is over.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # Retention and compaction are looked at each second from the first on, so that seconds can be tested.
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "1000",
    "log.cleaner.backoff.ms": "1000",
}
