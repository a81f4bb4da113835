-- A note is left.
-- KEYS: the note's. ARGV: now, seconds, text.
redis.call('SET', KEYS[1], text(now + tonumber(ARGV[2])) .. '\n' .. ARGV[3])
expire(KEYS[1], tonumber(ARGV[2]))
return 1
