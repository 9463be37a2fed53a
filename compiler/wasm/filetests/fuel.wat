;; Segments and what they cost, docs/wasm_lifting.md.
;; metered
(module
  (func $f (import "m" "f"))
  (memory 1)
  (func $empty)
  (func $straight (param i32) (i32.store (local.get 0) (i32.load (local.get 0))) (nop) (block (nop)))
  (func $calls (param i32) (call $empty) (drop (local.get 0)) (call $f) (call $calls (local.get 0)))
  (func $loop (param i32)
    (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))
  (func $arms (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2) (i32.clz)))
    (i32.ctz))
  (func $targeted (param i32)
    (block (block (drop (i32.const 0))) (br_if 0 (local.get 0)) (drop (i32.const 1)))
    (drop (i32.const 2)))
  (func $by_dead_code (param i32)
    (block
      (if (local.get 0)
        (then
          (block (br 2)) ;; validation sees the branch after it, although nothing gets there
          (br 1)))
      (drop (i32.const 1)))
    (drop (i32.const 2)))
  (func $only_by_dead_code
    (block $a
      (block $b
        (block $c (return))
        (br $a)))
    (drop (i32.const 2)))
  (func $tail (return_call $calls (i32.const 1)))
  (func $bulk (memory.fill (i32.const 0) (i32.const 1) (i32.const 2)) (drop (i32.const 1))))
;; ---- lifted
;; function "empty"() -> () wasm entries block0 {
;; block0 pc 0x37:
;;   ret
;; }
;;
;; function "straight"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x3a:
;;   meter 4 @0x3b refund 4
;;   v1 = load.i32 u32 v0 @0x3f refund 2
;;   store.i32 u32 v0, v1 @0x42 refund 1
;;   ret
;; }
;;
;; function "calls"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x4c:
;;   meter 1 @0x4d refund 1
;;   call @f55() @0x4d
;;   meter 3 @0x4f refund 3
;;   v1 = load_context.i64 64 17056
;;   v2 = context_address 17040
;;   v3 = iconst.i32 0
;;   call_pointer v1, v2, v3() @0x52
;;   meter 2 @0x54 refund 2
;;   call @f76(v0) @0x56
;;   ret
;; }
;;
;; function "loop"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x5a:
;;   br block1(v0)
;; block1(v1: i32) pc 0x5d:
;;   meter 6 @0x5d refund 6
;;   v2 = iconst.i32 1
;;   v3 = iconst.i32 -1
;;   v4 = add.i32 v1, v3
;;   br_if v4, block1(v4), block2
;; block2 pc 0x68:
;;   ret
;; }
;;
;; function "arms"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x6b:
;;   meter 2 @0x6c refund 2
;;   br_if v0, block1, block2
;; block1 pc 0x70:
;;   meter 1 @0x70 refund 1
;;   v1 = iconst.i32 1
;;   br block3(v1)
;; block2 pc 0x73:
;;   meter 2 @0x73 refund 2
;;   v2 = iconst.i32 2
;;   v3 = iconst.i32 30
;;   br block3(v3)
;; block3(v4: i32) pc 0x77:
;;   meter 1 @0x77 refund 1
;;   v5 = ctz.i32 v4
;;   ret v5
;; }
;;
;; function "targeted"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x7a:
;;   meter 4 @0x7f refund 4
;;   v1 = iconst.i32 0
;;   br_if v0, block2, block1
;; block1 pc 0x87:
;;   meter 2 @0x87 refund 2
;;   v2 = iconst.i32 1
;;   br block2
;; block2 pc 0x8b:
;;   meter 2 @0x8b refund 2
;;   v3 = iconst.i32 2
;;   ret
;; }
;;
;; function "by_dead_code"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x90:
;;   meter 2 @0x93 refund 2
;;   br_if v0, block1, block2
;; block1 pc 0x97:
;;   meter 1 @0x99 refund 1
;;   br block3
;; block2 pc 0x9f:
;;   meter 2 @0x9f refund 2
;;   v1 = iconst.i32 1
;;   br block3
;; block3 pc 0xa3:
;;   meter 2 @0xa3 refund 2
;;   v2 = iconst.i32 2
;;   ret
;; }
;;
;; function "only_by_dead_code"() -> () wasm entries block0 {
;; block0 pc 0xa8:
;;   meter 1 @0xaf refund 1
;;   ret
;; }
;;
;; function "tail"() -> () wasm entries block0 {
;; block0 pc 0xba:
;;   meter 2 @0xbb refund 2
;;   v0 = iconst.i32 1
;;   tail_call @f76(v0) @0xbd
;; }
;;
;; function "bulk"() -> () wasm entries block0 {
;; block0 pc 0xc1:
;;   meter 6 @0xc2 refund 6
;;   v0 = iconst.i32 0
;;   v1 = iconst.i32 1
;;   v2 = iconst.i32 2
;;   v3 = iconst.i64 0
;;   v4 = iconst.i64 2
;;   v5 = load_context.i64 64 480
;;   v6 = context_address 464
;;   call_pointer v5, v6, v0(v0, v3, v1, v4) @0xc8 refund 3
;;   ret
;; }
