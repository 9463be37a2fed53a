# A jump table by target address; what is in between goes through the dispatcher.
      addi a4, zero, 1
      bltu a4, a0, other
      slli a0, a0, 2
      lui a5, %hi(table)
      add a0, a0, a5
      lw a0, %lo(table)(a0)
      jalr zero, 0(a0)
one:  addi a0, zero, 1
      jalr zero, 0(ra)
two:  addi a0, zero, 2
other: jalr zero, 0(ra)
.data
table: .word one, two
# ---- lifted
# fn_00010000: entries 10000
#   10000..10008 branch 10028
#   10008..1001c switch 1001c 10024
#   1001c..10024 return
#   10024..10028 falls through
#   10028..1002c return
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
#   v9 = iconst.i32 1
#   v10 = iconst.i32 0
#   v11 = load_state x10
#   v12 = iconst.i32 2
#   v13 = icmp.i32 uge v11, v12
#   store_state x14, v9
#   br_if v13, block5, block2
# block2 pc 0x10008:
#   meter 5 @0x10008 refund 5
#   v14 = iconst.i32 2
#   v15 = load_state x10
#   v16 = shl.i32 v15, v14
#   v17 = iconst.i32 262144
#   v18 = add.i32 v16, v17
#   defer_state x10, v18
#   defer_state x15, v17
#   v19 = load.i32 u32 v18 @0x10014 refund 2
#   store_state x10, v19
#   store_state x15, v17
#   v20 = iconst.i32 65564
#   v21 = iconst.i32 -65564
#   v22 = add.i32 v19, v21
#   v23 = iconst.i32 30
#   v24 = rotl.i32 v22, v23
#   br_table v24, [block7, block6, block8, block6]
# block3 pc 0x1001c:
#   meter 2 @0x1001c refund 2
#   v34 = iconst.i32 1
#   v35 = iconst.i32 0
#   v36 = load_state x1
#   v37 = iconst.i32 3
#   v38 = and.i32 v36, v37
#   defer_state x10, v34
#   trap_if v38, 0 @0x10020 refund 1
#   v39 = load_state x2
#   v40 = load_state x11
#   v41 = load_state x12
#   v42 = load_state x13
#   v43 = load_state x14
#   v44 = load_state x15
#   v45 = load_state x8
#   v46 = load_state x9
#   ret v36, v39, v34, v40, v41, v42, v43, v44, v45, v46
# block4 pc 0x10024:
#   meter 1 @0x10024 refund 1
#   v47 = iconst.i32 2
#   v48 = iconst.i32 0
#   store_state x10, v47
#   br block5
# block5 pc 0x10028:
#   meter 1 @0x10028 refund 1
#   v49 = load_state x1
#   v50 = iconst.i32 3
#   v51 = and.i32 v49, v50
#   trap_if v51, 0 @0x10028 refund 1
#   v52 = load_state x2
#   v53 = load_state x10
#   v54 = load_state x11
#   v55 = load_state x12
#   v56 = load_state x13
#   v57 = load_state x14
#   v58 = load_state x15
#   v59 = load_state x8
#   v60 = load_state x9
#   ret v49, v52, v53, v54, v55, v56, v57, v58, v59, v60
# block6 cold pc 0x10018:
#   v25 = iconst.i32 3
#   v26 = and.i32 v19, v25
#   trap_if v26, 0 @0x10018 refund 1
#   v27 = load_state x2
#   v28 = load_state x11
#   v29 = load_state x12
#   v30 = load_state x13
#   v31 = load_state x14
#   v32 = load_state x8
#   v33 = load_state x9
#   tail_dispatch v19(v27, v19, v28, v29, v30, v31, v17, v32, v33) @0x10018
# block7 pc 0x1001c:
#   br block3
# block8 pc 0x10024:
#   br block4
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32, v9: i32, v10: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v2, x8=v9, x9=v10, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 2 @0x10000 refund 2
#   v11 = iconst.i32 1
#   v12 = iconst.i32 0
#   v13 = iconst.i32 2
#   v14 = icmp.i32 uge v3, v13
#   br_if v14, block5(v3, v8), block2
# block2 pc 0x10008 state[x2=v2, x8=v9, x9=v10, x10=v3, x11=v4, x12=v5, x13=v6, x14=v11, x15=v8]:
#   meter 5 @0x10008 refund 5
#   v15 = iconst.i32 2
#   v16 = shl.i32 v3, v15
#   v17 = iconst.i32 262144
#   v18 = add.i32 v16, v17
#   defer_state x10, v18
#   defer_state x15, v17
#   v19 = load.i32 u32 v18 @0x10014 refund 2
#   v20 = iconst.i32 65564
#   v21 = iconst.i32 -65564
#   v22 = add.i32 v19, v21
#   v23 = iconst.i32 30
#   v24 = rotl.i32 v22, v23
#   br_table v24, [block7, block6, block8, block6]
# block3 pc 0x1001c state[x2=v2, x8=v9, x9=v10, x10=v19, x11=v4, x12=v5, x13=v6, x14=v11, x15=v17]:
#   meter 2 @0x1001c refund 2
#   v27 = iconst.i32 1
#   v28 = iconst.i32 0
#   v29 = load_state x1
#   v30 = iconst.i32 3
#   v31 = and.i32 v29, v30
#   defer_state x10, v27
#   trap_if v31, 0 @0x10020 refund 1
#   ret v29, v2, v27, v4, v5, v6, v11, v17, v9, v10
# block4 pc 0x10024 state[x2=v2, x8=v9, x9=v10, x10=v19, x11=v4, x12=v5, x13=v6, x14=v11, x15=v17]:
#   meter 1 @0x10024 refund 1
#   v32 = iconst.i32 2
#   v33 = iconst.i32 0
#   br block5(v32, v17)
# block5(v0: i32, v1: i32) pc 0x10028 state[x2=v2, x8=v9, x9=v10, x10=v0, x11=v4, x12=v5, x13=v6, x14=v11, x15=v1]:
#   meter 1 @0x10028 refund 1
#   v34 = load_state x1
#   v35 = iconst.i32 3
#   v36 = and.i32 v34, v35
#   trap_if v36, 0 @0x10028 refund 1
#   ret v34, v2, v0, v4, v5, v6, v11, v1, v9, v10
# block6 cold pc 0x10018:
#   v25 = iconst.i32 3
#   v26 = and.i32 v19, v25
#   defer_state x2, v2
#   defer_state x8, v9
#   defer_state x9, v10
#   defer_state x10, v19
#   defer_state x11, v4
#   defer_state x12, v5
#   defer_state x13, v6
#   defer_state x14, v11
#   defer_state x15, v17
#   trap_if v26, 0 @0x10018 refund 1
#   tail_dispatch v19(v2, v19, v4, v5, v6, v11, v17, v9, v10) @0x10018
# block7 pc 0x1001c:
#   br block3
# block8 pc 0x10024:
#   br block4
# }
