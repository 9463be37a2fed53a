;; Atomic accesses ask for alignment first. A load is a plain load, a store an exchange.
(module
  (memory 1 2 shared)
  (func $all (param i32) (result i64)
    (i32.atomic.store offset=6 (local.get 0) (i32.atomic.load (local.get 0)))
    (i64.atomic.store8 (local.get 0) (i64.const 1))
    (drop (i32.atomic.rmw16.add_u (local.get 0) (i32.const 5)))
    (drop (i64.atomic.rmw.xchg offset=8 (local.get 0) (i64.const 6)))
    (atomic.fence)
    (drop (memory.atomic.notify offset=4 (local.get 0) (i32.const 1)))
    (drop (memory.atomic.wait64 (local.get 0) (i64.const 1) (i64.const -1)))
    (i64.atomic.rmw8.cmpxchg_u (local.get 0) (i64.const 1) (i64.const 2))))
;; ---- lifted
;; function "all"(i32) -> (i64) wasm entries block0 {
;; block0(v0: i32) pc 0x1e:
;;   v1 = iconst.i32 0
;;   v2 = iconst.i32 3
;;   v3 = and.i32 v0, v2
;;   v4 = icmp.i32 ne v3, v1
;;   trap_if v4, 18 @0x23
;;   v5 = load.i32 u32 v0 @0x23
;;   acquire
;;   v6 = iconst.i32 2
;;   v7 = add.i32 v0, v6
;;   v8 = and.i32 v7, v2
;;   v9 = icmp.i32 ne v8, v1
;;   trap_if v9, 18 @0x27
;;   v10 = load_context.i64 64 17040
;;   v11 = extend_u32.i32 v0
;;   v12 = iconst.i64 6
;;   v13 = add.i64 v11, v12
;;   v14 = atomic_rmw.i32 xchg u32 v10, v13, v5 @0x27
;;   v15 = iconst.i64 1
;;   v16 = load_context.i64 64 17040
;;   v17 = iconst.i64 0
;;   v18 = atomic_rmw.i64 xchg u8 v16, v11, v15 @0x2f
;;   v19 = iconst.i32 5
;;   v20 = iconst.i32 1
;;   v21 = and.i32 v0, v20
;;   trap_if v21, 18 @0x37
;;   v22 = load_context.i64 64 17040
;;   v23 = atomic_rmw.i32 add u16 v22, v11, v19 @0x37
;;   v24 = iconst.i32 7
;;   v25 = and.i32 v0, v24
;;   v26 = icmp.i32 ne v25, v1
;;   trap_if v26, 18 @0x40
;;   v27 = load_context.i64 64 17040
;;   v28 = iconst.i64 8
;;   v29 = add.i64 v11, v28
;;   v30 = atomic_rmw.i64 xchg 64 v27, v29, v12 @0x40
;;   fence
;;   trap_if v4, 18 @0x4c
;;   v31 = iconst.i64 4
;;   v32 = add.i64 v11, v31
;;   v33 = load_context.i64 64 1008
;;   v34 = context_address 992
;;   v35: i32 = call_pointer v33, v34, v1(v1, v32, v20) @0x4c
;;   v36 = iconst.i64 -1
;;   trap_if v26, 18 @0x57
;;   v37 = load_context.i64 64 960
;;   v38 = context_address 944
;;   v39: i32 = call_pointer v37, v38, v1(v1, v11, v15, v36) @0x57
;;   v40 = iconst.i64 2
;;   v41 = load_context.i64 64 17040
;;   v42 = atomic_cmpxchg.i64 u8 v41, v11, v15, v40 @0x62
;;   ret v42
;; }
