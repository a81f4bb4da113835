-- Time in seconds, from the caller or of the server; numbers go back as text, since a reply has no fractions.
local function text(number) return string.format('%.17g', number) end
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function expire(key, seconds) redis.call('PEXPIRE', key, math.ceil(seconds * 1000) + 60000) end
