# Values of one block; x0 as source and target.
addi a0, a1, 5
add a0, a0, zero
add zero, a0, a0
mulhsu t0, a0, t1
sltiu a2, t0, 1
jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000
#   10000..10018 return
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
#   meter 6 @0x10000 refund 6
#   v9 = iconst.i32 5
#   v10 = load_state x11
#   v11 = add.i32 v10, v9
#   v12 = iconst.i32 0
#   v13 = add.i32 v11, v11
#   v14 = load_state x6
#   v15 = sumulhi.i32 v11, v14
#   v16 = iconst.i32 1
#   v17 = icmp.i32 eq v15, v12
#   v18 = load_state x1
#   v19 = iconst.i32 3
#   v20 = and.i32 v18, v19
#   defer_state x5, v15
#   defer_state x10, v11
#   defer_state x12, v17
#   trap_if v20, 0 @0x10014 refund 1
#   store_state x5, v15
#   v21 = load_state x2
#   v22 = load_state x13
#   v23 = load_state x14
#   v24 = load_state x15
#   v25 = load_state x8
#   v26 = load_state x9
#   ret v18, v21, v11, v10, v17, v22, v23, v24, v25, v26
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 6 @0x10000 refund 6
#   v9 = iconst.i32 5
#   v10 = add.i32 v2, v9
#   v11 = iconst.i32 0
#   v12 = add.i32 v10, v10
#   v13 = load_state x6
#   v14 = sumulhi.i32 v10, v13
#   v15 = iconst.i32 1
#   v16 = icmp.i32 eq v14, v11
#   v17 = load_state x1
#   v18 = iconst.i32 3
#   v19 = and.i32 v17, v18
#   defer_state x5, v14
#   defer_state x10, v10
#   defer_state x12, v16
#   trap_if v19, 0 @0x10014 refund 1
#   store_state x5, v14
#   ret v17, v0, v10, v2, v16, v4, v5, v6, v7, v8
# }
