;; What differs between the arms becomes a parameter of the block after them, and nothing else.
(module
  (func $else (param $c i32) (param $x i32) (param $same i32) (result i32)
    (if (result i32) (local.get $c)
      (then (local.set $x (i32.const 1)) (i32.const 10))
      (else (local.set $x (i32.const 2)) (i32.const 20)))
    (i32.add (local.get $x))
    (i32.add (local.get $same)))
  (func $no_else (param $c i32) (param $x i32) (result i32)
    (if (local.get $c) (then (local.set $x (i32.add (local.get $x) (i32.const 1)))))
    (local.get $x))
  (func $one_arm_leaves (param $c i32) (param $x i32) (result i32)
    (if (local.get $c)
      (then (local.set $x (i32.const 1)) (return (i32.const 7)))
      (else (local.set $x (i32.const 2))))
    (local.get $x))
  (func $params (param $c i32) (result i32)
    (i32.const 1)
    (i32.const 2)
    (if (param i32 i32) (result i32) (local.get $c)
      (then i32.add)
      (else i32.sub)))
  (func $through (param $c i32) (result i32)
    (i32.const 4)
    (if (param i32) (result i32) (local.get $c) (then (i32.const 1) i32.add))))
;; ---- lifted
;; function "else"(i32, i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32, v2: i32) pc 0x29:
;;   br_if v0, block1, block2
;; block1 pc 0x2e:
;;   v3 = iconst.i32 1
;;   v4 = iconst.i32 10
;;   br block3(v4, v3)
;; block2 pc 0x35:
;;   v5 = iconst.i32 2
;;   v6 = iconst.i32 20
;;   br block3(v6, v5)
;; block3(v7: i32, v8: i32) pc 0x3c:
;;   v9 = add.i32 v7, v8
;;   v10 = add.i32 v2, v9
;;   ret v10
;; }
;;
;; function "no_else"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x44:
;;   br_if v0, block1, block2(v1)
;; block1 pc 0x49:
;;   v2 = iconst.i32 1
;;   v3 = add.i32 v1, v2
;;   br block2(v3)
;; block2(v4: i32) pc 0x51:
;;   ret v4
;; }
;;
;; function "one_arm_leaves"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x55:
;;   br_if v0, block1, block2
;; block1 pc 0x5a:
;;   v2 = iconst.i32 1
;;   v3 = iconst.i32 7
;;   ret v3
;; block2 pc 0x62:
;;   v4 = iconst.i32 2
;;   ret v4
;; }
;;
;; function "params"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x6b:
;;   v1 = iconst.i32 1
;;   v2 = iconst.i32 2
;;   br_if v0, block1, block2
;; block1 pc 0x74:
;;   v3 = iconst.i32 3
;;   br block3(v3)
;; block2 pc 0x76:
;;   v4 = iconst.i32 -1
;;   br block3(v4)
;; block3(v5: i32) pc 0x78:
;;   ret v5
;; }
;;
;; function "through"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x7a:
;;   v1 = iconst.i32 4
;;   br_if v0, block1, block2(v1)
;; block1 pc 0x81:
;;   v2 = iconst.i32 1
;;   v3 = iconst.i32 5
;;   br block2(v3)
;; block2(v4: i32) pc 0x85:
;;   ret v4
;; }
