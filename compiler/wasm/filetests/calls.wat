;; Calls: in the module, imported, through a table; and what does not fit in registers.
(module
  (type $t (func (param i32 i64) (result f64)))
  (import "m" "f" (func $import (param i32) (result i32)))
  (table 10 funcref)
  (elem declare func $callee)
  (func $callee (param i32 i64) (result f64) (f64.const 1))
  (func $direct (result f64) (call $callee (i32.const 1) (i64.const 2)))
  (func $to_import (result i32) (call $import (call $import (i32.const 1))))
  (func $indirect (param i32) (result f64)
    (call_indirect (type $t) (i32.const 1) (i64.const 2) (local.get 0)))
  (func $tail (param i32 i64) (result f64) (return_call $callee (local.get 0) (local.get 1)))
  (func $tail_import (result i32) (return_call $import (i32.const 5)))
  (func $tail_indirect (result f64)
    (return_call_indirect (type $t) (i32.const 1) (i64.const 2) (i32.const 3)))
  (func $reference (result funcref) (ref.func $callee))
  (func $many (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i32 f32 i64)
    (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)
    (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)
    (i32.const 7) (i32.const 8) (local.get 9) (local.get 11))
  (func $call_many (result i64)
    (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)
    (i64.const 7) (i64.const 8) (i32.const 9) (f32.const 10) (i64.const 11)
    (call $many)
    (return)) ;; the last result
  (func $many_vectors (param v128 v128 v128 v128 v128 v128 v128 v128 v128 f32) (result v128)
    (drop (f32.neg (local.get 9)))
    (local.get 8)))
