"""kubectl, helm and docker as the tests use them, and one release of the chart with a client beside it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "tollway"
CLIENT = Path(__file__).parent / "client"
RELEASE = "tollway"
# generous: a shared machine with two cores pulls eight images and starts as many Pythons
READY_SECONDS = 300
KINDS = (
    "deployments,replicasets,pods,services,endpointslices,configmaps,secrets,"
    "serviceaccounts,networkpolicies,poddisruptionbudgets,persistentvolumeclaims"
)


class CommandFailed(Exception):
    """A command ended badly; holds what it said."""


def run(*command: str, text: str | None = None, seconds: float = 120) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds)
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True)
class Images:
    """Where the cluster finds the images of this run."""

    registry: str
    tag: str

    def values(self) -> dict[str, Any]:
        """Chart values that use them."""
        image = {"registry": self.registry, "tag": self.tag, "pullPolicy": "Always"}
        redis = {"image": self.reference("test-redis")}
        return {"image": image, "redis": redis, "stateRedis": redis}

    def reference(self, name: str) -> str:
        return f"{self.registry}/{name}:{self.tag}"

    def build(self, folder: Path) -> None:
        """Build and push an image that only tests need."""
        name = self.reference(f"test-{folder.name}")
        flags = os.environ.get("DOCKER_BUILD_FLAGS", "").split()
        base = os.environ.get("BASE_IMAGE")
        arguments = ["--build-arg", f"BASE_IMAGE={base}"] if base else []
        run("docker", "build", "--quiet", *flags, *arguments, "--tag", name, str(folder), seconds=900)
        run("docker", "push", "--quiet", name, seconds=300)


@dataclass(frozen=True)
class Namespace:
    """A namespace under Pod Security `restricted`, there as long as the block that it opens."""

    name: str

    def __enter__(self) -> Namespace:
        run("kubectl", "delete", "namespace", self.name, "--ignore-not-found", "--wait", seconds=READY_SECONDS)
        run("kubectl", "create", "namespace", self.name)
        modes = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
        run("kubectl", "label", "namespace", self.name, *modes)
        return self

    def __exit__(self, *error: object) -> None:
        run("kubectl", "delete", "namespace", self.name, "--wait", seconds=READY_SECONDS)

    def kubectl(self, *words: str, text: str | None = None, seconds: float = 60) -> str:
        return run("kubectl", "--namespace", self.name, *words, text=text, seconds=seconds)

    def get(self, *words: str) -> list[dict[str, Any]]:
        """Return the objects that `kubectl get` finds."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", *words, "--output", "json"))["items"]
        return items

    def start_client(self, image: str) -> None:
        """Start the pod that calls Tollway, and wait for it."""
        self.kubectl("create", "configmap", "client", f"--from-file={CLIENT / 'ask.py'}")
        pod = (CLIENT / "pod.yaml").read_text().replace("CLIENT_IMAGE", image)
        self.kubectl("apply", "--filename", "-", text=pod)
        self.kubectl(
            "wait", "pod/client", "--for=condition=Ready", f"--timeout={READY_SECONDS}s", seconds=READY_SECONDS
        )


@dataclass
class Release:
    """One installed chart."""

    namespace: Namespace
    values: dict[str, Any]
    seconds_to_first_answer: float = 0

    def install(self) -> None:
        self._helm("install", self.values)

    def upgrade(self, values: dict[str, Any]) -> None:
        """Change values; those not named stay."""
        self._helm("upgrade", values, "--reuse-values")

    def _helm(self, verb: str, values: dict[str, Any], *flags: str) -> None:
        words = ("--namespace", self.namespace.name, "--values", "-", *flags)
        run("helm", verb, RELEASE, str(CHART), *words, text=json.dumps(values))

    def wait(self) -> None:
        """Wait until every Deployment serves; tell what is wrong where one does not."""
        chosen = ("--selector", f"app.kubernetes.io/instance={RELEASE}", f"--timeout={READY_SECONDS}s")
        try:
            self.namespace.kubectl("rollout", "status", "deployment", *chosen, seconds=READY_SECONDS * 2)
        except CommandFailed as error:
            raise CommandFailed(f"{error}\n{self.trouble()}") from None

    def trouble(self) -> str:
        """Pods, what the cluster says of them, and the end of their logs."""
        logs = ("--selector", f"app.kubernetes.io/instance={RELEASE}", "--prefix", "--tail=20")
        looks = (("get", "pods"), ("get", "events", "--sort-by=.lastTimestamp"), ("logs", *logs))
        return "\n".join(self.namespace.kubectl(*look) for look in looks)

    def key(self) -> str:
        """Return the virtual key of the workspace `default`."""
        return self.secret("key", "key")

    def secret(self, name: str, entry: str) -> str:
        """Return one entry of a Secret of the release."""
        template = f"go-template={{{{.data.{entry} | base64decode}}}}"
        return self.namespace.kubectl("get", "secret", f"{RELEASE}-{name}", "--output", template)

    def ask(self, function: str, text: str) -> Any:
        """Run one function of client/ask.py in the client's pod."""
        told = json.dumps({"url": f"http://{RELEASE}-edge:8000", "key": self.key(), "text": text})
        command = ("exec", "--stdin", "client", "--", "python", "/client/ask.py", function)
        return json.loads(self.namespace.kubectl(*command, text=told, seconds=120))

    def redis_keys(self, role: str) -> int:
        """Return how many keys the Redis of a role holds."""
        ask = 'REDISCLI_AUTH=$(sed -n "s/^requirepass //p" /etc/redis/redis.conf) redis-cli dbsize'
        command = ("exec", f"deployment/{RELEASE}-redis-{role}", "--", "sh", "-c", ask)
        return int(self.namespace.kubectl(*command).split()[-1])

    def uninstall(self) -> None:
        run("helm", "uninstall", RELEASE, "--namespace", self.namespace.name, "--wait", seconds=READY_SECONDS)

    def leftovers(self) -> list[str]:
        """What is still there of the release once everything had time to end."""
        chosen = (KINDS, "--selector", f"app.kubernetes.io/instance={RELEASE}")
        deadline = time.monotonic() + 60
        while (left := self.namespace.get(*chosen)) and time.monotonic() < deadline:
            self.namespace.kubectl("wait", "--for=delete", *chosen, "--timeout=60s", seconds=90)
        return [f"{item['kind']}/{item['metadata']['name']}" for item in left]
