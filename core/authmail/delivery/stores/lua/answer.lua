-- What became of a message.
-- KEYS: the entry's. ARGV: now. Reply: fingerprint, answer, lease; nothing where there is none.
local entry = redis.call('HMGET', KEYS[1], 'fingerprint', 'answer', 'lease', 'until')
if not entry[1] or tonumber(entry[4]) <= now then return false end
return {entry[1], entry[2], text(tonumber(entry[3]) - now)}
