# Direct, indirect and host calls; a call into code that is not there.
      addi t0, zero, 1
      jal ra, f
      jalr ra, 4(t0)
      addi a7, zero, 93
      ecall
      jal ra, 0x20000
      ebreak
f:    addi a0, a0, 1
      jalr zero, 0(ra)
# ---- lifted
# fn_00010000: entries 10000 10008 1000c 10014 10018
#   10000..10008 call 1001c
#   10008..1000c indirect call
#   1000c..10014 host call
#   10014..10018 call 20000
#   10018..1001c trap
# fn_0001001c: entries 1001c
#   1001c..10024 return
#
# -- local
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block6, block7, block8, block9 {
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
#   v45 = iconst.i32 1
#   v46 = iconst.i32 0
#   v47 = iconst.i32 65544
#   store_state x1, v47
#   store_state x5, v45
#   v48 = load_state x2
#   v49 = load_state x10
#   v50 = load_state x11
#   v51 = load_state x12
#   v52 = load_state x13
#   v53 = load_state x14
#   v54 = load_state x15
#   v55 = load_state x8
#   v56 = load_state x9
#   v57: i32, v58: i32, v59: i32, v60: i32, v61: i32, v62: i32, v63: i32, v64: i32, v65: i32, v66: i32 = call @f65564(v48, v49, v50, v51, v52, v53, v54, v55, v56) @0x10004
#   v67 = icmp.i32 ne v57, v47
#   store_state x2, v58
#   store_state x8, v65
#   store_state x9, v66
#   store_state x10, v59
#   store_state x11, v60
#   store_state x12, v61
#   store_state x13, v62
#   store_state x14, v63
#   store_state x15, v64
#   br_if v67, block10, block2 cold
# block2 pc 0x10008:
#   meter 1 @0x10008 refund 1
#   v68 = load_state x5
#   v69 = iconst.i32 4
#   v70 = add.i32 v68, v69
#   v71 = iconst.i32 3
#   v72 = and.i32 v70, v71
#   trap_if v72, 0 @0x10008 refund 1
#   v73 = iconst.i32 65548
#   store_state x1, v73
#   v74 = load_state x2
#   v75 = load_state x10
#   v76 = load_state x11
#   v77 = load_state x12
#   v78 = load_state x13
#   v79 = load_state x14
#   v80 = load_state x15
#   v81 = load_state x8
#   v82 = load_state x9
#   v83: i32, v84: i32, v85: i32, v86: i32, v87: i32, v88: i32, v89: i32, v90: i32, v91: i32, v92: i32 = call_dispatch v70(v74, v75, v76, v77, v78, v79, v80, v81, v82) @0x10008
#   v93 = icmp.i32 ne v83, v73
#   store_state x2, v84
#   store_state x8, v91
#   store_state x9, v92
#   store_state x10, v85
#   store_state x11, v86
#   store_state x12, v87
#   store_state x13, v88
#   store_state x14, v89
#   store_state x15, v90
#   br_if v93, block11, block3 cold
# block3 pc 0x1000c:
#   meter 2 @0x1000c refund 2
#   v94 = iconst.i32 93
#   v95 = iconst.i32 0
#   store_state x17, v94
#   v96 = iconst.i32 65552
#   store_state x32, v96
#   v97 = load_state x2
#   v98 = load_state x10
#   v99 = load_state x11
#   v100 = load_state x12
#   v101 = load_state x13
#   v102 = load_state x14
#   v103 = load_state x15
#   v104 = load_state x8
#   v105 = load_state x9
#   v106: i32, v107: i32, v108: i32, v109: i32, v110: i32, v111: i32, v112: i32, v113: i32, v114: i32, v115: i32 = call_runtime 1(v97, v98, v99, v100, v101, v102, v103, v104, v105) @0x10010
#   v116 = iconst.i32 65556
#   v117 = icmp.i32 ne v106, v116
#   store_state x2, v107
#   store_state x8, v114
#   store_state x9, v115
#   store_state x10, v108
#   store_state x11, v109
#   store_state x12, v110
#   store_state x13, v111
#   store_state x14, v112
#   store_state x15, v113
#   br_if v117, block12, block4 cold
# block4 pc 0x10014:
#   meter 1 @0x10014 refund 1
#   v118 = iconst.i32 65560
#   store_state x1, v118
#   v119 = load_state x2
#   v120 = load_state x10
#   v121 = load_state x11
#   v122 = load_state x12
#   v123 = load_state x13
#   v124 = load_state x14
#   v125 = load_state x15
#   v126 = load_state x8
#   v127 = load_state x9
#   v128 = iconst.i32 131072
#   v129: i32, v130: i32, v131: i32, v132: i32, v133: i32, v134: i32, v135: i32, v136: i32, v137: i32, v138: i32 = call_dispatch v128(v119, v120, v121, v122, v123, v124, v125, v126, v127) @0x10014
#   v139 = icmp.i32 ne v129, v118
#   store_state x2, v130
#   store_state x8, v137
#   store_state x9, v138
#   store_state x10, v131
#   store_state x11, v132
#   store_state x12, v133
#   store_state x13, v134
#   store_state x14, v135
#   store_state x15, v136
#   br_if v139, block13, block5 cold
# block5 pc 0x10018:
#   meter 1 @0x10018 refund 1
#   trap 3 @0x10018 refund 1
# block6(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) cold pc 0x10008:
#   store_state x2, v9
#   store_state x8, v16
#   store_state x9, v17
#   store_state x10, v10
#   store_state x11, v11
#   store_state x12, v12
#   store_state x13, v13
#   store_state x14, v14
#   store_state x15, v15
#   br block2
# block7(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) cold pc 0x1000c:
#   store_state x2, v18
#   store_state x8, v25
#   store_state x9, v26
#   store_state x10, v19
#   store_state x11, v20
#   store_state x12, v21
#   store_state x13, v22
#   store_state x14, v23
#   store_state x15, v24
#   br block3
# block8(v27: i32, v28: i32, v29: i32, v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32) cold pc 0x10014:
#   store_state x2, v27
#   store_state x8, v34
#   store_state x9, v35
#   store_state x10, v28
#   store_state x11, v29
#   store_state x12, v30
#   store_state x13, v31
#   store_state x14, v32
#   store_state x15, v33
#   br block4
# block9(v36: i32, v37: i32, v38: i32, v39: i32, v40: i32, v41: i32, v42: i32, v43: i32, v44: i32) cold pc 0x10018:
#   store_state x2, v36
#   store_state x8, v43
#   store_state x9, v44
#   store_state x10, v37
#   store_state x11, v38
#   store_state x12, v39
#   store_state x13, v40
#   store_state x14, v41
#   store_state x15, v42
#   br block5
# block10 cold pc 0x10008:
#   ret v57, v58, v59, v60, v61, v62, v63, v64, v65, v66
# block11 cold pc 0x1000c:
#   ret v83, v84, v85, v86, v87, v88, v89, v90, v91, v92
# block12 cold pc 0x10014:
#   ret v106, v107, v108, v109, v110, v111, v112, v113, v114, v115
# block13 cold pc 0x10018:
#   ret v129, v130, v131, v132, v133, v134, v135, v136, v137, v138
# }
#
# function "fn_0001001c"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x1001c:
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
# block1 pc 0x1001c:
#   meter 2 @0x1001c refund 2
#   v9 = iconst.i32 1
#   v10 = load_state x10
#   v11 = add.i32 v10, v9
#   v12 = load_state x1
#   v13 = iconst.i32 3
#   v14 = and.i32 v12, v13
#   defer_state x10, v11
#   trap_if v14, 0 @0x10020 refund 1
#   v15 = load_state x2
#   v16 = load_state x11
#   v17 = load_state x12
#   v18 = load_state x13
#   v19 = load_state x14
#   v20 = load_state x15
#   v21 = load_state x8
#   v22 = load_state x9
#   ret v12, v15, v11, v16, v17, v18, v19, v20, v21, v22
# }
#
# -- SSA
#
# function "fn_00010000"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0, block6, block7, block8, block9 {
# block0(v36: i32, v37: i32, v38: i32, v39: i32, v40: i32, v41: i32, v42: i32, v43: i32, v44: i32) pc 0x10000:
#   br block1
# block1 pc 0x10000 state[x2=v36, x8=v43, x9=v44, x10=v37, x11=v38, x12=v39, x13=v40, x14=v41, x15=v42]:
#   meter 2 @0x10000 refund 2
#   v81 = iconst.i32 1
#   v82 = iconst.i32 0
#   v83 = iconst.i32 65544
#   store_state x1, v83
#   store_state x5, v81
#   v84: i32, v85: i32, v86: i32, v87: i32, v88: i32, v89: i32, v90: i32, v91: i32, v92: i32, v93: i32 = call @f65564(v36, v37, v38, v39, v40, v41, v42, v43, v44) @0x10004
#   v94 = icmp.i32 ne v84, v83
#   br_if v94, block10, block2(v85, v92, v93, v86, v87, v88, v89, v90, v91) cold
# block2(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x10008 state[x2=v0, x8=v1, x9=v2, x10=v3, x11=v4, x12=v5, x13=v6, x14=v7, x15=v8]:
#   meter 1 @0x10008 refund 1
#   v95 = load_state x5
#   v96 = iconst.i32 4
#   v97 = add.i32 v95, v96
#   v98 = iconst.i32 3
#   v99 = and.i32 v97, v98
#   trap_if v99, 0 @0x10008 refund 1
#   v100 = iconst.i32 65548
#   store_state x1, v100
#   v101: i32, v102: i32, v103: i32, v104: i32, v105: i32, v106: i32, v107: i32, v108: i32, v109: i32, v110: i32 = call_dispatch v97(v0, v3, v4, v5, v6, v7, v8, v1, v2) @0x10008
#   v111 = icmp.i32 ne v101, v100
#   br_if v111, block11, block3(v102, v109, v110, v103, v104, v105, v106, v107, v108) cold
# block3(v9: i32, v10: i32, v11: i32, v12: i32, v13: i32, v14: i32, v15: i32, v16: i32, v17: i32) pc 0x1000c state[x2=v9, x8=v10, x9=v11, x10=v12, x11=v13, x12=v14, x13=v15, x14=v16, x15=v17]:
#   meter 2 @0x1000c refund 2
#   v112 = iconst.i32 93
#   v113 = iconst.i32 0
#   store_state x17, v112
#   v114 = iconst.i32 65552
#   store_state x32, v114
#   v115: i32, v116: i32, v117: i32, v118: i32, v119: i32, v120: i32, v121: i32, v122: i32, v123: i32, v124: i32 = call_runtime 1(v9, v12, v13, v14, v15, v16, v17, v10, v11) @0x10010
#   v125 = iconst.i32 65556
#   v126 = icmp.i32 ne v115, v125
#   br_if v126, block12, block4(v116, v123, v124, v117, v118, v119, v120, v121, v122) cold
# block4(v18: i32, v19: i32, v20: i32, v21: i32, v22: i32, v23: i32, v24: i32, v25: i32, v26: i32) pc 0x10014 state[x2=v18, x8=v19, x9=v20, x10=v21, x11=v22, x12=v23, x13=v24, x14=v25, x15=v26]:
#   meter 1 @0x10014 refund 1
#   v127 = iconst.i32 65560
#   store_state x1, v127
#   v128 = iconst.i32 131072
#   v129: i32, v130: i32, v131: i32, v132: i32, v133: i32, v134: i32, v135: i32, v136: i32, v137: i32, v138: i32 = call_dispatch v128(v18, v21, v22, v23, v24, v25, v26, v19, v20) @0x10014
#   v139 = icmp.i32 ne v129, v127
#   br_if v139, block13, block5(v130, v137, v138, v131, v132, v133, v134, v135, v136) cold
# block5(v27: i32, v28: i32, v29: i32, v30: i32, v31: i32, v32: i32, v33: i32, v34: i32, v35: i32) pc 0x10018 state[x2=v27, x8=v28, x9=v29, x10=v30, x11=v31, x12=v32, x13=v33, x14=v34, x15=v35]:
#   meter 1 @0x10018 refund 1
#   trap 3 @0x10018 refund 1
# block6(v45: i32, v46: i32, v47: i32, v48: i32, v49: i32, v50: i32, v51: i32, v52: i32, v53: i32) cold pc 0x10008:
#   br block2(v45, v52, v53, v46, v47, v48, v49, v50, v51)
# block7(v54: i32, v55: i32, v56: i32, v57: i32, v58: i32, v59: i32, v60: i32, v61: i32, v62: i32) cold pc 0x1000c:
#   br block3(v54, v61, v62, v55, v56, v57, v58, v59, v60)
# block8(v63: i32, v64: i32, v65: i32, v66: i32, v67: i32, v68: i32, v69: i32, v70: i32, v71: i32) cold pc 0x10014:
#   br block4(v63, v70, v71, v64, v65, v66, v67, v68, v69)
# block9(v72: i32, v73: i32, v74: i32, v75: i32, v76: i32, v77: i32, v78: i32, v79: i32, v80: i32) cold pc 0x10018:
#   br block5(v72, v79, v80, v73, v74, v75, v76, v77, v78)
# block10 cold pc 0x10008:
#   ret v84, v85, v86, v87, v88, v89, v90, v91, v92, v93
# block11 cold pc 0x1000c:
#   ret v101, v102, v103, v104, v105, v106, v107, v108, v109, v110
# block12 cold pc 0x10014:
#   ret v115, v116, v117, v118, v119, v120, v121, v122, v123, v124
# block13 cold pc 0x10018:
#   ret v129, v130, v131, v132, v133, v134, v135, v136, v137, v138
# }
#
# function "fn_0001001c"(i32, i32, i32, i32, i32, i32, i32, i32, i32) -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) guest entries block0 {
# block0(v0: i32, v1: i32, v2: i32, v3: i32, v4: i32, v5: i32, v6: i32, v7: i32, v8: i32) pc 0x1001c:
#   br block1
# block1 pc 0x1001c state[x2=v0, x8=v7, x9=v8, x10=v1, x11=v2, x12=v3, x13=v4, x14=v5, x15=v6]:
#   meter 2 @0x1001c refund 2
#   v9 = iconst.i32 1
#   v10 = add.i32 v1, v9
#   v11 = load_state x1
#   v12 = iconst.i32 3
#   v13 = and.i32 v11, v12
#   defer_state x10, v10
#   trap_if v13, 0 @0x10020 refund 1
#   ret v11, v0, v10, v2, v3, v4, v5, v6, v7, v8
# }
