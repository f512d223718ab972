"""Cooldowns in the Redis of the role `state`, shared by all replicas: one hash, changed by scripts in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_provider_dispatch.adapters.state_redis import limited, open_redis
from tollway_provider_dispatch.domain.cooldown import FORGOTTEN_SECONDS, MOST_REMEMBERED, Cooldown
from tollway_provider_dispatch.domain.ports import CooldownsUnavailable
from tollway_provider_dispatch.domain.trying.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

KEY = "tollway:cooldowns"
ANSWER_SECONDS = 0.5

# Redis' own time: replicas' clocks differ
_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
_KNOWN = "local seen = redis.call('HGET', KEYS[1], ARGV[1]) local known = seen and cjson.decode(seen) "
# of too many entries the one that ends first makes room
_MAKE_ROOM = f"""
if not seen and redis.call('HLEN', KEYS[1]) >= {MOST_REMEMBERED} then
  local first, ends, all = nil, math.huge, redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local until_ms = cjson.decode(all[i + 1]).until_ms
    if until_ms < ends then first, ends = all[i], until_ms end
  end
  redis.call('HDEL', KEYS[1], first)
end
"""
# scope, cause, reason, milliseconds until an entry is forgotten, milliseconds of each step
_TRIP = f"""{_NOW}{_KNOWN}{_MAKE_ROOM}
if known and now - known.until_ms > tonumber(ARGV[4]) then known = nil end
local is_new, steps = not known, #ARGV - 4
if known and known.until_ms > now then
  if steps == 1 then known.until_ms = math.max(known.until_ms, now + tonumber(ARGV[5])) end
else
  local level = known and math.min(known.level + 1, steps - 1) or 0
  known = {{cause = ARGV[2], reason = ARGV[3], level = level, until_ms = now + tonumber(ARGV[5 + level])}}
end
known.probed_ms = 0
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(known))
return {{known.cause, known.reason, known.until_ms - now, known.level, is_new and 1 or 0}}
"""
# scope, milliseconds
_CLAIM = f"""{_NOW}{_KNOWN}
if not known then return 1 end
if known.probed_ms > now then return 0 end
known.probed_ms = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(known))
return 1
"""
# scope
_RELEASE = f"""{_KNOWN}
if known then
  known.probed_ms = 0
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(known))
end
"""
# milliseconds until an entry is forgotten, the cause that is forgotten at once
_ENTRIES = f"""{_NOW}
local told, all = {{}}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local each = cjson.decode(all[i + 1])
  if now - each.until_ms > (each.cause == ARGV[2] and 0 or tonumber(ARGV[1])) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    told[#told + 1] = {{all[i], each.cause, each.reason, math.max(0, each.until_ms - now), each.level}}
  end
end
return told
"""


class RedisCooldowns:
    """A `CooldownStore`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        scripts = (_TRIP, _CLAIM, _RELEASE, _ENTRIES)
        self._trip, self._claim, self._release, self._entries = map(redis.register_script, scripts)

    @classmethod
    def from_url(cls, url: str) -> RedisCooldowns:
        """Connect on first use; a malformed URL is a ValueError."""
        return cls(open_redis(url))

    async def close(self) -> None:
        await self._redis.aclose()

    async def trip(self, scope: str, cause: Verdict, reason: str, steps: Sequence[float]) -> Cooldown:
        steps_ms = [round(seconds * 1000) for seconds in steps]
        told = await self._ask(self._trip, scope, cause.value, reason, round(FORGOTTEN_SECONDS * 1000), *steps_ms)
        return _cooldown(scope, *told[:4], is_new=bool(told[4]))

    async def claim(self, scope: str, seconds: float) -> bool:
        return bool(await self._ask(self._claim, scope, round(seconds * 1000)))

    async def release(self, scope: str) -> None:
        await self._ask(self._release, scope)

    async def clear(self, scope: str) -> None:
        async with limited(ANSWER_SECONDS, CooldownsUnavailable):
            await self._redis.hdel(KEY, scope)

    async def entries(self) -> list[Cooldown]:
        told = await self._ask(self._entries, round(FORGOTTEN_SECONDS * 1000), Verdict.RATE_LIMITED.value)
        return [_cooldown(scope.decode(), *rest) for scope, *rest in told]

    async def _ask(self, script: Any, *arguments: str | int) -> Any:
        async with limited(ANSWER_SECONDS, CooldownsUnavailable):
            return await script(keys=[KEY], args=arguments)


def _cooldown(scope: str, cause: bytes, reason: bytes, left_ms: int, level: int, *, is_new: bool = False) -> Cooldown:
    return Cooldown(scope, Verdict(cause.decode()), reason.decode(), left_ms / 1000, level, is_new)
