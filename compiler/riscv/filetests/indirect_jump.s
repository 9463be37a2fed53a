# No table is known: through the dispatcher, with all registers in VmContext.
      addi t3, zero, 3
      jalr zero, 8(a0)
# ---- lifted
# fn_00010000: entries 10000
#   10000..10008 indirect jump
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   store_state x2, v0
#   store_state x8, v7
#   store_state x9, v8
#   store_state x10, v1
#   store_state x11, v2
#   store_state x12, v3
#   store_state x13, v4
#   store_state x14, v5
#   store_state x15, v6
#   br block1
# block1 pc 0x10000:
#   meter 2 @0x10000 refund 2
#   v9 = iconst.i32 3
#   v10 = iconst.i32 0
#   v11 = load_state x10
#   v12 = iconst.i32 8
#   v13 = add.i32 v11, v12
#   v14 = and.i32 v13, v9
#   defer_state x28, v9
#   trap_if v14, 0 @0x10004 refund 1
#   store_state x28, v9
#   v15 = load_state x2
#   v16 = load_state x11
#   v17 = load_state x12
#   v18 = load_state x13
#   v19 = load_state x14
#   v20 = load_state x15
#   v21 = load_state x8
#   v22 = load_state x9
#   tail_dispatch v13(v15, v11, v16, v17, v18, v19, v20, v21, v22) @0x10004
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 2 @0x10000 refund 2
#   v9 = iconst.i32 3
#   v10 = iconst.i32 0
#   v11 = iconst.i32 8
#   v12 = add.i32 v1, v11
#   v13 = and.i32 v12, v9
#   defer_state x28, v9
#   trap_if v13, 0 @0x10004 refund 1
#   store_state x28, v9
#   tail_dispatch v12(v0, v1, v2, v3, v4, v5, v6, v7, v8) @0x10004
# }
