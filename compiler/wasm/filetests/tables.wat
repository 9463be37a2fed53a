;; Tables and globals.
(module
  (global $imported (import "m" "g") (mut i32))
  (global $constant (import "m" "h") f64)
  (global $own (mut i64) (i64.const 1))
  (global $vector (mut v128) (v128.const i64x2 1 2))
  (table $t 10 externref)
  (table $f 10 funcref)
  (elem $e funcref (ref.null func))
  (func $globals (result f64)
    (global.set $imported (i32.add (global.get $imported) (i32.const 1)))
    (global.set $own (i64.const 7))
    (global.set $vector (global.get $vector))
    (global.get $constant))
  (func $elements (param i32)
    (table.set $t (i32.const 3) (table.get $t (local.get 0))))
  (func $bulk (param externref) (result i32)
    (table.fill $t (i32.const 1) (local.get 0) (i32.const 2))
    (table.copy $f $f (i32.const 1) (i32.const 2) (i32.const 3))
    (table.init $f $e (i32.const 1) (i32.const 2) (i32.const 3))
    (elem.drop $e)
    (i32.add (table.size $t) (table.grow $t (local.get 0) (i32.const 5)))))
;; ---- lifted
;; function "globals"() -> (f64) wasm entries block0 {
;; block0 pc 0x62:
;;   v0 = load_context.i64 64 0
;;   v1 = load_host.i32 u32 v0
;;   v2 = iconst.i32 1
;;   v3 = add.i32 v1, v2
;;   v4 = load_context.i64 64 0
;;   store_host.i32 u32 v4, v3
;;   v5 = iconst.i64 7
;;   store_context.i64 64 32, v5
;;   v6 = load_context.v128 128 48
;;   store_context.v128 128 48, v6
;;   v7 = load_context.i64 64 16
;;   v8 = load_host.f64 64 v7
;;   ret v8
;; }
;;
;; function "elements"(i32) -> () wasm entries block0 {
;; block0(v0: i32) pc 0x76:
;;   v1 = iconst.i32 3
;;   v2 = extend_u32.i32 v0
;;   v3 = load_context.i64 64 17040
;;   v4 = load_host.i64 64 v3 + 8
;;   v5 = icmp.i64 uge v2, v4
;;   trap_if v5, 13 @0x7b
;;   v6 = load_host.i64 64 v3
;;   v7 = iconst.i64 3
;;   v8 = shl.i64 v2, v7
;;   v9 = add.i64 v6, v8
;;   v10 = load_host.i64 64 v9
;;   v11 = load_context.i64 64 17040
;;   v12 = load_host.i64 64 v11 + 8
;;   v13 = iconst.i64 4
;;   v14 = icmp.i64 ult v12, v13
;;   trap_if v14, 13 @0x7d
;;   v15 = load_host.i64 64 v11
;;   v16 = iconst.i64 24
;;   v17 = add.i64 v15, v16
;;   store_host.i64 64 v17, v10
;;   ret
;; }
;;
;; function "bulk"(i64) -> (i32) wasm entries block0 {
;; block0(v0: i64) pc 0x81:
;;   v1 = iconst.i32 1
;;   v2 = iconst.i32 2
;;   v3 = iconst.i32 0
;;   v4 = iconst.i64 1
;;   v5 = iconst.i64 2
;;   v6 = load_context.i64 64 720
;;   v7 = context_address 704
;;   call_pointer v6, v7, v3(v3, v4, v0, v5) @0x88
;;   v8 = iconst.i32 3
;;   v9 = iconst.i64 3
;;   v10 = load_context.i64 64 768
;;   v11 = context_address 752
;;   call_pointer v10, v11, v3(v1, v1, v4, v5, v9) @0x91
;;   v12 = load_context.i64 64 816
;;   v13 = context_address 800
;;   call_pointer v12, v13, v3(v3, v1, v4, v5, v9) @0x9b
;;   v14 = load_context.i64 64 864
;;   v15 = context_address 848
;;   call_pointer v14, v15, v3(v3) @0x9f
;;   v16 = load_context.i64 64 17040
;;   v17 = load_host.i64 64 v16 + 8
;;   v18 = wrap.i64 v17
;;   v19 = iconst.i32 5
;;   v20 = iconst.i64 5
;;   v21 = load_context.i64 64 672
;;   v22 = context_address 656
;;   v23: i64 = call_pointer v21, v22, v3(v3, v0, v20) @0xa9
;;   v24 = wrap.i64 v23
;;   v25 = add.i32 v18, v24
;;   ret v25
;; }
