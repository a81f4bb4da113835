-- A message ends.
-- KEYS: the entry's if there is one, then the counts'.
-- ARGV: nothing, whether there is an entry, token, whether there is an answer, the answer, then for each count the slice that it was counted in, or
-- nothing where it is exact.
local first = 1
if ARGV[2] == '1' then
  first = 2
  if redis.call('HGET', KEYS[1], 'token') == ARGV[3] then
    if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'answer', ARGV[5]) else redis.call('DEL', KEYS[1]) end
  end
end
for index = first, #KEYS do
  local slice = ARGV[6 + index - first]
  if slice == '' then redis.call('ZREM', KEYS[index], ARGV[3])
  elseif tonumber(redis.call('HGET', KEYS[index], slice) or '0') > 0 then redis.call('HINCRBY', KEYS[index], slice, -1) end
end
return 1
