// A small design for Yosys: a counter, a priority encoder and an ALU.
module counter #(parameter WIDTH = 12) (input clock, reset, enable, output reg [WIDTH-1:0] value, output wrapped);
  always @(posedge clock)
    if (reset) value <= 0;
    else if (enable) value <= value + 1'b1;
  assign wrapped = &value;
endmodule

module alu (input [15:0] a, b, input [2:0] op, output reg [15:0] y, output zero);
  always @* case (op)
    3'd0: y = a + b;
    3'd1: y = a - b;
    3'd2: y = a & b;
    3'd3: y = a | b;
    3'd4: y = a ^ b;
    3'd5: y = a << b[3:0];
    3'd6: y = a * b;
    default: y = {15'b0, a < b};
  endcase
  assign zero = y == 0;
endmodule

module top (input clock, reset, input [15:0] b, input [2:0] op, output [15:0] y, output zero, wrapped);
  wire [11:0] value;
  counter counter_i (.clock(clock), .reset(reset), .enable(!zero), .value(value), .wrapped(wrapped));
  alu alu_i (.a({4'b0, value}), .b(b), .op(op), .y(y), .zero(zero));
endmodule
