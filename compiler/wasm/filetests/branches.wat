;; Branches of all kinds, and code that nothing reaches.
(module
  (func $out_of_two (param $a i32) (param $b i32) (result i32)
    (block $outer (result i32)
      (block $inner
        (br_if $inner (local.get $a))
        (br_if $outer (i32.const 1) (local.get $b))
        (drop)
        (local.set $a (i32.const 9)))
      (local.get $a)))
  (func $table (param i32) (result i32)
    (local $r i32)
    (block $default
      (block $two
        (block $zero
          (br_table $zero $default $two $zero $default (local.get 0)))
        (local.set $r (i32.const 100))
        (br $default))
      (local.set $r (i32.const 200)))
    (local.get $r))
  (func $table_in_loop (param i32) (result i32)
    (loop $again
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (block (br_table $again 0 $again (local.get 0))))
    (local.get 0))
  (func $return_if (param i32 i32) (result i32)
    (br_if 0 (local.get 1) (local.get 0))
    (return))
  (func $unreachable (param i32) (result i32)
    (block
      (br 0)
      (loop (if (i32.const 1) (then (br 1)) (else (br 2))) (i32.const 1) (local.set 0))
      (drop))
    (block (unreachable) (drop) (br 0) (i32.add) (drop))
    (local.get 0))
  (func $dead_end (result i32)
    (block (br 1 (i32.const 3)))
    (loop (br 0))
    (i32.const 4)))
;; ---- lifted
;; function "out_of_two"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x28:
;;   br_if v0, block3(v0), block1
;; block1 pc 0x31:
;;   v2 = iconst.i32 1
;;   br_if v1, block4(v2), block2
;; block2 pc 0x37:
;;   v3 = iconst.i32 9
;;   br block3(v3)
;; block3(v4: i32) pc 0x3d:
;;   br block4(v4)
;; block4(v5: i32) pc 0x40:
;;   ret v5
;; }
;;
;; function "table"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x42:
;;   v1 = iconst.i32 0
;;   br_table v0, [block1, block2, block3, block1, block2]
;; block1 pc 0x4d:
;;   br block4
;; block2 pc 0x4d:
;;   br block6(v1)
;; block3 pc 0x4d:
;;   br block5
;; block4 pc 0x55:
;;   v2 = iconst.i32 100
;;   br block6(v2)
;; block5 pc 0x5d:
;;   v3 = iconst.i32 200
;;   br block6(v3)
;; block6(v4: i32) pc 0x63:
;;   ret v4
;; }
;;
;; function "table_in_loop"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x67:
;;   br block1(v0)
;; block1(v1: i32) pc 0x6a:
;;   v2 = iconst.i32 1
;;   v3 = add.i32 v1, v2
;;   br_table v3, [block2, block3, block2]
;; block2 pc 0x75:
;;   br block1(v3)
;; block3 pc 0x75:
;;   br block4
;; block4 pc 0x7b:
;;   ret v3
;; }
;;
;; function "return_if"(i32, i32) -> (i32) wasm entries block0 {
;; block0(v0: i32, v1: i32) pc 0x80:
;;   br_if v0, block2, block1
;; block1 pc 0x87:
;;   ret v1
;; block2 pc 0x89:
;;   ret v1
;; }
;;
;; function "unreachable"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x8a:
;;   br block1
;; block1 cold pc 0xa2:
;;   trap 8 @0xa4
;; }
;;
;; function "dead_end"() -> (i32) wasm entries block0 {
;; block0 pc 0xaf:
;;   v0 = iconst.i32 3
;;   ret v0
;; }
