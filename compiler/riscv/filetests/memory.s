# Sites: registers written before an access are declared, those of the access itself are not.
      addi t0, t0, 4
      lw t1, -4(t0)
      sh t1, 2(sp)
      lb zero, 0(a0)
      lui a1, 0x40000
      lbu a2, 8(a1)
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000
#   10000..1001c return
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
#   meter 7 @0x10000 refund 7
#   v9 = iconst.i32 4
#   v10 = load_state x5
#   v11 = add.i32 v10, v9
#   defer_state x5, v11
#   v12 = load.i32 u32 v11 - 4 @0x10004 refund 6
#   v13 = load_state x2
#   defer_state x6, v12
#   store.i32 u16 v13 + 2, v12 @0x10008 refund 5
#   v14 = load_state x10
#   v15 = load.i32 s8 v14 @0x1000c refund 4
#   v16 = iconst.i32 262144
#   v17 = iconst.i32 262152
#   defer_state x11, v16
#   v18 = load.i32 u8 v17 @0x10014 refund 2
#   v19 = load_state x1
#   v20 = iconst.i32 3
#   v21 = and.i32 v19, v20
#   defer_state x12, v18
#   trap_if v21, 0 @0x10018 refund 1
#   store_state x5, v11
#   store_state x6, v12
#   v22 = load_state x13
#   v23 = load_state x14
#   v24 = load_state x15
#   v25 = load_state x8
#   v26 = load_state x9
#   ret v19, v13, v14, v16, v18, v22, v23, v24, v25, v26
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 7 @0x10000 refund 7
#   v9 = iconst.i32 4
#   v10 = load_state x5
#   v11 = add.i32 v10, v9
#   defer_state x5, v11
#   v12 = load.i32 u32 v11 - 4 @0x10004 refund 6
#   defer_state x6, v12
#   store.i32 u16 v0 + 2, v12 @0x10008 refund 5
#   v13 = load.i32 s8 v1 @0x1000c refund 4
#   v14 = iconst.i32 262144
#   v15 = iconst.i32 262152
#   defer_state x11, v14
#   v16 = load.i32 u8 v15 @0x10014 refund 2
#   v17 = load_state x1
#   v18 = iconst.i32 3
#   v19 = and.i32 v17, v18
#   defer_state x12, v16
#   trap_if v19, 0 @0x10018 refund 1
#   store_state x5, v11
#   store_state x6, v12
#   ret v17, v0, v1, v14, v16, v4, v5, v6, v7, v8
# }
