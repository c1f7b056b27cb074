/** What must happen in Redis in one step, as Lua. Time is Redis's own, so that processes whose clocks differ agree. Knows no driver. */
import { hash } from "node:crypto";

export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

const clock = `
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local function whole(number) return string.format('%.0f', number) end
`;
/** A lease is kept as "fence end holder", also after its end: for the fence. */
const lease = `
local function read(text)
  local fence, ends, holder = string.match(text or '', '^(%d+) (%d+) (.*)$')
  return tonumber(fence or 0), tonumber(ends or 0), holder
end
local function write(name, fence, ends, holder)
  redis.call('HSET', KEYS[1], name, whole(fence) .. ' ' .. whole(ends) .. ' ' .. holder)
end
`;
const script = (...parts: readonly string[]): Script => {
  const lua = parts.join("");
  return { lua, sha1: hash("sha1", lua, "hex") };
};

/** leases | name, holder, ttl_ms → fence, or nothing */
export const acquire = script(
  clock,
  lease,
  `
local fence, ends, holder = read(redis.call('HGET', KEYS[1], ARGV[1]))
if ends > now and holder ~= ARGV[2] then return false end
fence = math.max(fence + 1, now)
write(ARGV[1], fence, now + tonumber(ARGV[3]), ARGV[2])
return fence`,
);

/** leases | ttl_ms (0 gives them back), then name, fence … → 1 for each, or 0 where it ended or is another's */
export const extend = script(
  clock,
  lease,
  `
local out = {}
for i = 2, #ARGV, 2 do
  local fence, ends, holder = read(redis.call('HGET', KEYS[1], ARGV[i]))
  local own = fence == tonumber(ARGV[i + 1]) and ends > now
  if own then write(ARGV[i], fence, now + tonumber(ARGV[1]), holder) end
  out[#out + 1] = own and 1 or 0
end
return out`,
);

/** leases | prefix → name, holder, fence, left_ms … */
export const holders = script(
  clock,
  lease,
  `
local all, out = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[1]) == ARGV[1] then
    local fence, ends, holder = read(all[i + 1])
    if ends > now then
      for _, part in ipairs({ all[i], holder, fence, ends - now }) do out[#out + 1] = part end
    end
  end
end
return out`,
);

/** members | name, ttl_ms, text */
export const join = script(
  clock,
  `
redis.call('HSET', KEYS[1], ARGV[1], whole(now + tonumber(ARGV[2])) .. ' ' .. ARGV[3])
return 1`,
);

/** members → text … */
export const list = script(
  clock,
  `
local all, out = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local ends, text = string.match(all[i + 1], '^(%d+) (.*)$')
  if ends and tonumber(ends) > now then out[#out + 1] = text else redis.call('HDEL', KEYS[1], all[i]) end
end
return out`,
);

/** Keys of counters | "take" or "charge", then of each interval_us, burst_us, cost → wait_us, left, recovered_us of each. As kit's RateLimit. */
export const draw = script(
  clock,
  `
local dues, answers, fits = {}, {}, true
for i = 1, #KEYS do
  local interval, burst, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local due = math.max(tonumber(redis.call('GET', KEYS[i]) or 0), now_us)
  local wait = math.max(0, due + math.min(interval * cost, burst) - now_us - burst)
  if wait > 0 then fits = false end
  dues[i] = due
  answers[i] = wait
end
local out = {}
for i = 1, #KEYS do
  local interval, burst, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local due = dues[i]
  if fits or ARGV[1] == 'charge' then
    due = due + interval * cost
    redis.call('SET', KEYS[i], whole(due), 'PX', whole(math.max(1, math.ceil((due - now_us) / 1000))))
  end
  local recovered = math.max(0, due - now_us)
  for _, part in ipairs({ math.ceil(answers[i]), math.max(0, math.floor((burst - recovered) / interval)), math.ceil(recovered) }) do
    out[#out + 1] = part
  end
end
return out`,
);

/** what was seen in a span | most, ttl_ms, members … → 1, or nothing where there are too many */
export const remember = script(`
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[1]) then return false end
redis.call('SADD', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** what was seen, by span | members … → 1 or 0 of each */
export const remembered = script(`
local out = {}
for i = 1, #ARGV do out[i] = 0 end
for _, key in ipairs(KEYS) do
  for i, there in ipairs(redis.call('SMISMEMBER', key, unpack(ARGV))) do
    if there == 1 then out[i] = 1 end
  end
end
return out`);
