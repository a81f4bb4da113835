-- A message begins: a look for a repeat, limits, its turn, notes.
-- KEYS: version, then the entry's if there is one, the counts', the turn's if there is one, the notes'.
-- ARGV: now, version, whether there is an entry, token, fingerprint, lease, keep, number of counts, for each most, seconds and whether it is
-- exact, then rate or nothing, burst, whether it may take kept places, longest.
-- Reply: now, wait, turn, fingerprint, answer and lease of the entry that there was, then text and seconds of each note.
local version = redis.call('GET', KEYS[1])
if not version then redis.call('SET', KEYS[1], ARGV[2])
elseif tonumber(version) > tonumber(ARGV[2]) + 1 then return redis.error_reply('NEWER version ' .. version) end

local has_entry, token, counts = ARGV[3] == '1', ARGV[4], tonumber(ARGV[8])
local first_count = has_entry and 3 or 2
local turn_argument = 9 + 3 * counts
local has_turn = ARGV[turn_argument] ~= ''
local first_note = first_count + counts + (has_turn and 1 or 0)

local notes = {}
for index = first_note, #KEYS do
  local kept = redis.call('GET', KEYS[index])
  local ends, words = false, false
  if kept then ends, words = string.match(kept, '^([^\n]*)\n(.*)$') end
  if ends and tonumber(ends) > now then
    table.insert(notes, words)
    table.insert(notes, text(tonumber(ends) - now))
  else
    table.insert(notes, false)
    table.insert(notes, '0')
  end
end
local function reply(wait, turn, entry)
  local result = {text(now), text(wait), text(turn), entry[1], entry[2], entry[3]}
  for _, value in ipairs(notes) do table.insert(result, value) end
  return result
end
local nothing = {false, false, '0'}

if has_entry then
  local entry = redis.call('HMGET', KEYS[2], 'fingerprint', 'answer', 'lease', 'until', 'token')
  if entry[1] and tonumber(entry[4]) > now then
    if entry[5] == token and not entry[2] then return reply(0, tonumber(redis.call('HGET', KEYS[2], 'turn')), nothing) end  -- asked again
    return reply(0, 0, {entry[1], entry[2], text(tonumber(entry[3]) - now)})
  end
end

-- A server whose memory is full refuses a script at its first command that writes, if that one may need memory: so what tidies up comes later.
local over = {}
local function wait_for(index)
  local key, at = KEYS[first_count + index], 9 + 3 * index
  local most, seconds = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if ARGV[at + 2] == '1' then
    if redis.call('ZCOUNT', key, '(' .. text(now - seconds), '+inf') < most then return 0 end
    local oldest = redis.call('ZRANGE', key, -most, -most, 'WITHSCORES')
    return tonumber(oldest[2]) + seconds - now
  end
  local first = math.floor(now * SLICES / seconds) - SLICES
  local slices, too_many, flat = {}, 1 - most, redis.call('HGETALL', key)
  for position = 1, #flat, 2 do
    local slice = tonumber(flat[position])
    if slice < first then table.insert(over, {key, flat[position]})
    else
      table.insert(slices, {slice, tonumber(flat[position + 1])})
      too_many = too_many + tonumber(flat[position + 1])
    end
  end
  if too_many <= 0 then return 0 end
  table.sort(slices, function(one, other) return one[1] < other[1] end)
  for _, slice in ipairs(slices) do
    too_many = too_many - slice[2]
    if too_many <= 0 then return math.max((slice[1] + SLICES + 1) * seconds / SLICES - now, 0.000001) end
  end
  return seconds
end
local function count(index)
  local key, at = KEYS[first_count + index], 9 + 3 * index
  local seconds = tonumber(ARGV[at + 1])
  if ARGV[at + 2] == '1' then
    redis.call('ZADD', key, text(now), token)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now - seconds))
  else redis.call('HINCRBY', key, string.format('%d', math.floor(now * SLICES / seconds)), 1) end
  expire(key, seconds * (1 + 2 / SLICES))
end

local wait = 0
for index = 0, counts - 1 do wait = math.max(wait, wait_for(index)) end
if wait > 0 then return reply(wait, 0, nothing) end
for index = 0, counts - 1 do count(index) end
for _, slice in ipairs(over) do redis.call('HDEL', slice[1], slice[2]) end

local turn = 0
if has_turn then
  local key = KEYS[first_count + counts]
  local rate, burst = tonumber(ARGV[turn_argument]), tonumber(ARGV[turn_argument + 1])
  local slack = (burst - 1) / rate
  local start, open, kept, last = now - slack, 0, KEPT - 1, 0
  local row = redis.call('HMGET', key, 'start', 'open', 'kept', 'last')
  if row[1] and tonumber(row[1]) + (tonumber(row[4]) + burst - 1) / rate > now then
    start, open, kept, last = tonumber(row[1]), tonumber(row[2]), tonumber(row[3]), tonumber(row[4])
  end
  local first = math.max(0, math.ceil((now - slack - start) * rate - 0.000001))
  local place = math.max(open, first)
  if place % KEPT == KEPT - 1 then place = place + 1 end
  if ARGV[turn_argument + 2] == '1' then
    local other = math.max(kept, first)
    place = math.min(place, other + (KEPT - 1 - other) % KEPT)
  end
  turn = math.max(0, start + place / rate - now)
  if turn <= tonumber(ARGV[turn_argument + 3]) then
    last = math.max(last, place + 1)
    if place % KEPT == KEPT - 1 then kept = place + 1 else open = place + 1 end
    redis.call('HSET', key, 'start', text(start), 'open', open, 'kept', kept, 'last', last)
    expire(key, start + (last + burst - 1) / rate - now)
  end
end
if has_entry then
  redis.call('HSET', KEYS[2], 'token', token)
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'fingerprint', ARGV[5], 'token', token, 'turn', text(turn),
    'lease', text(now + tonumber(ARGV[6])), 'until', text(now + tonumber(ARGV[7])))
  expire(KEYS[2], tonumber(ARGV[7]))
end
return reply(0, turn, nothing)
