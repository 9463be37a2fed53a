.headers on
.mode column
create table primes(n integer primary key, squared integer, name text);
with recursive numbers(n) as (select 2 union all select n + 1 from numbers where n < 3000)
  insert into primes select n, n * n, printf('prime %05d', n) from numbers as a
    where not exists (select 1 from numbers as b where b.n * b.n <= a.n and a.n % b.n = 0);
select count(*), sum(n), max(squared), avg(n) from primes;
create index by_name on primes(name desc);
select * from primes where name like '%97%' order by name limit 12;
create table gaps as select n, lead(n) over (order by n) - n as gap from primes;
select gap, count(*) as often, min(n) as first from gaps where gap is not null group by gap order by gap;
begin; update primes set name = upper(name) where n % 10 = 7; select count(*) from primes where name glob 'PRIME*'; rollback;
select count(*) from primes where name glob 'PRIME*';
select json_group_array(n) from (select n from primes limit 20);
select hex(zeroblob(8)), quote(1e300 * 1.5), round(3.14159, 3), 7 / 2, 7 / 2.0, typeof(null), 'quo''te';
select * from pragma_integrity_check;
explain query plan select * from primes where name = 'prime 00097';
with recursive mandel(x, y, zx, zy, i) as (
  select x, y, 0.0, 0.0, 0 from (with recursive xs(x) as (values(-2.0) union all select x + 0.1 from xs where x < 0.6) select x from xs),
    (with recursive ys(y) as (values(-1.2) union all select y + 0.2 from ys where y < 1.2) select y from ys)
  union all select x, y, zx * zx - zy * zy + x, 2 * zx * zy + y, i + 1 from mandel where i < 28 and zx * zx + zy * zy < 4.0)
select group_concat(line, char(10)) from (select group_concat(substr(' .:-=+*#%@', 1 + i / 3, 1), '') as line
  from (select x, y, max(i) as i from mandel group by y, x order by y, x) group by y);
vacuum;
