-- What wrk sends: the targets of the file that it is given, in turn; and what it tells at the end, as one line of JSON.
local count = 0

function setup(thread)
   thread:set("number", count)
   count = count + 1
end

function init(args)
   local told = dofile(args[1])
   method, body, name = told.method, told.body, told.name
   targets, ready, sent = told.targets, {}, 0
   for place, target in ipairs(targets) do
      target.headers = {}
      for field, value in pairs(told.headers) do target.headers[field] = value end
      target.headers["Authorization"] = "Bearer " .. target.token
      if method == "GET" then ready[place] = wrk.format("GET", target.path, target.headers) end
   end
end

function request()
   sent = sent + 1
   local place = (sent + number * 7) % #targets + 1
   if ready[place] then return ready[place] end
   local target = targets[place]
   local text = string.gsub(body, "NAME", name .. "-" .. number .. "-" .. sent)
   return wrk.format(method, target.path, target.headers, text)
end

function done(summary, latency, requests)
   local failed = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "bytes": %d, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, summary.duration / 1e6, summary.bytes, failed.status,
      failed.connect + failed.read + failed.write + failed.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
