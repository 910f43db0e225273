"""`beltway bridge` over TLS, with certificates of the test's own. What cannot be trusted fails the route with a reason."""

import json
import os
import shutil
import subprocess
import tempfile

import bridge_case
from bridge_support import pika_brokers


def make_certificates(folder):
    """An authority of the server and the bridge, whose certificates are for `localhost`, and another one of a stranger."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
                "-subj", f"/CN=Beltway test {name}")
    for name, authority in (("server", "ca"), ("bridge", "ca"), ("stranger", "other")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.request", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        openssl("x509", "-req", "-in", f"{name}.request", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-copy_extensions", "copy")


class Tls(bridge_case.WithServer):
    """A port with TLS beside the plain one."""

    @classmethod
    def start_server(cls):
        cls.certificates = tempfile.mkdtemp(prefix="beltway-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.certificates)
        make_certificates(cls.certificates)
        return pika_brokers.RabbitMq(cls.certificates)

    def file(self, name):
        return os.path.join(self.certificates, name)

    def over_tls(self, host="localhost", port=None, authority="ca.pem", certificate="bridge"):
        """A route out whose queues exist, with a message."""
        name = self.test_name
        self.machine.declare(name, groups=("bridge",))
        self.remote_queue(name)
        self.machine.publish_now(name, 1)
        config = {"url": f"amqps://{host}:{port or self.server.tls_port}"}
        if authority:
            config["ca_file"] = self.file(authority)
        if certificate:
            config |= {"certificate_file": self.file(f"{certificate}.pem"), "key_file": self.file(f"{certificate}.key")}
        path = self.file(f"{name}.json")
        with open(path, "w", encoding="ascii") as file:
            json.dump(config, file)
        return self.bridge("--out", f"{name}={name}", "--config", path, url=config["url"])

    def failure(self, **how):
        """What the route says of its failure, which is no other one at the second attempt. No message has left."""
        bridge = self.over_tls(**how)
        routes = bridge.wait_for(lambda routes: routes[0]["state"] == "failed" and routes[0]["attempts"] > 1, "it fails again")
        self.assertEqual(self.channel().queue_declare(self.test_name, passive=True).method.message_count, 0)
        return routes[0]["last_error"]

    def test_messages_pass_if_each_side_knows_the_other_ones_authority(self):
        self.over_tls().wait_for(lambda routes: routes[0]["confirmed"] == 1, "it is at the server")

    def test_bridge_without_certificate_is_refused_by_a_server_that_wants_one(self):
        self.assertIn("certificate required", self.failure(certificate=None))

    def test_bridge_of_an_authority_that_the_server_does_not_know_is_refused(self):
        self.assertIn("unknown ca", self.failure(certificate="stranger"))

    def test_server_of_another_authority_fails_the_route(self):
        self.assertIn("no authority in " + self.file("other.pem"), self.failure(authority="other.pem"))

    def test_server_of_no_authority_of_the_system_fails_the_route(self):
        self.assertIn("no authority in /etc/ssl", self.failure(authority=None))

    def test_certificate_of_another_host_fails_the_route(self):
        self.assertIn("not for host 127.0.0.1", self.failure(host="127.0.0.1"))

    def test_server_without_tls_fails_the_route(self):
        self.assertIn("does not speak TLS", self.failure(port=self.server.port))

    def test_missing_file_of_authorities_fails_the_route(self):
        self.assertIn("missing.pem", self.failure(authority="missing.pem"))


if __name__ == "__main__":
    bridge_case.main()
