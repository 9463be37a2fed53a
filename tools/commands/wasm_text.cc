#include "tools/commands/wasm_text.h"

#include <bit>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/types.h"
#include "runtime/wasm/types.h"
#include "tools/commands/wasm_values.h"

namespace precast::aotc {
namespace {

using runtime::wasm::Value;
using wasm::Immediate;
using wasm::Instruction;

std::string BlockTypeText(const wasm::BlockType& type) {
  switch (type.kind) {
    case wasm::BlockType::Kind::kEmpty:
      return "";
    case wasm::BlockType::Kind::kValue:
      return absl::StrCat(" (result ", Name(type.type), ")");
    case wasm::BlockType::Kind::kIndex:
      return absl::StrCat(" (type ", type.index, ")");
  }
  return "";
}

std::string MemArgText(const Instruction& i) {
  std::string text;
  if (i.memory != 0) absl::StrAppend(&text, " ", i.memory);
  if (i.address_offset != 0) absl::StrAppend(&text, " offset=", i.address_offset);
  if (i.align != wasm::Info(i.op).natural_align)
    absl::StrAppend(&text, " align=", uint64_t{1} << (i.align & 63));
  return text;
}

std::string VectorText(const Instruction& i) {
  std::string text;
  for (uint8_t byte : i.v128) absl::StrAppend(&text, " ", byte);
  return text;
}

std::string ImmediateText(const Instruction& i) {
  std::string text;
  switch (wasm::Info(i.op).immediate) {
    case Immediate::kNone:
    case Immediate::kFence:
      return "";
    case Immediate::kBlockType:
      return BlockTypeText(i.block_type);
    case Immediate::kLabel:
    case Immediate::kIndex:
      return absl::StrCat(" ", i.index);
    case Immediate::kMemory:
      return i.index == 0 ? "" : absl::StrCat(" ", i.index);
    case Immediate::kLabelTable:
      for (uint32_t target : i.targets) absl::StrAppend(&text, " ", target);
      return text;
    case Immediate::kCallIndirect:
      return absl::StrCat(i.index2 == 0 ? "" : absl::StrCat(" ", i.index2), " (type ", i.index,
                          ")");
    case Immediate::kTwoIndices:
      return absl::StrCat(" ", i.index, " ", i.index2);
    case Immediate::kSelectTypes:
      for (wasm::ValType type : i.types) absl::StrAppend(&text, " (result ", Name(type), ")");
      return text;
    case Immediate::kRefType:
      return absl::StrCat(" ", i.type == wasm::kFuncRef ? "func" : "extern");
    case Immediate::kI32:
    case Immediate::kI64:
      return absl::StrCat(" ", i.value);
    case Immediate::kF32:
      return absl::StrCat(
          " ", ValueText(Value::Of(runtime::wasm::ValType::kF32, static_cast<uint32_t>(i.value))));
    case Immediate::kF64:
      return absl::StrCat(" ", ValueText(Value::Of(runtime::wasm::ValType::kF64, i.value)));
    case Immediate::kMemArg:
      return MemArgText(i);
    case Immediate::kMemArgLane:
      return absl::StrCat(MemArgText(i), " ", i.lane);
    case Immediate::kLane:
      return absl::StrCat(" ", i.lane);
    case Immediate::kV128:
      return absl::StrCat(wasm::Info(i.op).text == "v128.const" ? " i8x16" : "", VectorText(i));
  }
  return "";
}

bool IsInside(absl::Span<const uint8_t> module, uint32_t offset, uint32_t end) {
  return offset < end && end <= module.size();
}

}  // namespace

std::optional<WasmLine> WasmLineAt(absl::Span<const uint8_t> module, uint32_t offset,
                                   uint32_t end) {
  if (!IsInside(module, offset, end)) return std::nullopt;
  wasm::InstructionReader reader(module, {offset, end}, wasm::Features());
  Instruction instruction;
  if (!reader.Next(instruction).ok()) return std::nullopt;
  return WasmLine{absl::StrCat(wasm::Info(instruction.op).text, ImmediateText(instruction)),
                  reader.offset()};
}

std::optional<WasmLine> WasmLocalsAt(absl::Span<const uint8_t> module, uint32_t offset,
                                     uint32_t end) {
  if (!IsInside(module, offset, end)) return std::nullopt;
  wasm::InstructionReader reader(module, {offset, end}, wasm::Features());
  std::vector<wasm::LocalRun> runs;
  if (!reader.ReadLocals(runs).ok()) return std::nullopt;
  std::string text = runs.empty() ? "(no locals" : "(locals";
  for (const wasm::LocalRun& run : runs)
    absl::StrAppend(&text, text == "(locals" ? " " : ", ", run.count, " ", Name(run.type));
  return WasmLine{text + ")", reader.offset()};
}

}  // namespace precast::aotc
