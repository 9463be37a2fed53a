-- Closures, tables, strings, patterns, coroutines, metatables, integers and floats. (No error is raised: setjmp is missing.)
local function primes(n)
  local sieve, found = {}, {}
  for i = 2, n do
    if not sieve[i] then
      found[#found + 1] = i
      for k = i * i, n, i do sieve[k] = true end
    end
  end
  return found
end
local p = primes(200000)
print(#p, p[#p])

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
Vector.__tostring = function(v) return string.format("(%g, %g)", v.x, v.y) end
print(setmetatable({ x = 1, y = 2.5 }, Vector) + setmetatable({ x = 0.25, y = -7 }, Vector))

local words = {}
for word in ("the quick brown fox jumps over the lazy dog the end"):gmatch("%a+") do
  words[word] = (words[word] or 0) + 1
end
local sorted = {}
for word in pairs(words) do sorted[#sorted + 1] = word end
table.sort(sorted, function(a, b) return words[a] > words[b] or words[a] == words[b] and a < b end)
for _, word in ipairs(sorted) do io.write(word, "=", words[word], " ") end
print()
print((("hello world"):gsub("o", "0")), ("%5.2f|%-8s|%08x"):format(math.pi, "left", 48879))
print(7 // 2, -7 // 2, -7 % 3, 7.5 // 2, 1 << 40, 3 | 4, math.maxinteger + 1 == math.mininteger, 2 ^ 0.5, 10 / 0, 0 / 0 ~= 0 / 0)

local function queens(n)
  local count, columns, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then count = count + 1 return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c]) then
        columns[c], up[row + c], down[row - c] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c] = nil, nil, nil
      end
    end
  end
  place(1)
  return count
end
print(queens(8))

local function mandel(w, h, limit)
  local lines = {}
  for y = 0, h - 1 do
    local line = {}
    for x = 0, w - 1 do
      local cr, ci, zr, zi, i = 3 * x / w - 2.2, 2.4 * y / h - 1.2, 0, 0, 0
      while i < limit and zr * zr + zi * zi < 4 do zr, zi, i = zr * zr - zi * zi + cr, 2 * zr * zi + ci, i + 1 end
      line[#line + 1] = (" .:-=+*#%@"):sub(1 + i * 9 // limit, 1 + i * 9 // limit)
    end
    lines[#lines + 1] = table.concat(line)
  end
  return table.concat(lines, "\n")
end
print(mandel(72, 24, 300))

local file = assert(io.open(arg[1], "w"))
for i = 1, 1000 do file:write(i, " ", i * i, "\n") end
file:close()
local sum = 0
for line in io.lines(arg[1]) do sum = sum + tonumber(line:match("%d+ (%d+)")) end
print(sum, os.getenv("PROOF"))
print(io.read("l"), io.read("n"), io.read("a"))
os.exit(7)
