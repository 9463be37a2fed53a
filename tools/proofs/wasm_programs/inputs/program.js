// Classes, closures, generators, regular expressions, JSON, typed arrays, big numbers, dates, sorting. ES5 only where
// Duktape runs it too: see the end.
function sieve(n) {
  var composite = [], primes = [];
  for (var i = 2; i < n; i++) {
    if (composite[i]) continue;
    primes.push(i);
    for (var k = i * i; k < n; k += i) composite[k] = true;
  }
  return primes;
}
var primes = sieve(30000);
print(primes.length, primes[primes.length - 1]);

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
print(fib(21));

function Shape(name) { this.name = name; }
Shape.prototype.toString = function () { return 'shape ' + this.name; };
function Circle(r) { Shape.call(this, 'circle'); this.r = r; }
Circle.prototype = Object.create(Shape.prototype);
Circle.prototype.area = function () { return Math.PI * this.r * this.r; };
var circle = new Circle(2.5);
print(String(circle), circle.area(), circle instanceof Shape);

var text = 'the year 1815, the month 12 and the day 10';
print(text.replace(/(\d+)/g, '<$1>'), text.match(/\b[a-z]{3,}\b/g).join('|'), /^(a+)+$/.test('aaaaaaaaaaaaab'));
print(JSON.stringify({ list: [1, 2.5, null, true, 'x\n"y"'], nested: { empty: {} } }, null, 1));
print(JSON.parse('[1e21, -0.1, "\\u00e9", {"a": []}]'));
var numbers = [];
for (var i = 0, x = 12345; i < 3000; i++) numbers.push(x = (x * 1103515245 + 12345) % 2147483648);
numbers.sort(function (a, b) { return a - b; });
print(numbers.slice(0, 5), numbers[2999], (0.1 + 0.2), 1 / 3, 1e21, -1 >>> 0, 5 % -3, parseInt('7f', 16), (255).toString(2));
print(new Date(0).toISOString(), new Date(Date.UTC(2024, 1, 29)).getUTCDay());
var bytes = new Uint8Array(16), view = new DataView(bytes.buffer);
view.setFloat64(0, Math.E);
view.setInt16(8, -2, true);
print(Array.prototype.join.call(bytes, ','));
var matrix = [];
for (var r = 0; r < 40; r++) { matrix.push([]); for (var c = 0; c < 40; c++) matrix[r].push(Math.sin(r * c)); }
var trace = 0;
for (r = 0; r < 40; r++) for (c = 0; c < 40; c++) for (var m = 0; m < 40; m++) if (r === c) trace += matrix[r][m] * matrix[m][c];
print(trace.toFixed(10), Math.pow(2, 0.5), Math.atan2(1, -2), Math.exp(1.5), Math.log(10));
print([3, 1, 2].map(String).sort().reverse().concat(['z']).indexOf('1'), encodeURIComponent('ä ö/?'), unescape('%41'));
