;; What the runtime does: calls of its helpers.
(module
  (memory 1)
  (data $d "abc")
  (func $all (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2))
    (memory.copy (local.get 0) (local.get 1) (local.get 2))
    (memory.init $d (local.get 0) (local.get 1) (local.get 2))
    (data.drop $d)))
;; ---- lifted
;; function "all"(i32, i32, i32) -> () wasm entries block0 {
;; block0(v0: i32, v1: i32, v2: i32) pc 0x21:
;;   v3 = iconst.i32 0
;;   v4 = extend_u32.i32 v0
;;   v5 = extend_u32.i32 v2
;;   v6 = load_context.i64 64 480
;;   v7 = context_address 464
;;   call_pointer v6, v7, v3(v3, v4, v1, v5) @0x28
;;   v8 = extend_u32.i32 v1
;;   v9 = load_context.i64 64 528
;;   v10 = context_address 512
;;   call_pointer v9, v10, v3(v3, v3, v4, v8, v5) @0x31
;;   v11 = load_context.i64 64 576
;;   v12 = context_address 560
;;   call_pointer v11, v12, v3(v3, v3, v4, v8, v5) @0x3b
;;   v13 = load_context.i64 64 624
;;   v14 = context_address 608
;;   call_pointer v13, v14, v3(v3) @0x3f
;;   ret
;; }
