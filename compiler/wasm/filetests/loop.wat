;; A loop's first block takes the locals that change before the last branch back, and its parameters.
(module
  (func $count (param $n i32) (param $constant i32) (result i32)
    (local $i i32) (local $after i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (local.get $constant)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n)))
      (local.set $after (local.get $i)))
    (local.get $after))
  (func $not_a_loop (param i32) (result i32)
    (loop (result i32)
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (local.get 0)))
  (func $with_params (param $n i32) (result i32)
    (i32.const 0)
    (loop $again (param i32) (result i32)
      (i32.add (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $nested (param $n i32) (result i32)
    (local $i i32) (local $j i32) (local $sum i32)
    (block $done
      (loop $outer
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $j (i32.const 0))
        (loop $inner
          (local.set $sum (i32.add (local.get $sum) (local.get $j)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $j) (local.get $n))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $outer)))
    (local.get $sum)))
;; ---- lifted
;; function "count"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x21:
;;   v2 = iconst.i32 0
;;   br block1(v2)
;; block1(v3: i32) pc 0x26:
;;   v4 = add.i32 v1, v3
;;   v5 = icmp.i32 ugt v0, v4
;;   br_if v5, block1(v4), block2
;; block2 pc 0x34:
;;   ret v4
;; }
;;
;; function "not_a_loop"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x3d:
;;   v1 = iconst.i32 1
;;   v2 = add.i32 v0, v1
;;   ret v2
;; }
;;
;; function "with_params"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x4c:
;;   v1 = iconst.i32 0
;;   br block1(v1, v0)
;; block1(v2: i32, v3: i32) pc 0x51:
;;   v4 = add.i32 v2, v3
;;   v5 = iconst.i32 1
;;   v6 = iconst.i32 -1
;;   v7 = add.i32 v3, v6
;;   br_if v7, block1(v4, v7), block2
;; block2 pc 0x5d:
;;   ret v4
;; }
;;
;; function "nested"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x60:
;;   v1 = iconst.i32 0
;;   br block1(v1, v1)
;; block1(v2: i32, v3: i32) pc 0x67:
;;   v4 = icmp.i32 ule v0, v2
;;   br_if v4, block5, block2
;; block2 pc 0x6e:
;;   v5 = iconst.i32 0
;;   br block3(v5, v3)
;; block3(v6: i32, v7: i32) pc 0x74:
;;   v8 = add.i32 v6, v7
;;   v9 = iconst.i32 1
;;   v10 = add.i32 v6, v9
;;   v11 = icmp.i32 ugt v0, v10
;;   br_if v11, block3(v10, v8), block4
;; block4 pc 0x89:
;;   v12 = iconst.i32 1
;;   v13 = add.i32 v2, v12
;;   br block1(v13, v8)
;; block5 pc 0x95:
;;   ret v3
;; }
