;; Memory 0 lies behind a register; offsets that do not fit a displacement and other memories take more.
(module
  (memory 1)
  (memory $second 1)
  (memory $big i64 2)
  (func $first (param i32) (result i32)
    (i64.store offset=8 (local.get 0) (i64.load32_s (local.get 0)))
    (f32.store (local.get 0) (f32.load offset=0x7fffffff (local.get 0)))
    (i32.load8_u offset=0xffffffff (local.get 0)))
  (func $other (param i32) (result i32)
    (i32.store16 $second offset=4 (local.get 0) (i32.const 1))
    (i32.load $second offset=0x80000000 (local.get 0)))
  (func $long (param i64) (result i64)
    (i64.store $big (local.get 0) (i64.const 1))
    (i32.store8 $big offset=0x20000 (local.get 0) (i32.const 2))
    (i64.load $big offset=0xfffffff9 (local.get 0)))
  (func $sizes (result i64)
    (drop (memory.grow $second (memory.size)))
    (memory.grow $big (memory.size $big))))
;; ---- lifted
;; function "first"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x2d:
;;   v1 = load.i64 s32 v0 @0x32
;;   store.i64 64 v0 + 8, v1 @0x35
;;   v2 = load.f32 u32 v0 + 2147483647 @0x3c
;;   store.f32 u32 v0, v2 @0x43
;;   v3 = load_context.i64 64 17040
;;   v4 = extend_u32.i32 v0
;;   v5 = iconst.i64 4294967295
;;   v6 = add.i64 v4, v5
;;   v7 = load_at.i32 u8 v3, v6 @0x48
;;   ret v7
;; }
;;
;; function "other"(i32) -> (i32) wasm entries block0 {
;; block0(v0: i32) pc 0x51:
;;   v1 = iconst.i32 1
;;   v2 = load_context.i64 64 17056
;;   v3 = extend_u32.i32 v0
;;   store_at.i32 u16 v2, v3 + 4, v1 @0x56
;;   v4 = load_context.i64 64 17056
;;   v5 = iconst.i64 2147483648
;;   v6 = add.i64 v3, v5
;;   v7 = load_at.i32 u32 v4, v6 @0x5c
;;   ret v7
;; }
;;
;; function "long"(i64) -> (i64) wasm entries block0 {
;; block0(v0: i64) pc 0x66:
;;   v1 = iconst.i64 1
;;   v2 = load_context.i64 64 17072
;;   v3 = load_context.i64 64 17080
;;   v4 = load_host.i64 64 v3 + 8
;;   v5 = iconst.i64 8
;;   v6 = iconst.i64 -8
;;   v7 = add.i64 v4, v6
;;   v8 = icmp.i64 ugt v0, v7
;;   trap_if v8, 12 @0x6b
;;   store_at.i64 64 v2, v0, v1 @0x6b
;;   v9 = iconst.i32 2
;;   v10 = load_context.i64 64 17072
;;   v11 = load_context.i64 64 17080
;;   v12 = load_host.i64 64 v11 + 8
;;   v13 = iconst.i64 131073
;;   v14 = iconst.i64 -131073
;;   v15 = add.i64 v12, v14
;;   v16 = icmp.i64 ugt v0, v15
;;   v17 = icmp.i64 ult v12, v13
;;   v18 = or.i32 v16, v17
;;   trap_if v18, 12 @0x73
;;   store_at.i32 u8 v10, v0 + 131072, v9 @0x73
;;   v19 = load_context.i64 64 17072
;;   v20 = load_context.i64 64 17080
;;   v21 = load_host.i64 64 v20 + 8
;;   v22 = iconst.i64 4294967297
;;   v23 = iconst.i64 -4294967297
;;   v24 = add.i64 v21, v23
;;   v25 = icmp.i64 ugt v0, v24
;;   v26 = icmp.i64 ult v21, v22
;;   v27 = or.i32 v25, v26
;;   trap_if v27, 12 @0x7b
;;   v28 = iconst.i64 4294967289
;;   v29 = add.i64 v0, v28
;;   v30 = load_at.i64 64 v19, v29 @0x7b
;;   ret v30
;; }
;;
;; function "sizes"() -> (i64) wasm entries block0 {
;; block0 pc 0x85:
;;   v0 = iconst.i64 16
;;   v1 = load_context.i64 64 17048
;;   v2 = load_host.i64 64 v1 + 8
;;   v3 = shr_u.i64 v2, v0
;;   v4 = wrap.i64 v3
;;   v5 = extend_u32.i32 v4
;;   v6 = iconst.i32 1
;;   v7 = load_context.i64 64 432
;;   v8 = iconst.i32 0
;;   v9 = context_address 416
;;   v10: i64 = call_pointer v7, v9, v8(v6, v5) @0x88
;;   v11 = wrap.i64 v10
;;   v12 = load_context.i64 64 17080
;;   v13 = load_host.i64 64 v12 + 8
;;   v14 = shr_u.i64 v13, v0
;;   v15 = iconst.i32 2
;;   v16 = load_context.i64 64 432
;;   v17: i64 = call_pointer v16, v9, v8(v15, v14) @0x8d
;;   ret v17
;; }
