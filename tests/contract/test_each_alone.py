"""Each service is a process of its own: it starts alone, says that it serves, and ends when told to."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[2]
SERVICES = {
    "tollway_cache": "tollway.cache.v1.CacheService",
    "tollway_classifier": "tollway.classifier.v1.ClassifierService",
    "tollway_provider_dispatch": "tollway.provider_dispatch.v1.ProviderDispatchService",
    "tollway_metering": "tollway.metering.v1.MeteringService",
    "tollway_prompt_registry": "tollway.prompt_registry.v1.PromptRegistryService",
}
START_SECONDS = 60


@pytest.mark.parametrize("module", SERVICES)
async def test_a_service_starts_alone_and_ends_cleanly(module: str, tmp_path: Path) -> None:
    socket = f"unix:{tmp_path}/s"
    environ = {
        "PATH": os.environ["PATH"],
        "LISTEN_ADDRESS": socket,
        "TOLLWAY_CONFIG": str(ROOT / "config.yaml"),
        "PROMPTS_DIR": str(ROOT / "prompts"),
        "DEFAULT_WORKSPACE_KEY": "tw_alone-0123456789abcdef",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, cwd=tmp_path, env=environ, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_SECONDS), grpc.aio.insecure_channel(socket) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service=SERVICES[module])
            answer = await health.Check(request, wait_for_ready=True)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    finally:
        process.terminate()
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
