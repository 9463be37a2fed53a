;; Structured control flow: what crosses blocks, loops and branches, and in which order things happen.

(module
  (func (export "loop_sum") (param i32) (result i64)
    (local $sum i64) (local $i i32)
    (loop $next
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
      (br_if $next (i32.le_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
    (local.get $sum))

  ;; A loop with parameters, fed by its back edge.
  (func (export "fib") (param i32) (result i32)
    (i32.const 0) (i32.const 1)
    (loop $l (param i32 i32) (result i32)
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (call $fib_step)
      (br_if $l (i32.gt_s (local.get 0) (i32.const 0)))
      (drop)))
  (func $fib_step (param i32 i32) (result i32 i32)
    (local.get 1) (i32.add (local.get 0) (local.get 1)))

  ;; Swaps through a loop's parameters: all edges' values move at once.
  (func (export "swap") (param $n i32) (param $a i32) (param $b i32) (result i32 i32)
    (local.get $a) (local.get $b)
    (loop $l (param i32 i32) (result i32 i32)
      (local.set $b) (local.set $a)
      (local.get $b) (local.get $a)
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  (func (export "if_values") (param i32) (result i32 f64)
    (if (result i32 f64) (local.get 0)
      (then (i32.const 1) (f64.const 2.5))
      (else (i32.const 3) (f64.const -4.5))))

  ;; A local set on one side only.
  (func (export "one_side") (param i32 i32) (result i32)
    (if (local.get 0) (then (local.set 1 (i32.const 77))))
    (local.get 1))

  (func (export "table") (param i32) (result i32)
    (block $a (result i32)
      (block $b (result i32)
        (block $c (result i32)
          (br_table $c $b $a $c (i32.const 10) (local.get 0)))
        (i32.add (i32.const 1)))
      (i32.add (i32.const 100))))

  (func (export "nested_break") (param i32) (result i32)
    (block $out (result i32)
      (loop $l
        (drop (br_if $out (local.get 0) (i32.gt_u (local.get 0) (i32.const 40))))
        (local.set 0 (i32.mul (local.get 0) (i32.const 3)))
        (br $l))
      (unreachable)))

  ;; The inner loop assigns after the last branch to the outer one, and comes back to that branch.
  (func (export "assigned_after_branch") (result i32)
    (local $x i32) (local $n i32)
    (loop $outer (result i32)
      (if (result i32) (local.get $x)
        (then (local.get $x))
        (else
          (loop $inner
            (br_if $outer (local.get $x))
            (local.set $x (local.get $n))
            (local.set $n (i32.add (local.get $n) (i32.const 7)))
            (br_if $inner (i32.lt_u (local.get $n) (i32.const 100))))
          (i32.const -1)))))

  (func (export "unreachable_code") (result i32)
    (block (result i32)
      (br 0 (i32.const 5))
      (i32.add)
      (block (result i64) (br 1 (i32.const 3)) (drop))
      (drop)
      (unreachable)))

  (func (export "select_order") (param i32) (result i32)
    (local $log i32)
    (select
      (i32.const 7)
      (i32.const 9)
      (local.get 0)))

  (func (export "return_in_loop") (param i32) (result i32)
    (loop (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br 0))
    (unreachable))

  (func $ack (export "ackermann") (param $m i32) (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $m))
      (then (i32.add (local.get $n) (i32.const 1)))
      (else (if (result i32) (i32.eqz (local.get $n))
        (then (call $ack (i32.sub (local.get $m) (i32.const 1)) (i32.const 1)))
        (else (call $ack (i32.sub (local.get $m) (i32.const 1))
                       (call $ack (local.get $m) (i32.sub (local.get $n) (i32.const 1)))))))))
  (func $run (export "runaway") (result i32) (i32.add (call $run) (i32.const 1))))

(assert_return (invoke "loop_sum" (i32.const 1000)) (i64.const 500500))
(assert_return (invoke "fib" (i32.const 10)) (i32.const 55))
(assert_return (invoke "swap" (i32.const 5) (i32.const 1) (i32.const 2)) (i32.const 2) (i32.const 1))
(assert_return (invoke "swap" (i32.const 6) (i32.const 1) (i32.const 2)) (i32.const 1) (i32.const 2))
(assert_return (invoke "if_values" (i32.const 1)) (i32.const 1) (f64.const 2.5))
(assert_return (invoke "if_values" (i32.const 0)) (i32.const 3) (f64.const -4.5))
(assert_return (invoke "one_side" (i32.const 0) (i32.const 5)) (i32.const 5))
(assert_return (invoke "one_side" (i32.const 1) (i32.const 5)) (i32.const 77))
(assert_return (invoke "table" (i32.const 0)) (i32.const 111))
(assert_return (invoke "table" (i32.const 1)) (i32.const 110))
(assert_return (invoke "table" (i32.const 2)) (i32.const 10))
(assert_return (invoke "table" (i32.const 3)) (i32.const 111))
(assert_return (invoke "table" (i32.const -1)) (i32.const 111))
(assert_return (invoke "nested_break" (i32.const 1)) (i32.const 81))
(assert_return (invoke "assigned_after_branch") (i32.const 7))
(assert_return (invoke "unreachable_code") (i32.const 5))
(assert_return (invoke "select_order" (i32.const 1)) (i32.const 7))
(assert_return (invoke "return_in_loop" (i32.const 9)) (i32.const 42))
(assert_return (invoke "ackermann" (i32.const 2) (i32.const 3)) (i32.const 9))
(assert_exhaustion (invoke "runaway") "call stack exhausted")
