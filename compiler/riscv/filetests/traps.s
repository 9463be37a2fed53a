# Misaligned targets, ebreak, an undefined word.
      addi t3, zero, 3
      beq a0, a1, .+6
      bne a0, a1, skip
      ebreak
skip: blt a0, a1, ill
      jal ra, .+2
ill:  .word 0xffffffff
# ---- lifted
# fn_00010000: entries 10000
#   10000..10008 branch 1000a
#   10008..1000c branch 10010
#   1000c..10010 trap
#   10010..10014 branch 10018
#   10014..10018 trap
#   10018..1001c trap
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
#   v11 = load_state x11
#   v12 = load_state x10
#   v13 = icmp.i32 eq v11, v12
#   defer_state x28, v9
#   trap_if v13, 4 @0x10004 refund 1
#   store_state x28, v9
#   br block2
# block2 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v14 = load_state x11
#   v15 = load_state x10
#   v16 = icmp.i32 ne v14, v15
#   br_if v16, block3, block6
# block3 pc 0x10010:
#   meter 1 @0x10010 refund 1
#   v17 = load_state x11
#   v18 = load_state x10
#   v19 = icmp.i32 sgt v17, v18
#   br_if v19, block4, block5
# block4 pc 0x10018:
#   meter 1 @0x10018 refund 1
#   trap 2 @0x10018 refund 1
# block5 pc 0x10014:
#   meter 1 @0x10014 refund 1
#   trap 4 @0x10014 refund 1
# block6 pc 0x1000c:
#   meter 1 @0x1000c refund 1
#   trap 3 @0x1000c refund 1
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
#   v11 = icmp.i32 eq v1, v2
#   defer_state x28, v9
#   trap_if v11, 4 @0x10004 refund 1
#   br block2
# block2 pc 0x10008 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6, x28=v9]:
#   meter 1 @0x10008 refund 1
#   v12 = icmp.i32 ne v1, v2
#   br_if v12, block3, block6
# block3 pc 0x10010 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6, x28=v9]:
#   meter 1 @0x10010 refund 1
#   v13 = icmp.i32 slt v1, v2
#   br_if v13, block4, block5
# block4 pc 0x10018 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6, x28=v9]:
#   meter 1 @0x10018 refund 1
#   trap 2 @0x10018 refund 1
# block5 pc 0x10014 state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6, x28=v9]:
#   meter 1 @0x10014 refund 1
#   trap 4 @0x10014 refund 1
# block6 pc 0x1000c state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6, x28=v9]:
#   meter 1 @0x1000c refund 1
#   trap 3 @0x1000c refund 1
# }
