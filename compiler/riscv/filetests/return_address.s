# A return with an offset may be misaligned; a jump to a constant need not be checked.
      auipc t1, 0
      jalr zero, 8(t1)
      jalr zero, 2(ra)
# ---- lifted
# fn_00010000: entries 10000
#   10000..10008 jump 10008
#   10008..1000c return
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
#   v9 = iconst.i32 65536
#   v10 = iconst.i32 8
#   v11 = iconst.i32 65544
#   store_state x6, v9
#   br block2
# block2 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v12 = load_state x1
#   v13 = iconst.i32 2
#   v14 = add.i32 v12, v13
#   v15 = iconst.i32 3
#   v16 = and.i32 v14, v15
#   trap_if v16, 0 @0x10008 refund 1
#   v17 = load_state x2
#   v18 = load_state x10
#   v19 = load_state x11
#   v20 = load_state x12
#   v21 = load_state x13
#   v22 = load_state x14
#   v23 = load_state x15
#   v24 = load_state x8
#   v25 = load_state x9
#   ret v14, v17, v18, v19, v20, v21, v22, v23, v24, v25
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 2 @0x10000 refund 2
#   v9 = iconst.i32 65536
#   v10 = iconst.i32 8
#   v11 = iconst.i32 65544
#   br block2
# block2 pc 0x10008 state[x2=v0, x6=v9, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 1 @0x10008 refund 1
#   v12 = load_state x1
#   v13 = iconst.i32 2
#   v14 = add.i32 v12, v13
#   v15 = iconst.i32 3
#   v16 = and.i32 v14, v15
#   trap_if v16, 0 @0x10008 refund 1
#   store_state x6, v9
#   ret v14, v0, v1, v2, v3, v4, v5, v6, v7, v8
# }