;; ---- lifted
;; function "callee"(i32, i64) -> (f64) wasm entries block0 {
;; block0(v0: i32, v1: i64) pc 0x7c:
;;   v2 = fconst.f64 0x3ff0000000000000
;;   ret v2
;; }
;;
;; function "direct"() -> (f64) wasm entries block0 {
;; block0 pc 0x88:
;;   v0 = iconst.i32 1
;;   v1 = iconst.i64 2
;;   v2: f64 = call @f124(v0, v1) @0x8d
;;   ret v2
;; }
;;
;; function "to_import"() -> (i32) wasm entries block0 {
;; block0 pc 0x91:
;;   v0 = iconst.i32 1
;;   v1 = load_context.i64 64 17056
;;   v2 = context_address 17040
;;   v3 = iconst.i32 0
;;   v4: i32 = call_pointer v1, v2, v3(v0) @0x94
;;   v5 = load_context.i64 64 17056
;;   v6: i32 = call_pointer v5, v2, v3(v4) @0x96
;;   ret v6
;; }
;;
;; function "indirect"(i32) -> (f64) wasm entries block0 {
;; block0(v0: i32) pc 0x9a:
;;   v1 = iconst.i32 1
;;   v2 = iconst.i64 2
;;   v3 = extend_u32.i32 v0
;;   v4 = load_context.i64 64 17136
;;   v5 = load_host.i64 64 v4 + 8
;;   v6 = icmp.i64 uge v3, v5
;;   trap_if v6, 14 @0xa1
;;   v7 = load_host.i64 64 v4
;;   v8 = iconst.i64 3
;;   v9 = shl.i64 v3, v8
;;   v10 = add.i64 v7, v9
;;   v11 = load_host.i64 64 v10
;;   v12 = iconst.i64 0
;;   v13 = icmp.i64 eq v11, v12
;;   trap_if v13, 15 @0xa1
;;   v14 = load_context.i64 64 192
;;   v15 = load_host.i64 64 v11
;;   v16 = load_host.i64 64 v11 + 8
;;   v17 = load_context.i64 64 200
;;   v18 = icmp.i64 eq v14, v15
;;   v19 = select.i64 v18, v16, v17
;;   v20 = iconst.i32 0
;;   v21: f64 = call_pointer v19, v11, v20(v1, v2) @0xa1
;;   ret v21
;; }
;;
;; function "tail"(i32, i64) -> (f64) wasm entries block0 {
;; block0(v0: i32, v1: i64) pc 0xa6:
;;   tail_call @f124(v0, v1) @0xab
;; }
;;
;; function "tail_import"() -> (i32) wasm entries block0 {
;; block0 pc 0xaf:
;;   v0 = iconst.i32 5
;;   v1 = load_context.i64 64 17056
;;   v2 = context_address 17040
;;   v3 = iconst.i32 0
;;   tail_pointer v1, v2, v3(v0) @0xb2
;; }
;;
;; function "tail_indirect"() -> (f64) wasm entries block0 {
;; block0 pc 0xb6:
;;   v0 = iconst.i32 1
;;   v1 = iconst.i64 2
;;   v2 = iconst.i32 3
;;   v3 = iconst.i64 3
;;   v4 = load_context.i64 64 17136
;;   v5 = load_host.i64 64 v4 + 8
;;   v6 = iconst.i64 4
;;   v7 = icmp.i64 ult v5, v6
;;   trap_if v7, 14 @0xbd
;;   v8 = load_host.i64 64 v4
;;   v9 = iconst.i64 24
;;   v10 = add.i64 v8, v9
;;   v11 = load_host.i64 64 v10
;;   v12 = iconst.i64 0
;;   v13 = icmp.i64 eq v11, v12
;;   trap_if v13, 15 @0xbd
;;   v14 = load_context.i64 64 192
;;   v15 = load_host.i64 64 v11
;;   v16 = load_host.i64 64 v11 + 8
;;   v17 = load_context.i64 64 200
;;   v18 = icmp.i64 eq v14, v15
;;   v19 = select.i64 v18, v16, v17
;;   v20 = iconst.i32 0
;;   tail_pointer v19, v11, v20(v0, v1) @0xbd
;; }
;;
;; function "reference"() -> (i64) wasm entries block0 {
;; block0 pc 0xc2:
;;   v0 = context_address 17088
;;   ret v0
;; }
;;
;; function "many"(i64, i64, i64, i64, i64, i64, i64, i64, i64, f32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32) wasm entries block0 {
;; block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64, v6: i64, v7: i64, v8: i64, v9: f32) pc 0xc7:
;;   v10 = load_context.i32 u32 1184
;;   v11 = load_context.i64 64 1216
;;   v12 = iconst.i32 0
;;   v13 = iconst.i32 1
;;   v14 = iconst.i32 2
;;   v15 = iconst.i32 3
;;   v16 = iconst.i32 4
;;   v17 = iconst.i32 5
;;   v18 = iconst.i32 6
;;   v19 = iconst.i32 7
;;   v20 = iconst.i32 8
;;   v21 = extend_u32.i32 v10
;;   store_context.i64 64 1184, v21
;;   store_context.i64 64 1200, v11
;;   ret v12, v13, v14, v15, v16, v17, v18, v19, v20
;; }
;;
;; function "call_many"() -> (i64) wasm entries block0 {
;; block0 pc 0xe0:
;;   v0 = iconst.i64 0
;;   v1 = iconst.i64 1
;;   v2 = iconst.i64 2
;;   v3 = iconst.i64 3
;;   v4 = iconst.i64 4
;;   v5 = iconst.i64 5
;;   v6 = iconst.i64 6
;;   v7 = iconst.i64 7
;;   v8 = iconst.i64 8
;;   v9 = iconst.i32 9
;;   v10 = fconst.f32 0x41200000
;;   v11 = iconst.i64 11
;;   v12 = iconst.i64 9
;;   store_context.i64 64 1184, v12
;;   store_context.i64 64 1216, v11
;;   v13: i32, v14: i32, v15: i32, v16: i32, v17: i32, v18: i32, v19: i32, v20: i32, v21: i32 = call @f199(v0, v1, v2, v3, v4, v5, v6, v7, v8, v10) @0xfc
;;   v22 = load_context.i32 u32 1184
;;   v23 = load_context.i64 64 1200
;;   ret v23
;; }
;;
;; function "many_vectors"(v128, v128, v128, v128, v128, v128, v128, v128) -> (v128) wasm entries block0 {
;; block0(v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128) pc 0x101:
;;   v8 = load_context.v128 128 1168
;;   v9 = load_context.f32 u32 1184
;;   v10 = fneg.f32 v9
;;   ret v8
;; }
